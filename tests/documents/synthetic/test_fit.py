"""Synthetic pages that take on the look of a collection."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from farthing.base.errors import DataError
from farthing.base.files import read_json, write_json
from farthing.documents.synthetic.config import SynthesisConfig
from farthing.documents.synthetic.drawing import Colour
from farthing.documents.synthetic.fit import CollectionLook, fit_collection, fit_pages
from farthing.documents.synthetic.write import make_page

BROWN = (200, 170, 120)
SMALL = SynthesisConfig(min_side=300, max_side=340, like_share=1.0)


def _write(folder: Path, count: int, *, paper: Colour = BROWN) -> Path:
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(count):
        page = np.empty((400, 300, 3), np.uint8)
        page[:] = np.clip(np.array(paper) + rng.normal(0, 2, (400, 300, 1)), 0, 255)
        for y in range(60, 340, 10):
            page[y : y + 4, 40:260:2] = np.array(paper) // 4
        cv2.imwrite(str(folder / f"{number}.png"), page[..., ::-1])
    return folder


def test_fitted_pages_have_the_paper_of_the_collection(tmp_path: Path) -> None:
    like = fit_collection(_write(tmp_path / "scans", 3))
    for number in range(6):
        pixels = make_page(0, number, SMALL, like=like).page.pixels
        assert pixels.shape[0] / pixels.shape[1] == pytest.approx(4 / 3, rel=0.1)
        assert np.abs(np.median(pixels[::4, ::4].reshape(-1, 3), axis=0) - BROWN).max() < 25


def test_a_fit_repeats_itself_and_its_numbers_travel_as_json(tmp_path: Path) -> None:
    scans = _write(tmp_path / "scans", 5)
    first, second = fit_collection(scans, max_pages=3, seed=1), fit_collection(scans, max_pages=3, seed=1)
    assert first.look == second.look
    assert (first.look.num_pages, len(first.pages)) == (5, 3)
    write_json(tmp_path / "look.json", first.look)
    assert read_json(tmp_path / "look.json", CollectionLook) == first.look
    assert "3 of 5 pages measured: 100% colour" in first.look.summary()


def test_unreadable_pages_are_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    scans = _write(tmp_path / "scans", 2)
    (scans / "broken.png").write_bytes(b"no image")
    assert len(fit_collection(scans).pages) == 2
    assert "left out" in caplog.text


def test_a_collection_without_pages_is_refused(tmp_path: Path) -> None:
    (tmp_path / "scans").mkdir()
    (tmp_path / "scans" / "broken.png").write_bytes(b"no image")
    with pytest.raises(DataError, match="no page can be measured"):
        fit_collection(tmp_path / "scans")


def test_pages_that_are_too_small_are_left_out() -> None:
    assert fit_pages([np.full((20, 300, 3), 255, np.uint8)]) == ()


def test_some_pages_follow_nobody(tmp_path: Path) -> None:
    like = fit_collection(_write(tmp_path / "scans", 1))
    config = SynthesisConfig(min_side=256, max_side=300, like_share=0.0)
    assert np.array_equal(
        make_page(0, 1, config, like=like).page.pixels.shape, make_page(0, 1, config, like=like).page.pixels.shape
    )
    tones = [np.median(make_page(0, number, config, like=like).page.pixels) for number in range(6)]
    assert np.ptp(tones) > 30
