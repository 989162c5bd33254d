"""Ink on a sheet: curves as points, and the canvas that they are drawn on.

Points are f64 [n, 2] (x, y) in page pixels, x to the right, y down.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate

import cv2
import numpy as np
import numpy.typing as npt

from farthing.documents.synthetic.drawing import Floats

Points = npt.NDArray[np.float64]

_SHIFT = 3  # fractional bits of the coordinates that OpenCV is given
_PER_SEGMENT = 6


class Canvas:
    """A sheet that takes ink, drawn `scale` times finer than it is read, so that lines thinner than a pixel are grey.

    What is drawn later covers what was there: a shape with value 0 wipes.
    """

    def __init__(self, width: int, height: int, *, scale: int = 2) -> None:
        """An empty sheet.

        Args:
            width: in page pixels.
            height: in page pixels.
            scale: drawn pixels per page pixel, at least 1.
        """
        self.width, self.height, self._scale = width, height, scale
        self._plane = np.zeros((height * scale, width * scale), np.uint8)

    def line(self, points: Points, *, width: float = 1.0, value: float = 1.0, closed: bool = False) -> None:
        """Draws through the points.

        Args:
            points: two or more.
            width: in page pixels, up to a drawn pixel more; thinner than what can be drawn is drawn fainter.
            value: 0 paper to 1 ink.
            closed: back to the first point.
        """
        self.lines([points], width=width, value=value, closed=closed)

    def lines(self, paths: Sequence[Points], *, width: float = 1.0, value: float = 1.0, closed: bool = False) -> None:
        """Draws through each of several paths; the arguments are those of `line`."""
        drawn = width * self._scale
        cv2.polylines(
            self._plane,
            self._fixed(paths),
            isClosed=closed,
            color=round(255 * value * min(1.0, drawn)),
            thickness=max(1, round(drawn)),
            lineType=cv2.LINE_8,  # smoothed lines are wider than told by twice as much
            shift=_SHIFT,
        )

    def fill(self, points: Points, *, value: float = 1.0) -> None:
        """Fills the polygon with a value from 0 to 1."""
        self.fill_each([points], value=value)

    def fill_each(self, polygons: Iterable[Points], *, value: float = 1.0) -> None:
        """Fills polygons that may overlap; given to OpenCV together, it would leave the overlaps free."""
        for outline in self._fixed(list(polygons)):
            cv2.fillPoly(self._plane, [outline], round(255 * value), cv2.LINE_AA, _SHIFT)

    def pen(self, paths: Sequence[Points], *, nib: tuple[float, float], value: float = 1.0) -> None:
        """Draws with a broad nib, whose strokes are wide across it and thin along it.

        Args:
            paths: the way of the nib's middle.
            nib: (x, y) from one end of its edge to the other, in page pixels.
            value: 0 paper to 1 ink.
        """
        edge = np.asarray(nib)
        steps = max(2, int(np.ceil(float(np.hypot(*nib)) * self._scale)) + 1)
        for share in np.linspace(-0.5, 0.5, steps):
            self.lines([points + share * edge for points in paths], width=1 / self._scale, value=value)

    def ink(self) -> Floats:
        """f32 [height, width] in [0, 1], what was drawn."""
        plane = self._plane
        if self._scale > 1:
            plane = cv2.resize(plane, (self.width, self.height), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
        return plane.astype(np.float32) * np.float32(1 / 255)

    def _fixed(self, paths: Sequence[Points]) -> list[npt.NDArray[np.int32]]:
        """The points in OpenCV's fixed point, where a pixel's middle is at whole numbers; converted all at once."""
        if not paths:
            return []
        fixed = np.rint(np.concatenate(paths) * (self._scale << _SHIFT)).astype(np.int32) - (1 << (_SHIFT - 1))
        ends = list(accumulate(len(path) for path in paths))
        return [fixed[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def points(*pairs: tuple[float, float]) -> Points:
    """[n, 2] from pairs (x, y)."""
    return np.asarray(pairs, np.float64)


def curve(through: Points, *, closed: bool = False) -> Points:
    """[m, 2] a Catmull-Rom spline through [n, 2], six points to a piece."""
    if closed:
        padded = np.concatenate([through[-1:], through, through[:2]])
    else:
        padded = np.concatenate([2 * through[:1] - through[1:2], through, 2 * through[-1:] - through[-2:-1]])
    p0, p1, p2, p3 = (padded[i : len(padded) - 3 + i, None] for i in range(4))
    t = np.linspace(0, 1, _PER_SEGMENT, endpoint=False)[None, :, None]
    pieces = 0.5 * (
        2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2 + (3 * p1 - p0 - 3 * p2 + p3) * t**3
    )
    smooth: Points = pieces.reshape(-1, 2)
    return smooth if closed else np.concatenate([smooth, through[-1:]])


def ellipse(x: float, y: float, rx: float, ry: float, *, start: float = 0, end: float = 2 * np.pi) -> Points:
    """[n, 2] an arc around (x, y), angles in radians from the right, clockwise."""
    num = max(6, int((end - start) * (4 + 0.5 * np.sqrt(max(rx, ry)))))
    angles = np.linspace(start, end, num)
    return np.stack([x + rx * np.cos(angles), y + ry * np.sin(angles)], axis=1)


def rectangle(x0: float, y0: float, x1: float, y1: float) -> Points:
    """[4, 2] the corners."""
    return points((x0, y0), (x1, y0), (x1, y1), (x0, y1))


def spiral(x: float, y: float, radius: float, *, turns: float, start: float, inner: float = 0.1) -> Points:
    """[n, 2] from `radius` inwards to `inner` of it; negative turns wind the other way."""
    share = np.linspace(0, 1, max(8, int(14 * abs(turns))))
    angle = start + 2 * np.pi * turns * share
    length = radius * (1 + (inner - 1) * share)
    return np.stack([x + length * np.cos(angle), y + length * np.sin(angle)], axis=1)


def sweep(path: Points, widths: npt.NDArray[np.float64]) -> Points:
    """[2n, 2] the outline of a stroke along [n, 2] whose full width at each point is given, [n]."""
    direction = np.gradient(path, axis=0)
    length = np.maximum(np.hypot(direction[:, 0], direction[:, 1]), 1e-9)[:, None]
    normal = np.stack([-direction[:, 1], direction[:, 0]], axis=1) / length
    half = 0.5 * widths[:, None] * normal
    return np.concatenate([path + half, (path - half)[::-1]])


def turned(path: Points, angle: float, *, around: tuple[float, float] = (0, 0)) -> Points:
    """[n, 2] rotated clockwise by an angle in radians."""
    cos, sin = np.cos(angle), np.sin(angle)
    centre = np.asarray(around)
    rotated: Points = (path - centre) @ np.array([[cos, sin], [-sin, cos]]) + centre
    return rotated


def placed(path: Points, x: float, y: float, size: float, *, mirrored: bool = False) -> Points:
    """[n, 2] unit coordinates scaled by `size`, mirrored in x if asked, and moved to (x, y)."""
    scale = np.array([-size if mirrored else size, size])
    moved: Points = path * scale + np.array([x, y])
    return moved
