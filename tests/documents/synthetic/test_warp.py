"""Bent pages, and boxes on them against a slow reference: bend a page-sized mask and look where it is."""

from __future__ import annotations

import numpy as np
import pytest

from farthing.documents.synthetic.drawing import VISIBLE_ALPHA, Floats
from farthing.documents.synthetic.layers import Rect
from farthing.documents.synthetic.warp import Warp, sample_warp

WIDTH, HEIGHT = 211, 303


def _identity() -> Warp:
    x, y = np.meshgrid(np.arange(WIDTH, dtype=np.float32), np.arange(HEIGHT, dtype=np.float32))
    return Warp(x=x, y=y)


def _slow_bounds(warp: Warp, alpha: Floats, place: Rect) -> tuple[int, int, int, int] | None:
    page = np.zeros((HEIGHT, WIDTH), np.uint8)
    y, x = int(place.y0), int(place.x0)
    page[y : y + alpha.shape[0], x : x + alpha.shape[1]] = np.round(alpha * 255).astype(np.uint8)
    bent = warp.bend(page) > round(255 * VISIBLE_ALPHA)
    if not bent.any():
        return None
    rows, columns = np.flatnonzero(bent.any(axis=1)), np.flatnonzero(bent.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


@pytest.mark.parametrize("seed", range(25))
def test_boxes_are_those_of_a_bent_mask(seed: int) -> None:
    rng = np.random.default_rng(seed)
    warp = sample_warp(rng, WIDTH, HEIGHT)
    width, height = int(rng.integers(6, 90)), int(rng.integers(6, 90))
    x0, y0 = int(rng.integers(2, WIDTH - width - 2)), int(rng.integers(2, HEIGHT - height - 2))
    alpha = (rng.random((height, width), dtype=np.float32) < 0.3).astype(np.float32) * np.float32(0.9)
    place = Rect(x0, y0, x0 + width, y0 + height)
    assert warp.bounds(alpha, place) == _slow_bounds(warp, alpha, place)


def test_nothing_moves_without_a_bend() -> None:
    alpha = np.zeros((20, 30), np.float32)
    alpha[4:15, 7:22] = 0.5
    assert _identity().bounds(alpha, Rect(50, 60, 80, 80)) == (57.0, 64.0, 72.0, 75.0)


def test_what_is_faint_or_elsewhere_has_no_box() -> None:
    faint = np.full((20, 30), 0.1, np.float32)
    assert _identity().bounds(faint, Rect(50, 60, 80, 80)) is None
    assert _identity().bounds(np.ones((20, 30), np.float32), Rect(900, 60, 930, 80)) is None


def test_the_map_is_smooth_and_stays_near_its_page() -> None:
    for seed in range(20):
        warp = sample_warp(np.random.default_rng(seed), WIDTH, HEIGHT)
        assert warp.x.shape == warp.y.shape == (HEIGHT, WIDTH)
        assert np.abs(np.diff(warp.x, axis=1) - 1).max() < 0.5
        assert np.abs(np.diff(warp.y, axis=0) - 1).max() < 0.5


def test_the_finer_map_meets_the_coarse_one() -> None:
    # A rotation alone is linear, so that it must be exact between the grid's points too.
    rng = np.random.default_rng(3)
    warp = sample_warp(rng, WIDTH, HEIGHT)
    second = np.abs(np.diff(warp.x[:, :], n=2, axis=1))
    assert second.max() < 0.5
