"""Things without a landscape around them: arms, devices, diagrams, machines, vessels."""

from __future__ import annotations

import numpy as np

from farthing.documents.synthetic.objects.ornament import draw_scrolls
from farthing.documents.synthetic.objects.people import draw_bird, draw_figure, draw_mount
from farthing.documents.synthetic.objects.scene import Material, Scene, Spot
from farthing.documents.synthetic.strokes import Points, curve, ellipse, placed, points, rectangle, sweep, turned

_TINCTURES = (Material.ROBE, Material.CLOAK, Material.GOLD, Material.WHITE, Material.GRASS)


def draw_arms(scene: Scene, x: float, y: float, size: float) -> None:
    """A coat of arms: shield with charges under a helmet or crown, leaves around it, now and then supporters.

    Args:
        scene: to draw on.
        x: the middle.
        y: the lowest point.
        size: the height.
    """
    rng = scene.rng
    spot = Spot(x=x, y=y, size=size)
    if rng.random() < 0.7:
        draw_scrolls(scene, x, y - 0.48 * size, 0.5 * size, num=int(rng.integers(8, 14)))
    if rng.random() < 0.5:
        for side in (-1, 1):
            (draw_mount if rng.random() < 0.6 else draw_figure)(scene, x + side * 0.42 * size, y, 0.62 * size)
    shield = curve(
        spot.path((-0.25, -0.62), (0.25, -0.62), (0.26, -0.3), (0.13, -0.08), (0, 0), (-0.13, -0.08), (-0.26, -0.3))
    )
    scene.shape(shield, _tincture(rng), rng.uniform(0, 0.5), shade=0.1, width=1.6)
    _draw_charges(scene, spot)
    if rng.random() < 0.75:
        crown = spot.path(
            (-0.18, -0.66), (-0.24, -0.88), (-0.1, -0.78), (0, -0.95), (0.1, -0.78), (0.24, -0.88), (0.18, -0.66)
        )
        scene.shape(crown, Material.GOLD, 0.15)
        scene.shape(rectangle(x - 0.18 * size, y - 0.7 * size, x + 0.18 * size, y - 0.64 * size), Material.GOLD, 0.3)
    else:
        scene.shape(ellipse(x, y - 0.78 * size, 0.14 * size, 0.16 * size), Material.STONE, 0.3)
        scene.line(spot.path((-0.1, -0.78), (0.14, -0.78)), width=1.5)


def _tincture(rng: np.random.Generator) -> Material:
    return _TINCTURES[rng.integers(len(_TINCTURES))]


def _draw_charges(scene: Scene, spot: Spot) -> None:
    rng = scene.rng
    dark = rng.uniform(0.4, 0.95)
    kind = rng.integers(5)
    if kind == 0:
        scene.shape(spot.path((-0.25, -0.6), (-0.14, -0.6), (0.2, -0.2), (0.13, -0.1)), _tincture(rng), dark, shade=0)
    elif kind == 1:
        scene.shape(
            curve(spot.path((0, -0.62), (0.25, -0.62), (0.25, -0.34), (0, -0.34))), _tincture(rng), dark, shade=0
        )
        scene.shape(
            spot.path((0, -0.34), (0, -0.02), (-0.13, -0.09), (-0.23, -0.3), (-0.24, -0.34)),
            _tincture(rng),
            dark,
            shade=0,
        )
    elif kind == 2:
        for row, num in ((-0.5, 3), (-0.36, 2), (-0.2, 1)):
            for place in np.linspace(-0.08 * (num - 1), 0.08 * (num - 1), num):
                scene.shape(
                    ellipse(*spot.point(place, row), 0.045 * spot.size, 0.05 * spot.size), _tincture(rng), dark, shade=0
                )
    elif kind == 3:
        scene.shape(
            spot.path((-0.25, -0.3), (0, -0.48), (0.25, -0.3), (0.25, -0.2), (0, -0.38), (-0.25, -0.2)),
            _tincture(rng),
            dark,
            shade=0,
        )
    else:
        draw_mount(scene, *spot.point(-0.03, -0.14), 0.36 * spot.size)


