"""Foliage, scrolls, knots and repeated sorts: what decorations, initials and frames are made of."""

from __future__ import annotations

import numpy as np

from farthing.documents.synthetic.drawing import Floats, clipped
from farthing.documents.synthetic.objects.scene import Material, Scene
from farthing.documents.synthetic.strokes import Canvas, Points, curve, ellipse, placed, points, spiral, sweep, turned
from farthing.documents.synthetic.textures import smooth_noise


def scroll(rng: np.random.Generator, x: float, y: float, radius: float, *, start: float, turns: float) -> list[Points]:
    """Outlines of a spiral tendril with leaves on its outer side.

    Args:
        rng: draws the leaves.
        x: of the eye.
        y: of the eye.
        radius: in page pixels.
        start: angle of its outer end, in radians.
        turns: how often it winds; negative winds the other way.
    """
    path = spiral(x, y, radius, turns=turns, start=start, inner=0.18)
    stem = sweep(path, radius * np.linspace(0.2, 0.08, len(path)))
    leaves = [stem, ellipse(*_pair(path[-1]), 0.16 * radius, 0.16 * radius)]
    for index in range(1, len(path) - 3, max(2, len(path) // int(rng.integers(5, 9)))):
        along = path[index + 1] - path[index]
        angle = float(np.arctan2(along[1], along[0])) - np.sign(turns) * rng.uniform(0.4, 1.1)
        leaves.append(placed(turned(_LEAF, angle), *_pair(path[index]), radius * rng.uniform(0.35, 0.6)))
    return leaves


# Along x from its root: a leaf with a lobe on each side.
_LEAF = curve(points((0, 0), (0.35, -0.28), (0.5, -0.12), (1, -0.1), (0.55, 0.14), (0.35, 0.3)), closed=True)


def _pair(point: Points) -> tuple[float, float]:
    return float(point[0]), float(point[1])


def draw_scrolls(scene: Scene, x: float, y: float, radius: float, *, num: int) -> None:
    """A ring of scrolls around (x, y), mirrored left and right, as around a cartouche."""
    rng = scene.rng
    tone = rng.uniform(0.05, 0.7)
    for angle in np.linspace(-np.pi / 2, np.pi / 2, max(2, num // 2 + 1)) + rng.uniform(-0.1, 0.1):
        size = radius * rng.uniform(0.22, 0.4)
        reach = radius - size
        for outline in scroll(
            rng, reach * np.cos(angle), reach * np.sin(angle), size, start=angle, turns=rng.choice([-1.2, 1.2])
        ):
            for side in (-1, 1):
                scene.shape(outline * (side, 1) + (x, y), Material.GOLD, tone, width=0.8)


def draw_rinceau(canvas: Canvas, rng: np.random.Generator, box: tuple[float, float, float, float]) -> None:
    """A wave of scrolls along the longer side of the box (x0, y0, x1, y1), mirrored about its middle."""
    x0, y0, x1, y1 = box
    upright = (y1 - y0) > (x1 - x0)
    length, breadth = (y1 - y0, x1 - x0) if upright else (x1 - x0, y1 - y0)
    num = max(1, round(0.5 * length / breadth))
    step = 0.5 * length / num
    radius = 0.5 * min(step, breadth) * rng.uniform(0.85, 1.0)
    turns = rng.uniform(1.0, 1.7)
    shapes: list[Points] = []
    for index in range(num):
        sign = 1 if index % 2 else -1
        shapes += scroll(rng, (index + 0.5) * step, 0, radius, start=sign * np.pi / 2 + np.pi, turns=sign * turns)
    stem = np.stack(
        [np.linspace(0, 0.5 * length, 8 * num + 1), 0.45 * breadth * np.cos(np.linspace(0, np.pi * num, 8 * num + 1))],
        axis=1,
    )
    shapes.append(sweep(stem, np.full(len(stem), 0.1 * radius)))
    middle = np.array([(x0 + x1) / 2, (y0 + y1) / 2])
    for side in (-1, 1):
        canvas.fill_each(
            [(shape * (side, 1))[:, ::-1] + middle if upright else shape * (side, 1) + middle for shape in shapes]
        )


def draw_knots(canvas: Canvas, rng: np.random.Generator, box: tuple[float, float, float, float]) -> None:
    """Interlaced ribbons along the longer side of the box (x0, y0, x1, y1)."""
    x0, y0, x1, y1 = box
    upright = (y1 - y0) > (x1 - x0)
    length, breadth = (y1 - y0, x1 - x0) if upright else (x1 - x0, y1 - y0)
    waves = max(1, round(length / breadth * rng.uniform(0.5, 1.1)))
    ribbon = breadth * rng.uniform(0.1, 0.2)
    place = np.linspace(-0.5, 0.5, 24 * waves + 1)
    for phase in np.linspace(0, np.pi, int(rng.integers(2, 4)), endpoint=False):
        wave = np.stack([place * length, 0.38 * breadth * np.sin(2 * np.pi * waves * place + 2 * phase)], axis=1)
        path = (wave[:, ::-1] if upright else wave) + ((x0 + x1) / 2, (y0 + y1) / 2)
        canvas.line(path, width=ribbon)
        canvas.line(path, width=0.45 * ribbon, value=0)


def tangle(rng: np.random.Generator, width: int, height: int) -> Floats:
    """f32 [height, width] in [0, 1]: winding lines and blots that no rule made, mirrored left and right.

    They are where a difference of smooth noises is small, or large: arabesques without the regularity of drawn ones.
    """
    half, cell = (width + 1) // 2, max(3.0, rng.uniform(0.1, 0.35) * min(width, height))
    field = smooth_noise(rng, half, height, cell) - smooth_noise(rng, half, height, cell * rng.uniform(0.7, 1.5))
    breadth = np.float32(rng.uniform(0.06, 0.2))
    lines = breadth - np.abs(field) if rng.random() < 0.7 else field - breadth
    ink = clipped(lines * np.float32(cell) + np.float32(0.5))
    mirrored: Floats = np.concatenate([ink, ink[:, : width - half][:, ::-1]], axis=1)
    return mirrored


def sort_shapes(rng: np.random.Generator) -> list[Points]:
    """One piece of type ornament in the square from -0.5 to 0.5, symmetrical left and right."""
    kind = rng.integers(6)
    if kind == 0:
        half = scroll(rng, 0.22, 0.08, 0.24, start=-np.pi / 2, turns=rng.choice([-1.1, 1.1]))
        half.append(curve(points((0, -0.5), (0.12, -0.3), (0, 0.0)), closed=True))
    elif kind == 1:
        half = [
            turned(ellipse(0, -0.27, rng.uniform(0.08, 0.15), 0.2), angle)
            for angle in np.linspace(0, np.pi, int(rng.integers(3, 6)))
        ]
        half.append(ellipse(0, 0, 0.1, 0.1))
    elif kind == 2:
        half = [
            points((0, -0.48), (0.3, 0), (0, 0.48)),
            ellipse(0.38, -0.3, 0.09, 0.09),
            ellipse(0.38, 0.3, 0.09, 0.09),
        ]
    elif kind == 3:
        half = [
            curve(points((0, 0.45), (0.4, 0.2), (0.42, -0.3), (0.2, -0.45), (0.15, -0.1)), closed=True),
            ellipse(0, -0.32, 0.1, 0.14),
        ]
    elif kind == 4:
        arc = ellipse(0, 0.2, 0.44, 0.5, start=-np.pi / 2, end=0.2)
        half = [sweep(arc, np.full(len(arc), rng.uniform(0.08, 0.18))), ellipse(0, 0.2, 0.14, 0.2)]
    else:
        half = [placed(turned(_LEAF, angle), 0, 0.35, rng.uniform(0.5, 0.8)) for angle in (-1.4, -0.8, -0.2)]
    return half + [shape * (-1, 1) for shape in half]


def draw_sorts(canvas: Canvas, rng: np.random.Generator, box: tuple[float, float, float, float], *, flip: bool) -> None:
    """A row of one type ornament along the longer side of the box (x0, y0, x1, y1).

    Args:
        canvas: to draw on.
        rng: draws the ornament.
        box: the row's.
        flip: every second one upside down.
    """
    x0, y0, x1, y1 = box
    upright = (y1 - y0) > (x1 - x0)
    length, breadth = (y1 - y0, x1 - x0) if upright else (x1 - x0, y1 - y0)
    num = max(1, round(length / breadth))
    shapes = sort_shapes(rng)
    for index in range(num):
        along, sign = (index + 0.5) * length / num, -1 if flip and index % 2 else 1
        for shape in shapes:
            turned_shape = (shape * (1, sign))[:, ::-1] if upright else shape * (1, sign)
            centre = (x0 + breadth / 2, y0 + along) if upright else (x0 + along, y0 + breadth / 2)
            canvas.fill(turned_shape * 0.96 * min(breadth, length / num) + centre)
