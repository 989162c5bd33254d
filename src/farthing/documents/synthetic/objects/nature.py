"""Land, plants and water for a scene."""

from __future__ import annotations

import numpy as np

from farthing.documents.synthetic.objects.scene import Material, Scene
from farthing.documents.synthetic.strokes import Points, curve, ellipse, placed, points, sweep, turned


def skyline(rng: np.random.Generator, width: float, height: float, *, level: float, relief: float, num: int) -> Points:
    """[n, 2] the outline of land that fills the picture below `level` +- `relief`, both in pixels from the top."""
    x = np.linspace(-0.05 * width, 1.05 * width, num)
    y = level + relief * rng.uniform(-1, 1, num)
    top = curve(np.stack([x, y], axis=1))
    return np.concatenate([top, points((1.05 * width, height * 1.02), (-0.05 * width, height * 1.02))])


def draw_sky(scene: Scene) -> None:
    """A sky, with long flat clouds or none."""
    rng, width, height = scene.rng, scene.width, scene.height
    scene.fill(
        points((0, 0), (width, 0), (width, height), (0, height)),
        Material.SKY,
        rng.choice([0.0, 0.05, 0.2, 0.4]),
        shade=0,
    )
    for _ in range(int(rng.integers(0, 5))):
        x, y = rng.uniform(0, width), rng.uniform(0, 0.3 * height)
        for share in (0.6, 1.0):
            scene.line(
                curve(points((x, y), (x + 0.1 * share * width, y - 0.03 * height), (x + 0.2 * share * width, y))),
                width=0.7,
            )


def draw_land(scene: Scene, horizon: float) -> None:
    """One to four ranges of land from the horizon (pixels from the top) down to the lower edge, with trees."""
    rng, width, height = scene.rng, scene.width, scene.height
    num = int(rng.integers(1, 5))
    for level in np.linspace(horizon, height * rng.uniform(0.75, 0.95), num):
        near = (level - horizon) / max(1.0, height - horizon)
        land = skyline(
            rng, width, height, level=level, relief=(0.02 + 0.06 * rng.random()) * height, num=int(rng.integers(4, 10))
        )
        scene.shape(land, Material.GRASS if rng.random() < 0.6 else Material.GROUND, rng.uniform(0.05, 0.5), shade=0.1)
        for _ in range(int(rng.integers(0, 5))):
            draw_tree(
                scene,
                rng.uniform(0, width),
                level + 0.05 * height,
                (0.08 + 0.45 * near) * height * rng.uniform(0.6, 1.2),
            )
        for _ in range(int(rng.integers(2, 14))):
            x, y = rng.uniform(0, width), rng.uniform(level, height)
            scene.line(points((x, y), (x + rng.uniform(0.02, 0.1) * width, y + rng.normal(0, 2))), width=0.7)


def draw_water(scene: Scene, level: float) -> None:
    """Water from `level` (pixels from the top) down, with ripples."""
    rng, width, height = scene.rng, scene.width, scene.height
    scene.shape(
        points((0, level), (width, level), (width, height), (0, height)),
        Material.WATER,
        rng.uniform(0.1, 0.45),
        shade=0,
    )
    for _ in range(int(rng.integers(6, 30))):
        x, y, length = rng.uniform(0, width), rng.uniform(level, height), rng.uniform(0.03, 0.2) * width
        scene.line(curve(points((x, y), (x + length / 2, y + 2), (x + length, y))), width=0.7)


def draw_tree(scene: Scene, x: float, y: float, size: float) -> None:
    """A tree with a round, a pointed or a layered crown, or bare."""
    rng = scene.rng
    bend = rng.uniform(-0.08, 0.08) * size
    tone = rng.uniform(0.15, 0.7)
    trunk = points((x, y), (x + bend, y - 0.3 * size), (x + bend, y - 0.6 * size))
    scene.shape(sweep(trunk, size * np.array([0.09, 0.06, 0.04])), Material.WOOD, 0.4)
    kind = rng.integers(4)
    if kind == 0:
        for level in (0.3, 0.5, 0.7):
            wide = 0.34 * (1.05 - level) * size
            outline = points((x - wide, y - level * size), (x, y - (level + 0.33) * size), (x + wide, y - level * size))
            scene.shape(outline, Material.FOLIAGE, tone)
    elif kind == 1:
        for angle in rng.uniform(-1.1, 1.1, 7):
            tip = points((0, 0), (0.02, -0.2), (0, -0.42))
            scene.line(curve(placed(turned(tip, angle), x + bend, y - 0.5 * size, size)), width=1.2)
    else:
        for _ in range(int(rng.integers(4, 11))):
            angle, reach = rng.uniform(0, 2 * np.pi), 0.22 * size * np.sqrt(rng.random())
            centre_x, centre_y = x + bend + reach * np.cos(angle) * 1.2, y - 0.68 * size + reach * np.sin(angle)
            leaf = ellipse(centre_x, centre_y, rng.uniform(0.1, 0.2) * size, rng.uniform(0.08, 0.16) * size)
            scene.shape(
                leaf + rng.normal(0, 0.012 * size, leaf.shape),
                Material.FOLIAGE,
                tone + rng.uniform(-0.1, 0.1),
                width=0.8,
            )


