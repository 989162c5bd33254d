"""Bends a page as curling leaves and tilted cameras do, and tells where things on it end up.

A warp says for each pixel of the bent page where it comes from. It is smooth, so it is computed on a coarse grid.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from farthing.documents.synthetic.drawing import VISIBLE_ALPHA, Floats, Pixels
from farthing.documents.synthetic.layers import Rect

_CELL = 16  # pixels between the points of the coarse grid
_LEVEL = round(255 * VISIBLE_ALPHA)


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class Warp:
    """Where each pixel comes from.

    Attributes:
        x: f32 [height, width], column before.
        y: f32 [height, width], row before.
    """

    x: Floats
    y: Floats

    def bend(self, page: Pixels) -> Pixels:
        """u8 of the same shape, the bent page; beyond its edge its outermost pixels go on."""
        return np.asarray(cv2.remap(page, self.x, self.y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8)

    def bounds(self, alpha: Floats, place: Rect) -> tuple[float, float, float, float] | None:
        """The box (x0, y0, x1, y1) of what is visible of a drawing once it is bent; None if nothing is.

        Args:
            alpha: f32 [h, w] in [0, 1].
            place: where it lies on the page before; as large as alpha.
        """
        window = self._window(place)
        if window is None:
            return None
        rows, columns = window
        mask = np.asarray(np.round(alpha * 255), np.uint8)
        x, y = self.x[rows, columns] - np.float32(place.x0), self.y[rows, columns] - np.float32(place.y0)
        bent = cv2.remap(mask, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0) > _LEVEL
        found_rows, found_columns = np.flatnonzero(bent.any(axis=1)), np.flatnonzero(bent.any(axis=0))
        if not found_rows.size:
            return None
        return (
            float(columns.start + found_columns[0]),
            float(rows.start + found_rows[0]),
            float(columns.start + found_columns[-1] + 1),
            float(rows.start + found_rows[-1] + 1),
        )

    def _window(self, place: Rect) -> tuple[slice, slice] | None:
        """Rows and columns of the bent page that may show what was at a place."""
        x, y = self.x[::_CELL, ::_CELL], self.y[::_CELL, ::_CELL]
        reach = 1.5 * _CELL
        near = (x > place.x0 - reach) & (x < place.x1 + reach) & (y > place.y0 - reach) & (y < place.y1 + reach)
        rows, columns = np.flatnonzero(near.any(axis=1)), np.flatnonzero(near.any(axis=0))
        if not rows.size:
            return None
        height, width = self.x.shape
        return (
            slice(max(0, (rows[0] - 1) * _CELL), min(height, (rows[-1] + 2) * _CELL)),
            slice(max(0, (columns[0] - 1) * _CELL), min(width, (columns[-1] + 2) * _CELL)),
        )


def sample_warp(rng: np.random.Generator, width: int, height: int) -> Warp:
    """A rotation, a perspective and a curl, each often near nothing.

    Args:
        rng: draws them.
        width: of the page image, in pixels.
        height: of the page image, in pixels.
    """
    columns, rows = -(-width // _CELL) + 1, -(-height // _CELL) + 1
    u = np.linspace(0, columns - 1, columns, dtype=np.float64)[None] * _CELL / width - 0.5
    v = np.linspace(0, rows - 1, rows, dtype=np.float64)[:, None] * _CELL / height - 0.5
    x, y = _curl(rng, u, v)
    x, y = _tilt(rng, x, y)
    angle = np.deg2rad(rng.normal(0, 4.0) if rng.random() < 0.06 else rng.normal(0, 0.9))
    px, py = x * width, y * height
    x = (np.cos(angle) * px - np.sin(angle) * py) + width / 2
    y = (np.sin(angle) * px + np.cos(angle) * py) + height / 2
    return Warp(x=_finer(x, width, height), y=_finer(y, width, height))


Grid = npt.NDArray[np.float64]


def _curl(rng: np.random.Generator, u: Grid, v: Grid) -> tuple[Grid, Grid]:
    """A leaf that rises from the table in one or two waves, stronger at one side."""
    x, y = u + 0 * v, v + 0 * u
    if rng.random() < 0.55:
        return x, y
    wave = np.sin(np.pi * (u * rng.uniform(0.6, 1.8) + rng.uniform(0, 2)))
    y = y + rng.normal(0, 0.008) * wave * (1 + rng.uniform(-1, 1) * 2 * v)
    x = x + rng.normal(0, 0.006) * np.sin(np.pi * (v * rng.uniform(0.5, 1.5) + rng.uniform(0, 2)))
    side = float(rng.choice([-1.0, 1.0]))
    depth = np.clip(side * u + 0.5, 0, 1) ** rng.uniform(3, 9)
    if rng.random() < 0.4:  # towards the spine lines bend and letters get narrower
        y = y + rng.normal(0, 0.02) * depth
        x = x + side * rng.uniform(0, 0.03) * depth
    return x, y


def _tilt(rng: np.random.Generator, x: Grid, y: Grid) -> tuple[Grid, Grid]:
    if rng.random() < 0.5:
        return x, y
    scale = 1 + rng.normal(0, 0.02) * x + rng.normal(0, 0.02) * y
    return x / scale, y / scale


def _finer(grid: Grid, width: int, height: int) -> Floats:
    """f32 [height, width] from values every _CELL pixels, linear between."""
    rows, columns = grid.shape
    size = (columns - 1) * _CELL + 1, (rows - 1) * _CELL + 1
    # warpAffine puts grid point i at pixel i * _CELL exactly; resize would align the cells' edges instead.
    matrix = np.array([[1 / _CELL, 0, 0], [0, 1 / _CELL, 0]])
    fine = cv2.warpAffine(
        grid.astype(np.float32),
        matrix,
        size,
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.ascontiguousarray(fine[:height, :width], dtype=np.float32)
