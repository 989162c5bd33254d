"""Each found object of a kept page is cut out where it is, once."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from farthing.documents.collection.pages import open_collection
from farthing.documents.filtering.crops import CropCount, write_crops
from farthing.documents.filtering.progress import NoProgress
from farthing.results.rows import BoxRow
from farthing.results.store import Store
from tests.documents.fakes import box_of, draw_page, make_store, page_row


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pages").mkdir()
    for name in ("a.png", "b.png", "c.png"):
        draw_page(0.5).save(tmp_path / "pages" / name)
    rows = [page_row("a.png", 0.9), page_row("b.png", 0.6), page_row("c.png", 0.2)]
    make_store(tmp_path / "store.sqlite", rows, collection=tmp_path / "pages").close()
    return tmp_path


def cut(folder: Path, *, max_side: int = 1000) -> CropCount:
    with Store.open(folder / "store.sqlite") as store:
        collection = open_collection(folder / "pages")
        return write_crops(store, collection, folder, max_side=max_side, workers=2, progress=NoProgress())


def table(folder: Path) -> list[dict[str, str]]:
    with (folder / "crops.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def files(folder: Path) -> dict[str, int]:
    """Every picture and when it was made."""
    return {
        str(path.relative_to(folder)): path.stat().st_mtime_ns
        for path in (folder / "crops").rglob("*")
        if path.is_file()
    }


def test_a_crop_shows_what_is_in_its_box(folder: Path) -> None:
    assert cut(folder) == CropCount(crops=2, failed_pages=0)
    rows = table(folder)
    assert [(row["page"], row["class"], row["score"]) for row in rows] == [
        ("a.png", "illustration", "0.900000"),
        ("b.png", "illustration", "0.600000"),
    ]
    assert json.loads(rows[0]["bbox"]) == [10, 20, 50, 60]
    with Image.open(folder / rows[0]["file"]) as crop, Image.open(folder / "pages/a.png") as page:
        expected = np.asarray(page.crop((10, 20, 60, 80)), np.float64)
        assert crop.size == (50, 60)
        assert np.abs(np.asarray(crop, np.float64) - expected).mean() < 4
    assert sorted(files(folder)) == sorted(row["file"] for row in rows)


def test_a_crop_is_no_larger_than_asked(folder: Path) -> None:
    cut(folder, max_side=30)
    with Image.open(folder / table(folder)[0]["file"]) as crop:
        assert crop.size == (25, 30)


def test_a_box_beyond_the_page_or_without_an_inside_is_cut_to_what_there_is(folder: Path) -> None:
    boxes = [
        BoxRow(label="illustration", x0=100, y0=150, x1=500, y1=900, source="person"),
        BoxRow(label="illustration", x0=400, y0=400, x1=400, y1=400, source="person"),
    ]
    with Store.open(folder / "store.sqlite") as store:
        store.replace_boxes("a.png", boxes)
    assert cut(folder).crops == 3
    sizes = []
    for row in table(folder)[:2]:
        with Image.open(folder / row["file"]) as crop:
            sizes.append(crop.size)
        assert row["score"] == ""
    assert sizes == [(20, 10), (1, 1)]


def test_a_second_time_nothing_is_made_again_and_what_is_not_wanted_goes(folder: Path) -> None:
    cut(folder)
    before = files(folder)
    cut(folder)
    assert files(folder) == before
    with Store.open(folder / "store.sqlite") as store:
        store.set_threshold(0.7)
    assert cut(folder).crops == 1
    assert files(folder).items() < before.items()
    with Store.open(folder / "store.sqlite") as store:
        store.set_threshold(0.1)
    cut(folder)
    assert len(files(folder)) == 3
    assert not list(folder.glob(".crops*"))


def test_pictures_of_an_interrupted_run_are_taken_over(folder: Path) -> None:
    cut(folder)
    before = files(folder)
    (folder / "crops").rename(folder / ".crops.part")
    cut(folder)
    assert files(folder) == before


def test_a_page_that_went_missing_is_counted_and_the_rest_goes_on(folder: Path) -> None:
    (folder / "pages/a.png").unlink()
    assert cut(folder) == CropCount(crops=1, failed_pages=1)
    assert [row["page"] for row in table(folder)] == ["b.png"]


def test_names_are_plain_and_never_meet(tmp_path: Path) -> None:
    names = ["a/b.png", "a_b.png", "a-b.png", "a b.png", "\u00e9\u4f60/b.png", "b.png"]
    for name in names:
        (tmp_path / "pages" / name).parent.mkdir(parents=True, exist_ok=True)
        draw_page(0.5).save(tmp_path / "pages" / name)
    rows = [page_row(name, 0.9) for name in names]
    with make_store(tmp_path / "store.sqlite", rows, collection=tmp_path / "pages") as store:
        store.replace_boxes("b.png", [box_of(rows[0]), BoxRow(label="../up", x0=1, y0=1, x1=9, y1=9)])
    assert cut(tmp_path).crops == 7
    found = [row["file"] for row in table(tmp_path)]
    assert len(set(found)) == 7
    assert all(name.isascii() and ".." not in name and " " not in name for name in found)
    assert sorted(files(tmp_path)) == sorted(found)
