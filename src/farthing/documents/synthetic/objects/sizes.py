"""How large objects are, as fractions of the page or of the column they stand in."""

from __future__ import annotations

import numpy as np

from farthing.documents.synthetic.drawing import SampleSize

Range = tuple[float, float]

_MIN_SIDE = 8


def of_page(width: Range, height: Range) -> SampleSize:
    """Sides drawn apart from each other, as fractions of the sides of the page."""

    def sample(rng: np.random.Generator, page_width: int, page_height: int, column_width: int) -> tuple[int, int]:
        del column_width
        return _sides(rng.uniform(*width) * page_width, rng.uniform(*height) * page_height)

    return sample


def of_column(width: Range, aspect: Range, *, max_height: float = 0.8) -> SampleSize:
    """A width as a fraction of the column's, and a height of `aspect` times it, log-uniform.

    Args:
        width: fraction of the column's width.
        aspect: height / width.
        max_height: fraction of the page's height that the height is cut at.
    """

    def sample(rng: np.random.Generator, page_width: int, page_height: int, column_width: int) -> tuple[int, int]:
        del page_width
        side = rng.uniform(*width) * column_width
        height = side * np.exp(rng.uniform(*np.log(aspect)))
        return _sides(side, min(height, max_height * page_height))

    return sample


def of_height(height: Range, aspect: Range) -> SampleSize:
    """A height as a fraction of the page's, log-uniform, and a width of `aspect` times it."""

    def sample(rng: np.random.Generator, page_width: int, page_height: int, column_width: int) -> tuple[int, int]:
        del column_width
        side = np.exp(rng.uniform(*np.log(height))) * page_height
        return _sides(min(side * np.exp(rng.uniform(*np.log(aspect))), 0.95 * page_width), side)

    return sample


def _sides(width: float, height: float) -> tuple[int, int]:
    return max(_MIN_SIDE, round(width)), max(_MIN_SIDE, round(height))
