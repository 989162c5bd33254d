"""What happens to page images on their way into a file."""

from __future__ import annotations

import numpy as np
import pytest

from farthing.documents.synthetic.degrade import DEGRADATIONS, bitonal, degrade, film
from farthing.documents.synthetic.drawing import Pixels
from farthing.documents.synthetic.style import CAPTURES, Capture


def _page() -> Pixels:
    page = np.full((160, 120, 3), (225, 215, 190), np.uint8)
    page[20:140:8, 15:105] = (45, 35, 30)
    return page


@pytest.mark.parametrize("name", DEGRADATIONS)
@pytest.mark.parametrize("is_grey", [False, True])
def test_each_changes_a_page_and_repeats_itself(name: str, is_grey: bool) -> None:
    function, share = DEGRADATIONS[name]
    page = _page()[..., 0] if is_grey else _page()
    before = page.copy()
    made = function(np.random.default_rng(2), page)
    assert 0 < share < 1
    assert made.shape == page.shape
    assert made.dtype == np.uint8
    assert np.array_equal(page, before), "the page that was given is left as it was"
    assert np.array_equal(made, function(np.random.default_rng(2), page))
    assert np.array_equal(made, page) == (is_grey and name == "colour_cast")


@pytest.mark.parametrize("capture", CAPTURES)
def test_every_capture_gives_three_channels(capture: Capture) -> None:
    page = _page() if capture == "colour" else _page()[..., 1]
    for seed in range(10):
        made = degrade(np.random.default_rng(seed), page, capture)
        assert made.shape == (160, 120, 3)
        assert (capture == "colour") == bool(np.ptp(made.astype(int), axis=2).max() > 8)


def test_tones_can_be_kept() -> None:
    page = _page()
    for seed in range(20):
        made = degrade(np.random.default_rng(seed), page, "colour", keeps_tones=True)
        assert np.abs(np.median(made.reshape(-1, 3), axis=0) - (225, 215, 190)).max() <= 4


@pytest.mark.parametrize("seed", range(20))
def test_a_bitonal_page_is_white_paper_and_black_lines(seed: int) -> None:
    made = bitonal(np.random.default_rng(seed), _page())
    assert made.ndim == 2
    assert np.median(made[4:16]) == 255
    assert made[20:140:8, 20:100].mean() < 200


@pytest.mark.parametrize("seed", range(20))
def test_blank_pages_stay_white_when_they_become_bitonal(seed: int) -> None:
    blank = np.full((160, 120, 3), (205, 195, 170), np.uint8)
    assert bitonal(np.random.default_rng(seed), blank).mean() > 235


def test_film_keeps_lines_darker_than_paper() -> None:
    for seed in range(20):
        made = film(np.random.default_rng(seed), _page())
        assert made[20:140:8, 20:100].mean() < made[24:144:8, 20:100].mean() - 40
