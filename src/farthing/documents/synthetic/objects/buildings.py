"""Houses, towers, ships, rooms for a scene; (x, y) is the middle of their foot and size their height, in pixels."""

from __future__ import annotations

import numpy as np

from farthing.documents.synthetic.objects.scene import Material, Scene
from farthing.documents.synthetic.strokes import Points, curve, ellipse, placed, points, rectangle


def draw_house(scene: Scene, x: float, y: float, size: float) -> None:
    """A gabled house, seen from a corner."""
    rng = scene.rng
    wide, deep, eaves = rng.uniform(0.25, 0.5) * size, rng.uniform(0.3, 0.9) * size, rng.uniform(0.45, 0.65) * size
    tone = rng.uniform(0.02, 0.35)
    scene.shape(rectangle(x, y - eaves, x + deep, y), Material.STONE, tone + 0.25, shade=0)
    roof = points((x, y - eaves), (x - wide / 2, y - size), (x + deep - wide / 2, y - size), (x + deep, y - eaves))
    scene.shape(roof, Material.ROOF, rng.uniform(0.3, 0.7), shade=0)
    front = points((x - wide, y), (x - wide, y - eaves), (x - wide / 2, y - size), (x, y - eaves), (x, y))
    scene.shape(front, Material.STONE, tone, shade=0)
    draw_windows(
        scene,
        (x - 0.85 * wide, y - eaves, x - 0.15 * wide, y - 0.1 * size),
        columns=int(rng.integers(1, 3)),
        rows=int(rng.integers(1, 4)),
    )
    draw_windows(
        scene,
        (x + 0.1 * deep, y - 0.9 * eaves, x + 0.9 * deep, y - 0.1 * size),
        columns=int(rng.integers(1, 5)),
        rows=int(rng.integers(1, 3)),
    )


def draw_tower(scene: Scene, x: float, y: float, size: float) -> None:
    """A tower with battlements, a spire or a dome."""
    rng = scene.rng
    half = rng.uniform(0.08, 0.2) * size
    body = size * rng.uniform(0.6, 0.8)
    tone = rng.uniform(0.05, 0.4)
    kind = rng.integers(3)
    if kind == 0:
        scene.shape(
            points((x - 1.1 * half, y - body), (x, y - size), (x + 1.1 * half, y - body)), Material.ROOF, tone + 0.3
        )
    elif kind == 1:
        scene.shape(ellipse(x, y - body, half, size - body, start=np.pi), Material.ROOF, tone + 0.2)
    scene.shape(rectangle(x - half, y - body, x + half, y), Material.STONE, tone, shade=0.3)
    if kind == 2:
        for left in np.linspace(x - 1.15 * half, x + 0.8 * half, 4):
            scene.shape(
                rectangle(left, y - body - 0.08 * size, left + 0.35 * half, y - body), Material.STONE, tone, shade=0
            )
    draw_windows(
        scene, (x - 0.6 * half, y - 0.9 * body, x + 0.6 * half, y - 0.2 * body), columns=1, rows=int(rng.integers(1, 5))
    )


def draw_windows(scene: Scene, box: tuple[float, float, float, float], *, columns: int, rows: int) -> None:
    """A grid of dark openings in the box (x0, y0, x1, y1)."""
    x0, y0, x1, y1 = box
    wide, high = (x1 - x0) / columns, (y1 - y0) / rows
    arched = scene.rng.random() < 0.4
    for row in range(rows):
        for column in range(columns):
            left, top = x0 + (column + 0.28) * wide, y0 + (row + 0.2) * high
            opening = rectangle(left, top, left + 0.44 * wide, top + 0.6 * high)
            if arched:
                opening = np.concatenate(
                    [ellipse(left + 0.22 * wide, top + 0.2 * high, 0.22 * wide, 0.2 * high, start=np.pi), opening[2:]]
                )
            scene.shape(opening, Material.WOOD, 0.85, shade=0, width=0.7)


