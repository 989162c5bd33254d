from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.documents.synthetic.strokes import (
    Canvas,
    curve,
    ellipse,
    placed,
    points,
    rectangle,
    spiral,
    sweep,
    turned,
)


@pytest.mark.parametrize("scale", [1, 2, 3])
def test_a_filled_rectangle_covers_its_area_and_its_place(scale: int) -> None:
    canvas = Canvas(30, 20, scale=scale)
    canvas.fill(rectangle(5, 4, 21, 14))
    ink = canvas.ink()
    assert ink.shape == (20, 30)
    assert ink[5:13, 6:20].min() == 1
    assert ink[:3].max() == 0
    assert ink[:, 23:].max() == 0
    assert ink.sum() == pytest.approx(160, rel=0.25)  # an edge is up to a pixel soft


@pytest.mark.parametrize("width", [0.25, 0.5, 1.0, 2.0, 4.0])
def test_a_line_takes_ink_by_its_width(width: float) -> None:
    canvas = Canvas(60, 40)
    canvas.line(points((10, 20), (50, 20)), width=width)
    taken = canvas.ink()[:, 20:40].sum() / 20
    assert width - 0.05 <= taken <= width + 0.55  # half a page pixel is a drawn one


def test_a_shape_of_value_zero_wipes() -> None:
    canvas = Canvas(20, 20)
    canvas.fill(rectangle(2, 2, 18, 18))
    canvas.fill(rectangle(6, 6, 14, 14), value=0)
    assert canvas.ink()[8:12, 8:12].max() == 0
    assert canvas.ink()[3, 10] == 1


def test_shapes_that_overlap_stay_filled() -> None:
    canvas = Canvas(20, 20)
    canvas.fill_each([rectangle(2, 2, 12, 12), rectangle(6, 6, 18, 18)])
    assert canvas.ink()[8:11, 8:11].min() == 1


def test_nothing_to_draw_draws_nothing() -> None:
    canvas = Canvas(8, 8)
    canvas.fill_each([])
    assert canvas.ink().sum() == 0


def test_a_nib_is_broad_across_its_edge_and_thin_along_it() -> None:
    across, along = Canvas(60, 60), Canvas(60, 60)
    across.pen([points((30, 10), (30, 50))], nib=(8, 0))
    along.pen([points((10, 30), (50, 30))], nib=(8, 0))
    assert across.ink()[30].sum() == pytest.approx(8, abs=1.5)
    assert along.ink()[:, 30].sum() < 2


@given(num=st.integers(2, 9), closed=st.booleans())
def test_a_curve_goes_through_its_points(num: int, closed: bool) -> None:
    through = np.random.default_rng(num).uniform(0, 100, (num, 2))
    path = curve(through, closed=closed)
    for point in through:
        assert np.abs(path - point).sum(axis=1).min() < 1e-9


@given(x=st.floats(-50, 50), y=st.floats(-50, 50), rx=st.floats(0.5, 90), ry=st.floats(0.5, 90))
def test_an_ellipse_lies_on_its_equation(x: float, y: float, rx: float, ry: float) -> None:
    path = ellipse(x, y, rx, ry)
    np.testing.assert_allclose(((path - (x, y)) ** 2 / (rx**2, ry**2)).sum(axis=1), 1, rtol=1e-6)


def test_a_spiral_shrinks_from_its_radius() -> None:
    path = spiral(3, 4, 10, turns=-2, start=0.5, inner=0.2)
    length = np.hypot(*(path - (3, 4)).T)
    assert length[0] == pytest.approx(10)
    assert length[-1] == pytest.approx(2)
    assert (np.diff(length) < 0).all()


def test_a_swept_line_is_as_wide_as_told() -> None:
    outline = sweep(points((0, 0), (10, 0), (20, 0)), np.array([2.0, 4.0, 6.0]))
    assert sorted(outline[:, 1]) == [-3, -2, -1, 1, 2, 3]


@given(angle=st.floats(-7, 7))
def test_turning_keeps_distances_and_turns_clockwise(angle: float) -> None:
    path = points((1, 0), (4, 2))
    rotated = turned(path, angle, around=(1, 0))
    np.testing.assert_allclose(rotated[0], (1, 0), atol=1e-9)
    assert np.hypot(*(rotated[1] - rotated[0])) == pytest.approx(np.hypot(3, 2))
    np.testing.assert_allclose(turned(points((1, 0)), np.pi / 2), [[0, 1]], atol=1e-9)


def test_placing_scales_mirrors_and_moves() -> None:
    np.testing.assert_array_equal(placed(points((1, 2)), 10, 20, 3, mirrored=True), [[7, 26]])
