"""Folders of synthetic pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from farthing.base.errors import ConfigError
from farthing.base.files import read_json
from farthing.documents.formats import read_annotations
from farthing.documents.synthetic.config import SynthesisConfig
from farthing.documents.synthetic.contact import contact_sheet
from farthing.documents.synthetic.write import RECIPE_FILE, Synthesis, make_page, write_pages

SMALL = SynthesisConfig(min_side=256, max_side=300)


class _Told:
    def __init__(self) -> None:
        self.total = self.done = 0

    def start(self, stage: str, *, total: int, done: int = 0) -> None:
        self.total = total

    def advance(self, pages: int = 1, *, failed: int = 0) -> None:
        self.done += pages


def _bytes(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_folder_reads_back_as_it_was_made(tmp_path: Path) -> None:
    told = _Told()
    result = write_pages(tmp_path / "pages", 6, config=SMALL, seed=5, progress=told)
    assert (told.total, told.done) == (6, 6)
    annotations = read_annotations(tmp_path / "pages")
    assert not annotations.warnings
    assert annotations.classes == SMALL.classes
    for number, labels in enumerate(annotations.pages):
        made = make_page(5, number, SMALL)
        assert labels.page == made.page.id
        assert labels.labels == made.labels.labels
        assert np.abs(labels.boxes - made.labels.boxes).max(initial=0) < 0.01
        image = np.asarray(Image.open(tmp_path / "pages" / labels.page), np.int16)
        assert image.shape == made.page.pixels.shape
        assert np.abs(image - made.page.pixels).mean() < 6
    assert read_json(tmp_path / "pages" / RECIPE_FILE, Synthesis) == result
    assert result.num_boxes == {
        name: sum(page.labels.count(name) for page in annotations.pages) for name in SMALL.classes
    }
    assert result.num_bare == sum(not page.labels for page in annotations.pages)


@pytest.mark.slow
def test_processes_change_nothing(tmp_path: Path) -> None:
    write_pages(tmp_path / "one", 20, config=SMALL, seed=1)
    write_pages(tmp_path / "two", 20, config=SMALL, seed=1, jobs=2)
    assert _bytes(tmp_path / "one") == _bytes(tmp_path / "two")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_pages": 0}, "pages must be >= 1, got 0"),
        ({"num_pages": 1, "seed": -1}, "seed must be >= 0"),
        ({"num_pages": 1, "jobs": 0}, "jobs must be >= 1"),
    ],
)
def test_bad_numbers_are_refused(tmp_path: Path, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        write_pages(tmp_path / "pages", **arguments)
    assert not (tmp_path / "pages").exists()


def test_a_folder_with_content_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ConfigError, match="not an empty folder"):
        write_pages(tmp_path, 1, config=SMALL)
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_a_contact_sheet_shows_each_page_with_its_boxes() -> None:
    pages = [make_page(8, number, SMALL) for number in range(5)]
    plain, framed = (contact_sheet(pages, columns=3, side=100, boxes=boxes) for boxes in (False, True))
    assert plain.shape == framed.shape == (200, 300, 3)
    for number, page in enumerate(pages):
        y, x = number // 3 * 100, number % 3 * 100
        differs = bool((plain[y : y + 100, x : x + 100] != framed[y : y + 100, x : x + 100]).any())
        assert differs == bool(page.labels.labels)