def draw_banderole(scene: Scene, x: float, y: float, size: float) -> None:
    """A ribbon with words on it, `size` long, that hovers or comes out of a mouth at (x, y)."""
    rng = scene.rng
    lift, side = rng.uniform(-0.5, 0.2), rng.choice([-1, 1])
    way = placed(curve(points((0, 0), (0.3, lift - 0.1), (0.7, lift + 0.1), (1, lift))), x, y, size, mirrored=side < 0)
    breadth = size * rng.uniform(0.12, 0.25)
    scene.shape(sweep(way, np.full(len(way), breadth)), Material.WHITE, 0.0, shade=0)
    for shift in (-0.2, 0.15):
        marks = way[1:-1] + points((0, shift * breadth))
        scene.outlines.lines([marks[place : place + 2] for place in range(0, len(marks) - 2, 2)], width=0.08 * breadth)


def draw_wreath(scene: Scene, x: float, y: float, rx: float, ry: float) -> None:
    """A ring of leaves with radii `rx` and `ry` around (x, y)."""
    rng = scene.rng
    leaf, tone = 0.22 * min(rx, ry), rng.uniform(0.1, 0.7)
    spread = rng.uniform(0.4, 0.9)
    for place in ellipse(x, y, rx, ry)[:: int(rng.integers(1, 3))]:
        along = np.arctan2(place[1] - y, place[0] - x) + np.pi / 2
        for lean in (-spread, spread):
            shape = turned(points((0, 0), (0.5, -0.2), (1, 0), (0.5, 0.2)), along + lean)
            scene.shape(
                placed(curve(shape, closed=True), float(place[0]), float(place[1]), leaf), Material.FOLIAGE, tone
            )


def draw_device(scene: Scene, x: float, y: float, size: float) -> None:
    """A printer's device: something that stands for the shop, in an oval with scrollwork; (x, y) is the middle."""
    rng = scene.rng
    wide, high = rng.uniform(0.28, 0.42) * size, rng.uniform(0.34, 0.45) * size
    if rng.random() < 0.3:
        draw_wreath(scene, x, y, 1.1 * wide, 1.05 * high)
    else:
        draw_scrolls(scene, x, y, 0.5 * size, num=int(rng.integers(6, 14)))
    for grow in (1.12, 1.0):
        scene.shape(ellipse(x, y, wide * grow, high * grow), Material.WHITE, rng.uniform(0, 0.3), shade=0)
    foot, inner = y + 0.7 * high, 1.35 * high
    kind = rng.integers(5)
    if kind == 0:
        draw_figure(scene, x, foot, inner)
    elif kind == 1:
        draw_bird(scene, x, foot, 0.8 * inner)
    elif kind == 2:
        draw_vessel(scene, x, foot, inner)
    elif kind == 3:
        scene.line(points((x, foot), (x, foot - inner)), width=3)
        scene.line(points((x - 0.2 * inner, foot - 0.8 * inner), (x + 0.2 * inner, foot - 0.8 * inner)), width=3)
        scene.line(ellipse(x, foot - 0.25 * inner, 0.3 * inner, 0.25 * inner, start=0.2, end=np.pi - 0.2), width=4)
    else:
        draw_arms(scene, x, foot, 0.9 * inner)


def draw_vessel(scene: Scene, x: float, y: float, size: float) -> None:
    """A vase, urn or flask on its foot at (x, y)."""
    rng = scene.rng
    levels = np.array([0.0, 0.06, 0.2, 0.45, 0.68, 0.85, 1.0])
    radii = np.array(
        [
            0.2,
            0.1,
            rng.uniform(0.12, 0.3),
            rng.uniform(0.2, 0.42),
            rng.uniform(0.12, 0.35),
            rng.uniform(0.06, 0.14),
            rng.uniform(0.1, 0.22),
        ]
    )
    side = curve(np.stack([radii, -levels], axis=1))
    outline = np.concatenate([side, (side * (-1, 1))[::-1]])
    if rng.random() < 0.5:
        for mirror in (-1, 1):
            scene.line(
                curve(placed(points((mirror * 0.12, -0.85), (mirror * 0.42, -0.8), (mirror * 0.28, -0.5)), x, y, size)),
                width=2.2,
            )
    scene.shape(placed(outline, x, y, size), Material.STONE, rng.uniform(0.05, 0.4), shade=0.4)
    for level in rng.uniform(0.15, 0.9, 3):
        half = float(np.interp(level, levels, radii))
        scene.line(placed(curve(points((-half, -level), (0, -level + 0.04), (half, -level))), x, y, size), width=0.8)


