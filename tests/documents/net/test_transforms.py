from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from farthing.documents.net.transforms import canvas_of, normalise, resize, to_batch, to_grey


@given(st.integers(1, 90), st.integers(1, 90), st.integers(32, 96))
def test_the_long_side_is_as_asked_and_proportions_stay(height: int, width: int, long_side: int) -> None:
    small = resize(np.zeros((height, width), np.uint8), long_side)
    assert max(small.shape) == long_side
    assert small.shape[1] == pytest.approx(width * long_side / max(height, width), abs=0.5 + 0.5 * (width < height))


def test_grey_is_luminance() -> None:
    page = np.zeros((4, 4, 3), np.uint8)
    page[:, :2] = (255, 0, 0)
    page[:, 2:] = (0, 255, 0)
    assert to_grey(page, 4)[0].tolist() == [76, 76, 150, 150]


@pytest.mark.parametrize(("side", "canvas"), [(1, 32), (32, 32), (33, 64)])
def test_a_canvas_is_a_multiple_of_32(side: int, canvas: int) -> None:
    assert canvas_of(side, 64) == (canvas, 64)


def test_a_page_lies_top_left_on_its_canvas() -> None:
    images, inside = to_batch([np.full((40, 20), 255, np.uint8), np.full((30, 30), 51, np.uint8)])
    assert images.shape == inside.shape == (2, 1, 64, 32)
    assert inside.sum((1, 2, 3)).tolist() == [800, 900]
    assert images[1][inside[1]].unique().tolist() == pytest.approx([0.2])
    assert images[0, 0, 40:].max() == 0


def test_normalise_by_hand() -> None:
    images = torch.tensor([[[[0.2, 0.6], [0.2, 0.6], [9.0, 9.0]]]])
    inside = torch.tensor([[[[True, True], [True, True], [False, False]]]])
    out = normalise(images, inside)
    torch.testing.assert_close(out, torch.tensor([[[[-1.0, 1.0], [-1.0, 1.0], [0.0, 0.0]]]]))


@given(st.floats(0.3, 1.0), st.floats(0.0, 0.3))
def test_normalise_forgets_exposure_and_contrast(gain: float, shift: float) -> None:
    page = torch.rand(1, 1, 16, 16, generator=torch.Generator().manual_seed(0))
    inside = torch.ones_like(page, dtype=torch.bool)
    torch.testing.assert_close(normalise(page * gain + shift, inside), normalise(page, inside), rtol=1e-3, atol=1e-4)


def test_a_blank_page_stays_quiet() -> None:
    page = 0.8 + 0.002 * torch.randn(1, 1, 32, 32)
    assert normalise(page, torch.ones_like(page, dtype=torch.bool)).abs().max() < 0.2
