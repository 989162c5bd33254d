"""Pictures of nothing: shapes of all sizes lying over each other, with the statistics of pictures of something.

Sizes follow the dead leaves model, which has the scale invariance and the edges of natural images; nets that learned
from it see much of what nets that learned from photographs see.

Source: A. B. Lee, D. Mumford, J. Huang, Occlusion models for natural images, IJCV 41, 2001 (sizes r with density r^-3);
M. Baradad et al., Learning to see by looking at noise, https://arxiv.org/abs/2106.05963.
"""

from __future__ import annotations

import numpy as np

from farthing.documents.synthetic.objects.scene import Material, Scene
from farthing.documents.synthetic.strokes import Points, curve, ellipse, points, rectangle, turned

_NUM_SHAPES = (30, 120)
_SMALLEST, _LARGEST = (0.03, 0.12), 0.6  # radius, in parts of the shorter side; the smallest differs by picture


def draw_leaves(scene: Scene) -> None:
    """Shapes from side to side."""
    rng, width, height = scene.rng, scene.width, scene.height
    scene.fill(rectangle(0, 0, width, height), _material(rng), rng.uniform(0, 0.8), shade=0.1)
    num = int(rng.integers(*_NUM_SHAPES))
    _scatter(scene, np.stack([rng.uniform(0, width, num), rng.uniform(0, height, num)], axis=1))


def draw_heap(scene: Scene) -> None:
    """Shapes that gather in the middle of bare paper."""
    rng, width, height = scene.rng, scene.width, scene.height
    num = int(rng.integers(*_NUM_SHAPES)) // 2
    spread = rng.normal(0, rng.uniform(0.1, 0.2), (num, 2))
    _scatter(scene, (0.5 + np.clip(spread, -0.45, 0.45)) * (width, height), largest=0.25)


def _scatter(scene: Scene, centres: Points, *, largest: float = _LARGEST) -> None:
    """Lays a shape at every place, [n, 2], the large ones first in half of the pictures."""
    rng = scene.rng
    radii = _radii(rng, len(centres), rng.uniform(*_SMALLEST), largest) * scene.size
    if rng.random() < 0.5:
        radii = np.sort(radii)[::-1]
    contrast, contour, kinds = rng.uniform(0.4, 1.0), rng.uniform(0.3, 1.0), rng.dirichlet(np.full(4, 0.7))
    for centre, radius in zip(centres, radii, strict=True):
        outline = _outline(rng, int(rng.choice(4, p=kinds)), float(radius)) + centre
        tone, shade = contrast * rng.uniform(0, 1), rng.uniform(0, 0.4)
        scene.shape(outline, _material(rng), tone, shade=shade, width=contour)


def _radii(rng: np.random.Generator, num: int, smallest: float, largest: float) -> Points:
    """f64 [num] with density r^-3 between the two: r^-2 is uniform."""
    radii: Points = rng.uniform(largest**-2, smallest**-2, num) ** -0.5
    return radii


def _outline(rng: np.random.Generator, kind: int, radius: float) -> Points:
    """[n, 2] around (0, 0): an oval, a blade, a box or something irregular."""
    turn, slim = rng.uniform(0, np.pi), rng.uniform(0.25, 1)
    if kind == 0:
        return turned(ellipse(0, 0, radius, slim * radius), turn)
    if kind == 1:
        tip, bow = 1.3 * radius, 0.6 * slim * radius
        return turned(curve(points((-tip, 0), (0, bow), (tip, 0), (0, -bow)), closed=True), turn)
    if kind == 2:
        return turned(rectangle(-radius, -slim * radius, radius, slim * radius), turn)
    angles = np.arange(7) / 7 * 2 * np.pi
    reach = radius * rng.uniform(0.4, 1.2, len(angles))
    knots = np.stack([reach * np.cos(angles), reach * np.sin(angles)], axis=1)
    return curve(knots, closed=True) if rng.random() < 0.6 else knots


def _material(rng: np.random.Generator) -> Material:
    return Material(int(rng.integers(1, len(Material))))