def draw_wheel(scene: Scene, x: float, y: float, radius: float) -> None:
    """A diagram of rings and rays, as of the planets or the winds."""
    rng = scene.rng
    for share in np.sort(rng.uniform(0.15, 1, int(rng.integers(2, 8))))[::-1]:
        scene.shape(
            ellipse(x, y, share * radius, share * radius), _tincture(rng), rng.choice([0.0, 0.0, 0.15, 0.35]), shade=0
        )
    inner = rng.uniform(0.1, 0.6)
    for angle in np.linspace(0, 2 * np.pi, int(rng.choice([4, 6, 8, 12, 16, 24, 32])), endpoint=False):
        scene.line(turned(points((x + inner * radius, y), (x + radius, y)), angle, around=(x, y)), width=0.8)


def draw_construction(scene: Scene, box: tuple[float, float, float, float]) -> None:
    """A figure of geometry in the box (x0, y0, x1, y1): circles, chords, triangles, parallels."""
    rng = scene.rng
    x0, y0, x1, y1 = box
    low, high = np.array([x0, y0]), np.array([x1, y1])
    nodes = low + (high - low) * rng.random((int(rng.integers(4, 9)), 2))
    for _ in range(int(rng.integers(2, 9))):
        ends = nodes[rng.choice(len(nodes), 2, replace=False)]
        scene.line(ends, width=rng.uniform(0.7, 1.3))
    middle, radius = 0.5 * (low + high), 0.48 * float((high - low).min())
    for _ in range(int(rng.integers(0, 4))):
        share = rng.uniform(0.3, 1)
        start = rng.uniform(0, np.pi)
        scene.line(
            ellipse(
                float(middle[0]),
                float(middle[1]),
                share * radius,
                share * radius,
                start=start,
                end=start + rng.choice([np.pi, 2 * np.pi]),
            )
        )
    if rng.random() < 0.5:
        scene.shape(nodes[:3], Material.WHITE, rng.choice([0.0, 0.2]), shade=0)


def draw_machine(scene: Scene, x: float, y: float, size: float) -> None:
    """Wheels, beams and ropes; (x, y) is the middle of its foot."""
    rng = scene.rng
    spot = Spot(x=x, y=y, size=size)
    for place in (-0.4, 0.4):
        post: Points = rectangle(*spot.point(place - 0.03, -rng.uniform(0.5, 1)), *spot.point(place + 0.03, 0))
        scene.shape(post, Material.WOOD, rng.uniform(0.1, 0.5))
    level = -rng.uniform(0.5, 0.8)
    scene.shape(rectangle(*spot.point(-0.48, level), *spot.point(0.48, level + 0.06)), Material.WOOD, 0.3)
    for _ in range(int(rng.integers(1, 4))):
        radius = rng.uniform(0.08, 0.28) * size
        hub = spot.point(rng.uniform(-0.35, 0.35), rng.uniform(-0.75, -0.25))
        scene.shape(ellipse(*hub, radius, radius), Material.WOOD, rng.uniform(0.05, 0.4))
        scene.shape(ellipse(*hub, 0.8 * radius, 0.8 * radius), Material.WHITE, 0.05, shade=0)
        for angle in np.linspace(0, 2 * np.pi, int(rng.integers(4, 13)), endpoint=False):
            scene.line(turned(points(hub, (hub[0] + 0.85 * radius, hub[1])), angle, around=hub))
        scene.line(points((hub[0] + radius, hub[1]), (hub[0] + radius, y - 0.1 * size)), width=0.8)
    if rng.random() < 0.5:
        draw_figure(scene, x - 0.3 * size, y, 0.45 * size)
