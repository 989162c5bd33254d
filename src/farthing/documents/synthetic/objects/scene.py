"""What a picture shows, before anyone decides how it is printed or painted.

A scene holds three planes: how dark each place is, what it is made of (so that a painter can colour it), and the
outlines. Shapes are laid from back to front, each covering what is behind it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import cv2
import numpy as np

from farthing.documents.synthetic.drawing import Floats, Pixels
from farthing.documents.synthetic.strokes import Canvas, Points, placed, points

_FINE_AREA = 90_000  # square pixels up to which outlines are drawn at twice the size
_SHIFT = 3
_MIN_FOLDED = 6.0  # pixels across below which a shape shows no folds


class Material(IntEnum):
    """What a shape is made of; the value is its place in a palette."""

    EMPTY = 0
    SKY = 1
    GROUND = 2
    GRASS = 3
    FOLIAGE = 4
    WATER = 5
    STONE = 6
    ROOF = 7
    WOOD = 8
    SKIN = 9
    HAIR = 10
    ROBE = 11
    CLOAK = 12
    LINING = 13
    GOLD = 14
    WHITE = 15


class Scene:
    """The planes of a picture, all [height, width]."""

    def __init__(self, rng: np.random.Generator, width: int, height: int) -> None:
        """An empty one.

        Args:
            rng: draws where the light comes from and how even shapes are.
            width: in page pixels.
            height: in page pixels.
        """
        self.rng, self.width, self.height = rng, width, height
        self.outlines = Canvas(width, height, scale=2 if width * height <= _FINE_AREA else 1)
        self.line_width = 1.0
        self._tone = np.zeros((height, width), np.uint8)
        self._material = np.zeros((height, width), np.uint8)
        self._light = -1 if rng.random() < 0.7 else 1
        self._num_folds = int(rng.integers(0, 4))
        self._offsets = rng.uniform(-0.25, 0.3, len(Material)) * rng.uniform(0, 1)

    @property
    def size(self) -> float:
        """The shorter side, in page pixels."""
        return min(self.width, self.height)

    def fill(self, outline: Points, material: Material, tone: float, *, shade: float = 0.25) -> None:
        """Lays a shape without a contour over what is there.

        Args:
            outline: of the shape.
            material: what it is made of.
            tone: of its lit side, 0 light to 1 dark.
            shade: how much darker the side away from the light is.
        """
        fixed = _fixed(outline)
        tone = max(0.0, tone + self._offsets[material])
        self.outlines.fill(outline, value=0)
        cv2.fillPoly(self._material, [fixed], int(material), cv2.LINE_8, _SHIFT)
        cv2.fillPoly(self._tone, [fixed], _level(tone + shade), cv2.LINE_8, _SHIFT)
        if shade:
            centre = outline.mean(axis=0)
            extent = np.ptp(outline, axis=0)
            lit = centre + (outline - centre) * (0.72, 0.92) + extent * (self._light * 0.12, -0.03)
            cv2.fillPoly(self._tone, [_fixed(lit)], _level(tone), cv2.LINE_8, _SHIFT)

    def shape(
        self, outline: Points, material: Material, tone: float, *, shade: float = 0.25, width: float = 1.0
    ) -> None:
        """Lays a shape with a contour over what is there; `width` is the contour's, relative to `line_width`."""
        self.fill(outline, material, tone, shade=shade)
        self.outlines.line(outline, width=self.line_width * width, closed=True)
        if shade and self._num_folds:
            self._fold(outline)

    def _fold(self, outline: Points) -> None:
        """Lines that follow a part of the contour inside it, as folds and ripples do."""
        extent = np.ptp(outline, axis=0)
        if extent.min() < _MIN_FOLDED or extent.max() > 0.7 * self.size:
            return
        centre = outline.mean(axis=0)
        for _ in range(self._num_folds):
            first = int(self.rng.integers(len(outline)))
            part = np.roll(outline, -first, axis=0)[: max(2, len(outline) // 3)]
            self.outlines.line(centre + (part - centre) * self.rng.uniform(0.3, 0.85), width=0.6 * self.line_width)

    def line(self, path: Points, *, width: float = 1.0) -> None:
        """Draws a contour along the path, `width` times `line_width` wide."""
        self.outlines.line(path, width=self.line_width * width)

    def tones(self) -> Floats:
        """f32 [height, width] in [0, 1], how dark the picture is."""
        return self._tone.astype(np.float32) * np.float32(1 / 255)

    def materials(self) -> Pixels:
        """u8 [height, width], of what `Material` each place is."""
        return self._material


@dataclass(frozen=True, kw_only=True, slots=True)
class Spot:
    """Where a motif stands: its own coordinates are heights of the motif, y down, (0, 0) at its foot.

    Attributes:
        x: of the foot, in page pixels.
        y: of the foot, in page pixels.
        size: page pixels per unit.
        is_mirrored: whether x runs to the left.
    """

    x: float
    y: float
    size: float
    is_mirrored: bool = False

    def path(self, *pairs: tuple[float, float]) -> Points:
        """[n, 2] the motif's points on the page."""
        return self.placed(points(*pairs))

    def placed(self, outline: Points) -> Points:
        """[n, 2] the motif's points, given as an array, on the page."""
        return placed(outline, self.x, self.y, self.size, mirrored=self.is_mirrored)

    def point(self, x: float, y: float) -> tuple[float, float]:
        """One of the motif's points on the page."""
        return self.x + (-x if self.is_mirrored else x) * self.size, self.y + y * self.size


def _level(tone: float) -> int:
    return round(255 * min(1.0, max(0.0, tone)))


def _fixed(outline: Points) -> np.ndarray[tuple[int, int], np.dtype[np.int32]]:
    return np.round((outline - 0.5) * (1 << _SHIFT)).astype(np.int32)
