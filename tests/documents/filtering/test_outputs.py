"""The files say what the store says, also after it changed."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from farthing.base.errors import DataError, FormatError
from farthing.documents.filtering.outputs import refresh_outputs, write_detections, write_failed, write_pages
from farthing.results.rows import BoxRow, PageRow
from farthing.results.store import STORE_FILE, Store
from tests.documents.fakes import draw_page, make_store, page_row
from tests.reference.hostile_text import HOSTILE


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pages").mkdir()
    for name in ("a.png", "b.png"):
        draw_page(0.5).save(tmp_path / "pages" / name)
    rows = [page_row("a.png", 0.9), page_row("b.png", 0.25), PageRow(page="c.png", document=".", failure="is empty")]
    make_store(tmp_path / STORE_FILE, rows, collection=tmp_path / "pages", crop_pixels=50, group="folder").close()
    return tmp_path


def test_tables_of_a_store(folder: Path) -> None:
    with Store.open(folder / STORE_FILE) as store:
        write_pages(store, folder / "pages.csv")
        write_failed(store, folder / "failed.csv")
        write_detections(store, folder / "detections.json")
    assert (folder / "pages.csv").read_text() == (
        "page,score,keep,illustration\na.png,0.900000,1,0.900000\nb.png,0.250000,0,0.250000\n"
    )
    assert (folder / "failed.csv").read_text() == "page,reason\nc.png,is empty\n"
    assert json.loads((folder / "detections.json").read_text()) == [
        {"file_name": "a.png", "category": "illustration", "bbox": [10.0, 20.0, 50.0, 60.0], "score": 0.9},
        {"file_name": "b.png", "category": "illustration", "bbox": [10.0, 20.0, 50.0, 60.0], "score": 0.25},
    ]


def test_a_drawn_box_counts_as_sure(folder: Path) -> None:
    with Store.open(folder / STORE_FILE) as store:
        store.replace_boxes("a.png", [BoxRow(label="seal", x0=1, y0=2, x1=4, y1=8)])
        write_detections(store, folder / "detections.json")
    assert json.loads((folder / "detections.json").read_text())[0] == {
        "file_name": "a.png",
        "category": "seal",
        "bbox": [1.0, 2.0, 3.0, 6.0],
        "score": 1.0,
    }


def test_hostile_names_come_back_from_every_table(tmp_path: Path) -> None:
    names = [name for name in HOSTILE if "\0" not in name]
    rows = [page_row(name, 0.9) for name in names]
    with make_store(tmp_path / STORE_FILE, rows, collection=tmp_path) as store:
        write_pages(store, tmp_path / "pages.csv")
        write_detections(store, tmp_path / "detections.json")
    with (tmp_path / "pages.csv").open(newline="", encoding="utf-8") as stream:
        assert [row["page"] for row in csv.DictReader(stream)] == names
    assert [entry["file_name"] for entry in json.loads((tmp_path / "detections.json").read_text())] == names


def test_every_file_is_made_anew_after_a_change(folder: Path) -> None:
    assert refresh_outputs(folder).crops == 1
    with Store.open(folder / STORE_FILE) as store:
        store.decide("a.png", contains=False, made_by="review")
        store.set_threshold(0.2)
    assert refresh_outputs(folder).crops == 1
    assert (folder / "pages.csv").read_text().splitlines()[1:] == [
        "a.png,0.900000,0,0.900000",
        "b.png,0.250000,1,0.250000",
    ]
    assert (folder / "crops.csv").read_text().count("b.png") == 1
    assert (folder / "documents.csv").read_text().splitlines()[1] == ".,3,1,0.900000,1,b.png"
    assert "1 of 3 pages may show an illustration" in (folder / "report.html").read_text()


def test_a_collection_that_went_away_is_an_error_that_names_it(folder: Path) -> None:
    (folder / "pages").rename(folder / "elsewhere")
    with pytest.raises(DataError, match="pages: no such folder or file"):
        refresh_outputs(folder)


def test_a_folder_without_a_filter_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"store\.sqlite: there is no store here"):
        refresh_outputs(tmp_path)