def draw_facade(scene: Scene, x: float, y: float, size: float, *, wide: float) -> None:
    """A front with storeys, columns or windows, and a gable or balustrade; `wide` in pixels."""
    rng = scene.rng
    left, right = x - wide / 2, x + wide / 2
    storeys, bays = int(rng.integers(1, 4)), int(rng.integers(3, 9))
    roof = rng.uniform(0.12, 0.25) * size
    tone = rng.uniform(0.02, 0.2)
    if rng.random() < 0.6:
        scene.shape(
            points((left, y - size + roof), (x, y - size), (right, y - size + roof)), Material.STONE, tone + 0.1
        )
        scene.line(ellipse(x, y - size + 0.6 * roof, 0.2 * roof, 0.2 * roof))
    else:
        scene.shape(rectangle(left, y - size + 0.5 * roof, right, y - size + roof), Material.ROOF, tone + 0.2)
    high = (size - roof) / storeys
    for storey in range(storeys):
        top = y - size + roof + storey * high
        scene.shape(rectangle(left, top, right, top + high), Material.STONE, tone, shade=0)
        scene.shape(rectangle(left, top, right, top + 0.1 * high), Material.STONE, tone + 0.1, shade=0)
        draw_windows(scene, (left, top + 0.15 * high, right, top + high), columns=bays, rows=1)
        if rng.random() < 0.6:
            for column in np.linspace(left, right, bays + 1):
                scene.shape(
                    rectangle(
                        column - 0.03 * wide / bays * 3, top + 0.1 * high, column + 0.09 * wide / bays, top + high
                    ),
                    Material.WHITE,
                    tone,
                    shade=0.35,
                )


def draw_room(scene: Scene) -> float:
    """An interior with a tiled floor in perspective and a back wall; returns where the floor begins, from the top."""
    rng, width, height = scene.rng, scene.width, scene.height
    horizon, floor = rng.uniform(0.35, 0.5) * height, rng.uniform(0.62, 0.78) * height
    scene.fill(rectangle(0, 0, width, height), Material.STONE, rng.uniform(0, 0.35), shade=0)
    scene.shape(rectangle(0, floor, width, height), Material.GROUND, rng.uniform(0, 0.2), shade=0)
    vanishing = width * rng.uniform(0.4, 0.6)
    for x in np.linspace(-width, 2 * width, int(rng.integers(8, 18))):
        top = vanishing + (x - vanishing) * (floor - horizon) / (height - horizon)
        scene.line(points((x, height), (top, floor)), width=0.7)
    for share in np.linspace(0, 1, 6)[1:] ** 1.8:
        scene.line(points((0, floor + share * (height - floor)), (width, floor + share * (height - floor))), width=0.7)
    if rng.random() < 0.6:
        draw_arcade(scene, floor)
    else:
        draw_windows(
            scene, (0.05 * width, 0.1 * floor, 0.95 * width, 0.8 * floor), columns=int(rng.integers(1, 4)), rows=1
        )
    return floor


def draw_arcade(scene: Scene, floor: float) -> None:
    """Round or pointed arches on columns across the picture, standing on `floor` (pixels from the top)."""
    rng, width = scene.rng, scene.width
    num = int(rng.integers(1, 5))
    bay, spring = width / num, floor * rng.uniform(0.35, 0.6)
    inside = rng.uniform(0.05, 0.8)
    for index in range(num):
        left, right = (index + 0.08) * bay, (index + 0.92) * bay
        opening = np.concatenate(
            [
                ellipse((left + right) / 2, spring, (right - left) / 2, spring * 0.8, start=np.pi),
                points((right, floor), (left, floor)),
            ]
        )
        scene.shape(opening, Material.SKY, inside, shade=0)
    for index in range(num + 1):
        scene.shape(
            rectangle((index - 0.06) * bay, spring, (index + 0.06) * bay, floor), Material.WHITE, 0.1, shade=0.4
        )


def draw_ship(scene: Scene, x: float, y: float, size: float) -> None:
    """A sailing ship."""
    rng = scene.rng
    hull: Points = points((-0.5, -0.22), (-0.35, -0.15), (0.3, -0.15), (0.5, -0.28), (0.38, 0), (-0.35, 0))
    for mast in np.linspace(-0.25, 0.25, int(rng.integers(1, 4))):
        scene.line(placed(points((mast, -0.15), (mast, -1)), x, y, size), width=1.2)
        for level in (-0.85, -0.55):
            sail = points(
                (mast - 0.12, level), (mast + 0.12, level), (mast + 0.16, level + 0.25), (mast - 0.1, level + 0.25)
            )
            scene.shape(placed(curve(sail, closed=True), x, y, size), Material.WHITE, 0.05)
    scene.shape(placed(hull, x, y, size), Material.WOOD, rng.uniform(0.3, 0.7))
    for mast in (-0.25, 0.25):
        scene.line(placed(points((mast, -1), (mast * 2, -0.2)), x, y, size), width=0.5)
