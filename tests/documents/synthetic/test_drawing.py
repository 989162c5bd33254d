from __future__ import annotations

import numpy as np
import pytest

from farthing.documents.synthetic.drawing import Drawing, clipped, from_ink


def _drawing(alpha: np.ndarray[tuple[int, int], np.dtype[np.float32]]) -> Drawing:
    return Drawing(color=np.zeros((*alpha.shape, 3), np.uint8), alpha=alpha)


@pytest.mark.parametrize(
    ("marks", "bounds"),
    [
        ([(2, 3)], (3, 2, 4, 3)),
        ([(0, 0), (4, 6)], (0, 0, 7, 5)),
        ([(1, 5), (3, 2)], (2, 1, 6, 4)),
    ],
)
def test_bounds_enclose_what_can_be_seen(marks: list[tuple[int, int]], bounds: tuple[int, int, int, int]) -> None:
    alpha = np.full((5, 7), 0.15, np.float32)  # not seen: the limit itself
    for row, column in marks:
        alpha[row, column] = 0.16
    assert _drawing(alpha).bounds() == bounds


def test_what_is_faint_has_no_bounds() -> None:
    assert _drawing(np.full((5, 7), 0.1, np.float32)).bounds() is None


def test_ink_becomes_coverage_in_one_colour() -> None:
    drawing = from_ink(np.array([[-0.5, 0.25], [0.75, 2.0]], np.float32), (10, 20, 30))
    np.testing.assert_array_equal(drawing.alpha, np.array([[0, 0.25], [0.75, 1]], np.float32))
    np.testing.assert_array_equal(drawing.color, np.broadcast_to(np.array([10, 20, 30], np.uint8), (2, 2, 3)))


def test_clipping_keeps_the_type_and_what_is_in_range() -> None:
    field = np.array([-1, 0, 0.3, 1, 7], np.float32)
    assert clipped(field).dtype == np.float32
    np.testing.assert_array_equal(clipped(field), np.array([0, 0, 0.3, 1, 1], np.float32))
