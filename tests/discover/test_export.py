"""Named classes for other programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from farthing.base.errors import ConfigError, DataError, FormatError
from farthing.discover.export import export_run, folder_names
from farthing.discover.gallery.changes import Rename, encode
from farthing.discover.gallery.decisions import open_decisions, sorting_of
from farthing.discover.outputs import SortedImage, read_assignments
from farthing.results.rows import PageRow
from farthing.results.store import STORE_FILE, Store
from tests.discover.runs import make_run


def placed(image: str, label: str, page: str = "", bbox: str = "") -> SortedImage:
    return SortedImage(image=image, label=label, probability=0.5, extra={"page": page, "bbox": bbox})


@pytest.fixture
def run(tmp_path: Path) -> Path:
    rows = [
        placed("in/a.png", "cat", "1.jpg", "[10.5, 20, 30, 40]"),
        placed("b.png", "new-01", "1.jpg", "[1,2,3,4]"),
        placed("c.png", "new-01", "2.jpg", "[0, 0, 50, 60]"),
        placed("d.png", "unsorted", "2.jpg", "[0, 0, 5, 6]"),
        placed("e.png", "cat", "2.jpg", "[0, 0, 5]"),
        placed("broken.png", "", "2.jpg", "[0, 0, 5, 5]"),
    ]
    return make_run(tmp_path / "run", rows)


def test_one_table_has_every_image(run: Path, tmp_path: Path) -> None:
    result = export_run(run, "csv", tmp_path / "out.csv")
    rows = read_assignments(tmp_path / "out.csv")
    assert [row.label for row in rows] == ["cat", "new-01", "new-01", "unsorted", "cat", ""]
    assert rows[0].extra == {"page": "1.jpg", "bbox": "[10.5, 20, 30, 40]"}
    assert (result.num_images, result.num_classes) == (4, 2)


def test_folders_keep_every_image(run: Path, tmp_path: Path) -> None:
    export_run(run, "folders", tmp_path / "out")
    files = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.png")}
    assert files == {
        *("cat/in/a.png", "cat/e.png", "new-01/b.png", "new-01/c.png", "unlabelled/d.png", "unlabelled/broken.png"),
    }
    copied, original = tmp_path / "out" / "cat" / "in" / "a.png", tmp_path / "run-images" / "in" / "a.png"
    assert copied.read_bytes() == original.read_bytes()


def test_coco_has_pages_classes_and_boxes(run: Path, tmp_path: Path) -> None:
    pages = tmp_path / "pages"
    pages.mkdir()
    Image.new("L", (200, 300)).save(pages / "1.jpg")
    result = export_run(run, "coco", tmp_path / "out", pages=pages)
    document = json.loads((tmp_path / "out" / "annotations.json").read_text())
    assert document["images"] == [
        {"id": 1, "file_name": "1.jpg", "width": 200, "height": 300},
        {"id": 2, "file_name": "2.jpg", "width": 50, "height": 60},
    ]
    assert document["categories"] == [{"id": 1, "name": "cat"}, {"id": 2, "name": "new-01"}]
    assert [(one["image_id"], one["category_id"], one["bbox"], one["area"]) for one in document["annotations"]] == [
        (1, 1, [10.5, 20, 30, 40], 1200),
        (1, 2, [1, 2, 3, 4], 12),
        (2, 2, [0, 0, 50, 60], 3000),
    ]
    assert [warning[:30] for warning in result.warnings] == [
        "1 images are left out: they ha",
        "1 pages have the size of what ",
    ]


def test_crops_in_a_filters_folder_find_the_sizes_of_their_pages(run: Path, tmp_path: Path) -> None:
    with Store.create(tmp_path / "run-images" / STORE_FILE, threshold=0.5) as store:
        store.add_pages([(PageRow(page="1.jpg", document="", width=640, height=480, score=1.0), [])])
    export_run(run, "coco", tmp_path / "out")
    document = json.loads((tmp_path / "out" / "annotations.json").read_text())
    assert [(page["width"], page["height"]) for page in document["images"]] == [(640, 480), (50, 60)]


def test_coco_without_pages_cannot_be(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", [SortedImage(image="a.png", label="cat")])
    with pytest.raises(DataError, match="no image has a page and a bbox"):
        export_run(run, "coco", tmp_path / "out")


def test_the_export_has_the_names_that_people_gave(run: Path, tmp_path: Path) -> None:
    with open_decisions(run) as store:
        names = [row.name for row in sorting_of(store).image_classes]
        store.add_change(encode(Rename(of=names.index("new-01"), name="owl")))
    export_run(run, "csv", tmp_path / "out.csv")
    rows = read_assignments(tmp_path / "out.csv")
    assert [row.label for row in rows] == ["cat", "owl", "owl", "unsorted", "cat", ""]


def test_folder_names_are_plain_and_different() -> None:
    names = folder_names({"a/b", "a-b", "..", "unlabelled", "A-B", "katze \u00e9"})
    assert len({name.casefold() for name in names.values()} | {"unlabelled"}) == 7
    assert not any(set(name) & set('/\\:*?"<>|') or name.startswith(".") for name in names.values())
    assert names["katze \u00e9"] == "katze \u00e9"


def test_an_image_that_leads_out(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", [SortedImage(image="../other.png", label="cat")])
    with pytest.raises(DataError, match="leads out of the folder"):
        export_run(run, "folders", tmp_path / "out")


def test_what_cannot_be_exported(run: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--to must be one of csv, folders, coco, got 'xml'"):
        export_run(run, "xml", tmp_path / "out")
    with pytest.raises(DataError, match="holds something already"):
        export_run(run, "folders", run)
    with pytest.raises(FormatError, match="is not a discovery"):
        export_run(tmp_path, "csv", tmp_path / "out.csv")
    (tmp_path / "run-images" / "b.png").unlink()
    with pytest.raises(DataError, match=r"b\.png: cannot be copied"):
        export_run(run, "folders", tmp_path / "new")