def draw_plant(scene: Scene, x: float, y: float, size: float) -> None:
    """A herb as botanists draw it: bent stem, leaves in pairs, flowers, now and then the root."""
    rng = scene.rng
    sway = rng.uniform(-0.15, 0.15, 4)
    stem = curve(placed(np.stack([np.cumsum(sway) * 0.5, np.array([0, -0.35, -0.7, -1.0])], axis=1), x, y, size))
    tone, leaf_size, slim = rng.uniform(0.05, 0.5), rng.uniform(0.1, 0.3) * size, rng.uniform(0.15, 0.6)
    scene.line(stem, width=rng.uniform(1, 2.2))
    for share in np.linspace(0.12, 0.92, int(rng.integers(3, 9))):
        base_x, base_y = (float(side) for side in stem[int(share * (len(stem) - 1))])
        for side in (-1, 1):
            angle = side * rng.uniform(0.5, 1.5)
            leaf = turned(points((0, 0), (slim, -0.45), (0, -1), (-slim, -0.45)), angle)
            scale = leaf_size * rng.uniform(0.6, 1.1)
            scene.shape(placed(curve(leaf, closed=True), base_x, base_y, scale), Material.FOLIAGE, tone, width=0.8)
            scene.line(placed(turned(points((0, 0), (0, -0.9)), angle), base_x, base_y, scale), width=0.6)
    for end in stem[[-1, len(stem) * 2 // 3]][: int(rng.integers(1, 3))]:
        _draw_flower(scene, float(end[0]), float(end[1]), rng.uniform(0.06, 0.14) * size)
    if rng.random() < 0.4:
        for angle in rng.uniform(-0.7, 0.7, 5):
            scene.line(placed(turned(points((0, 0), (0.05, 0.1), (0, 0.22)), angle), x, y, size), width=0.8)


def _draw_flower(scene: Scene, x: float, y: float, size: float) -> None:
    num = int(scene.rng.integers(4, 9))
    for angle in np.linspace(0, 2 * np.pi, num, endpoint=False):
        petal = turned(ellipse(0, -0.6, 0.32, 0.5), angle)
        scene.shape(placed(petal, x, y, size), Material.ROBE, 0.1, width=0.7)
    scene.shape(ellipse(x, y, 0.25 * size, 0.25 * size), Material.GOLD, 0.5, shade=0)


def draw_fish(scene: Scene, x: float, y: float, size: float) -> None:
    """A fish `size` long, its middle at (x, y)."""
    rng = scene.rng
    high = rng.uniform(0.12, 0.3)
    mirrored = bool(rng.random() < 0.5)
    body = points(
        (-0.5, 0),
        (-0.3, -high * 0.8),
        (0, -high),
        (0.3, -0.3 * high),
        (0.5, -high),
        (0.44, 0),
        (0.5, high),
        (0.3, 0.3 * high),
        (0, high),
        (-0.3, high * 0.8),
    )
    scene.shape(placed(body, x, y, size, mirrored=mirrored), Material.WATER, rng.uniform(0.1, 0.5))
    for share in np.linspace(-0.25, 0.25, 5):
        scene.line(
            placed(
                curve(points((share, -high * 0.7), (share + 0.06, 0), (share, high * 0.7))),
                x,
                y,
                size,
                mirrored=mirrored,
            ),
            width=0.6,
        )
    scene.line(placed(ellipse(-0.38, -0.03, 0.03, 0.03), x, y, size, mirrored=mirrored))
