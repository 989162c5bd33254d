"""Names beside marks that do not cover each other."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

_HEIGHT_PX = 15


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark with its error bar, in the units of the axes.

    Attributes:
        name: what is written beside it.
        x, y: its centre.
        low, high: the ends of its error bar in y.
    """

    name: str
    x: float
    low: float
    y: float
    high: float


def place_names(
    figure: Figure, axes: Axes, marks: Sequence[Mark], *, line: Sequence[tuple[float, float]], color: str
) -> None:
    """Writes each name at that place around its mark where it covers the least of what is there, or of the outside.

    Marks are served from the top down. The places are beside, above and below the mark, near ones first, so that a name
    which covers nothing is as near as it can be.

    Args:
        figure: holds the axes, whose limits are final.
        axes: where the marks are.
        marks: what is named.
        line: corners of a line that names should keep off, in the units of the axes.
        color: of the names.
    """
    figure.draw_without_rendering()
    inside = axes.get_window_extent()
    taken = [_mark_box(axes, mark) for mark in marks] + _line_boxes(axes, line)
    for mark in sorted(marks, key=lambda mark: -mark.y):
        text = axes.annotate(
            mark.name,
            (mark.x, mark.y),
            xytext=(0, 0),
            textcoords="offset points",
            color=color,
            ha="center",
            va="center",
        )
        width = text.get_window_extent().width
        x, y = axes.transData.transform((mark.x, mark.y))
        places = _places(width / 2)
        boxes = [Bbox.from_bounds(x + dx - width / 2, y + dy - _HEIGHT_PX / 2, width, _HEIGHT_PX) for dx, dy in places]
        covered = [_outside(box, inside) + sum(_overlap(box, other) for other in taken) for box in boxes]
        best = covered.index(min(covered))
        text.xyann = places[best]
        taken.append(boxes[best])


def _places(half: float) -> list[tuple[float, float]]:
    """Offsets in px of a name's centre from its mark, for a name of half that width."""
    beside = [(side * (half + reach), rise) for reach in (10, 22) for rise in (0, 12, -12, 24, -24) for side in (1, -1)]
    around: list[tuple[float, float]] = [
        (side, rise) for rise in (17, -17, 31, -31, 45, -45) for side in (0, half, -half)
    ]
    return beside[:2] + around[:6] + beside[2:] + around[6:]


def _mark_box(axes: Axes, mark: Mark) -> Bbox:
    (x, low), (_, high) = axes.transData.transform([(mark.x, mark.low), (mark.x, mark.high)])
    return Bbox.from_extents(x - 7, low - 7, x + 7, high + 7)


def _line_boxes(axes: Axes, line: Sequence[tuple[float, float]]) -> list[Bbox]:
    """Small boxes along a line, 4 px apart at most."""
    corners = [axes.transData.transform(corner) for corner in line]
    boxes = []
    for start, end in itertools.pairwise(corners):
        steps = int(np.abs(end - start).max() / 4) + 1
        boxes += [Bbox.from_bounds(x - 2, y - 2, 4, 4) for x, y in np.linspace(start, end, steps)]
    return boxes


def _overlap(box: Bbox, other: Bbox) -> float:
    common = Bbox.intersection(box, other)
    return 0.0 if common is None else float(common.width * common.height)


def _outside(box: Bbox, inside: Bbox) -> float:
    return float(box.width * box.height) - _overlap(box, inside)
