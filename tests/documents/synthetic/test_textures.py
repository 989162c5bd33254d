from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.documents.synthetic.textures import (
    blur,
    grain,
    halftone,
    hatching,
    rough_noise,
    smooth_noise,
    unit_grid,
    worn,
)

_SIDES = st.integers(1, 60)


@given(width=_SIDES, height=_SIDES, cell=st.floats(1, 80), seed=st.integers(0, 99))
def test_noise_fills_the_shape_within_its_range(width: int, height: int, cell: float, seed: int) -> None:
    for noise in (smooth_noise, rough_noise, grain):
        field = noise(np.random.default_rng(seed), width, height, cell)
        assert field.shape == (height, width)
        assert field.dtype == np.float32
        assert field.min() >= 0
        assert field.max() <= 1.0001


def test_noise_of_larger_cells_is_smoother() -> None:
    fine, coarse = (smooth_noise(np.random.default_rng(0), 200, 200, cell) for cell in (4, 40))
    assert np.abs(np.diff(fine)).mean() > 4 * np.abs(np.diff(coarse)).mean()


@pytest.mark.parametrize("tone", [0.0, 0.2, 0.5, 0.8, 1.0])
@pytest.mark.parametrize("angle", [0.0, 0.4, 2.0])
def test_hatching_keeps_the_tone(tone: float, angle: float) -> None:
    field = np.full((160, 160), tone, np.float32)
    ink = hatching(np.random.default_rng(0), field, period=5.0, angle=angle)
    # Between the darkest lines a soft edge stays.
    assert ink.mean() == pytest.approx(tone, abs=0.06 if tone < 1 else 0.12)
    assert ink.dtype == np.float32


def test_hatching_runs_along_its_angle() -> None:
    field = np.full((60, 60), 0.5, np.float32)
    level = hatching(np.random.default_rng(0), field, period=6.0, angle=0.0)
    assert np.ptp(level, axis=1).max() < 1e-6
    everywhere = np.full(field.shape, np.pi / 2, np.float32)
    upright = hatching(np.random.default_rng(0), field, period=6.0, angle=everywhere)
    assert np.ptp(upright, axis=0).max() < 1e-3
    assert np.ptp(upright, axis=1).min() > 0.9


@pytest.mark.parametrize("tone", [0.0, 0.25, 0.5, 0.75, 1.0])
def test_halftone_is_darker_where_the_tone_is(tone: float) -> None:
    dots = halftone(np.full((120, 120), tone, np.float32), period=4.0, angle=0.5)
    assert dots.mean() == pytest.approx(tone, abs=0.08)


def test_a_blur_keeps_the_mean_and_a_small_one_the_field() -> None:
    field = smooth_noise(np.random.default_rng(1), 50, 40, 5)
    assert blur(field, 0.1) is field
    assert blur(field, 3).std() < field.std()
    assert blur(field, 3).mean() == pytest.approx(field.mean(), abs=0.03)


def test_wear_only_takes_ink() -> None:
    ink = np.full((80, 90), 0.8, np.float32)
    assert worn(np.random.default_rng(0), ink, 0) is ink
    left = [worn(np.random.default_rng(0), ink, amount).mean() for amount in (0.2, 0.5, 0.9)]
    assert ink.mean() >= left[0] > left[1] > left[2] > 0


def test_the_unit_grid_is_symmetrical() -> None:
    x, y = unit_grid(4, 2)
    np.testing.assert_allclose(x, [[-0.75, -0.25, 0.25, 0.75]])
    np.testing.assert_allclose(y, [[-0.5], [0.5]])
