"""Measuring pages whose look is known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from farthing.documents.synthetic.drawing import Colour, Pixels
from farthing.documents.synthetic.measure import grain_of, measure_page, paper_tile, reduced, shading

PAPER, INK, GROUND = (232, 220, 196), (40, 32, 28), (20, 22, 25)


def _page(
    *, pitch: int = 12, columns: int = 1, border: int = 0, paper: Colour = PAPER, ink: Colour = INK
) -> tuple[Pixels, npt.NDArray[np.int64]]:
    """A page of 600 x 420 with words in lines of 5 pixels, and the corners of its text."""
    rng = np.random.default_rng(pitch + columns)
    page = np.empty((600, 420, 3), np.uint8)
    page[:] = GROUND
    page[:, border:] = paper
    page[:] = np.clip(page + rng.normal(0, 1.5, page.shape), 0, 255).astype(np.uint8) if paper[0] < 250 else page
    left, right, top, bottom = border + 50, 370, 80, 500
    width = (right - left - 20 * (columns - 1)) / columns
    for column in range(columns):
        start = round(left + column * (width + 20))
        for y in range(top, bottom, pitch):
            x = start
            while x < start + width - 8:
                end = min(x + int(rng.integers(6, 30)), round(start + width))
                page[y : y + 5, x:end:2] = ink
                x = end + 5
    return page, np.array([left, top, right, bottom])


@pytest.mark.parametrize("pitch", [9, 12, 17])
@pytest.mark.parametrize("columns", [1, 2, 3])
def test_a_page_of_lines_is_measured(pitch: int, columns: int) -> None:
    page, (left, top, right, bottom) = _page(pitch=pitch, columns=columns)
    look = measure_page(page)
    assert look.capture == "colour"
    assert np.abs(np.subtract(look.paper, PAPER)).max() <= 3
    assert np.abs(np.subtract(look.ink, INK)).max() <= 12
    assert look.columns == columns
    assert look.pitch == pytest.approx(pitch / 600, rel=0.03)
    assert look.x_height == pytest.approx(5 / 600, rel=0.35)
    assert look.margins is not None
    wanted = (left / 420, top / 600, 1 - right / 420, 1 - bottom / 600)
    assert np.abs(np.subtract(look.margins, wanted)).max() < 0.04
    assert max(look.borders) == 0
    assert look.ground is None
    assert look.aspect == pytest.approx(600 / 420)


def test_a_dark_border_is_measured() -> None:
    look = measure_page(_page(border=30)[0])
    assert look.borders[0] == pytest.approx(30 / 420, abs=0.01)
    assert max(look.borders[1:]) == 0
    assert look.ground is not None
    assert np.abs(np.subtract(look.ground, GROUND)).max() <= 4


def test_black_on_white_is_bitonal_and_grey_is_grey() -> None:
    assert measure_page(_page(paper=(255, 255, 255), ink=(0, 0, 0))[0]).capture == "bitonal"
    assert measure_page(_page(paper=(200, 200, 200), ink=(50, 50, 50))[0]).capture in ("grey", "colour")
    grey = np.repeat(_page(paper=(200, 200, 200), ink=(50, 50, 50))[0][..., :1], 3, axis=2)
    assert measure_page(grey).capture == "grey"


def test_a_blank_page_has_no_text() -> None:
    blank = np.full((300, 200, 3), PAPER, np.uint8)
    look = measure_page(blank)
    assert look.margins is None
    assert look.pitch is None
    assert look.columns == 1
    assert look.paper == PAPER


@pytest.mark.parametrize("tone", [0, 255])
def test_a_page_of_one_tone_is_measured_without_harm(tone: int) -> None:
    look = measure_page(np.full((64, 64, 3), tone, np.uint8))
    assert look.paper == (tone, tone, tone)


def test_large_pages_are_reduced_first() -> None:
    page = _page()[0]
    large = np.kron(page, np.ones((3, 3, 1), np.uint8))
    assert max(reduced(large).shape) == 640
    assert measure_page(large).pitch == pytest.approx(12 / 600, rel=0.03)


def test_a_tile_is_bare_paper() -> None:
    page = _page()[0]
    look = measure_page(page)
    tile = paper_tile(page, look)
    assert tile is not None
    assert tile.shape[0] == tile.shape[1] >= 24
    assert np.abs(tile.astype(int) - PAPER).max() < 20
    assert abs(float(grain_of(tile).mean())) < 0.5


def test_a_page_full_of_pictures_has_no_tile() -> None:
    page = np.random.default_rng(0).integers(0, 255, (200, 150, 3)).astype(np.uint8)
    assert paper_tile(page, measure_page(page)) is None


def test_light_that_falls_off_is_seen() -> None:
    page = _page()[0]
    light = np.linspace(0.9, 1.08, 600)[:, None, None]
    dim = np.clip(page * light, 0, 255).astype(np.uint8)
    shade = shading(dim, measure_page(dim))
    assert shade.shape == (24, 18)
    assert shade[-3:].mean() - shade[:3].mean() == pytest.approx(0.18, abs=0.05)
    flat = shading(page, measure_page(page))
    assert np.ptp(flat) < 0.04
