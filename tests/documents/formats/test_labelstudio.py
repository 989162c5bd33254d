from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from farthing.documents.collection.xmltree import read_xml
from farthing.documents.formats import Annotations, read_annotations, write_annotations
from tests.documents.formats.pages_on_disk import labels, make_pages


def rectangle(name: str, *, size: tuple[int, int] | None = (100, 200), **value: object) -> dict[str, object]:
    place = {"x": 10, "y": 10, "width": 20, "height": 20, "rotation": 0, "rectanglelabels": [name], **value}
    told = {} if size is None else {"original_width": size[0], "original_height": size[1]}
    return {"type": "rectanglelabels", "value": place, **told}


def task(image: str, *annotations: list[dict[str, object]], **rest: object) -> dict[str, object]:
    return {
        "id": 1,
        "data": {"image": image, "n": 3},
        "annotations": [{"result": result} for result in annotations],
        **rest,
    }


def export(folder: Path, *tasks: object) -> Path:
    (folder / "export.json").write_text(json.dumps(tasks))
    return folder / "export.json"


@pytest.mark.parametrize(
    "address",
    [
        "/data/upload/3/0a1b2c3d-x.jpg",
        "/data/local-files/?d=deep/x.jpg",
        "https://example.org/pages/x.jpg?size=3",
        "s3://bucket/x.jpg",
        "x.jpg",
    ],
)
def test_images_are_found_by_any_address(tmp_path: Path, address: str) -> None:
    make_pages(tmp_path, {"x.jpg": (100, 200)})
    read = read_annotations(export(tmp_path, task(address, [rectangle("Seal")])))
    assert (read.pages[0].page, read.pages[0].labels, read.classes) == ("x.jpg", ("seal",), ("seal",))
    np.testing.assert_array_equal(read.pages[0].boxes, [[10, 20, 30, 60]])


def test_turned_rectangles_polygons_and_other_results(tmp_path: Path) -> None:
    make_pages(tmp_path, {"x.jpg": (100, 200)})
    results: list[dict[str, object]] = [
        rectangle("stamp", x=50, rotation=90),
        {"type": "polygonlabels", "value": {"points": [[1, 2], [5, 3], [4, 9]], "polygonlabels": ["map"]}},
        {"type": "choices", "value": {"choices": ["good"]}},
        rectangle("stamp", x=None),
        rectangle("stamp", rectanglelabels=[]),
    ]
    (page,) = read_annotations(export(tmp_path, task("x.jpg", results))).pages
    assert page.labels == ("stamp", "map")
    np.testing.assert_allclose(page.boxes, [[10, 20, 50, 40], [1, 4, 5, 18]], atol=1e-4)


def test_the_last_annotation_counts_and_tasks_without_one_are_counted(tmp_path: Path) -> None:
    make_pages(tmp_path, {"x.jpg": (100, 200), "y.jpg": (100, 200)})
    done = task("x.jpg", [rectangle("stamp")], [rectangle("seal")])
    cancelled = {**task("y.jpg"), "annotations": [{"result": [], "was_cancelled": True}]}
    read = read_annotations(export(tmp_path, done, cancelled, task("y.jpg")))
    assert [page.labels for page in read.pages] == [("seal",)]
    assert read.warnings == ("2 tasks are left out: nobody annotated them (first: y.jpg)",)


def test_the_size_comes_from_the_image_where_the_task_has_none(tmp_path: Path) -> None:
    make_pages(tmp_path, {"x.jpg": (50, 60)})
    tasks = task("x.jpg", []), task("absent.jpg", [rectangle("stamp", size=None)])
    read = read_annotations(export(tmp_path, *tasks))
    assert [(page.page, page.width, page.height) for page in read.pages] == [("x.jpg", 50, 60)]
    assert read.warnings == (
        "1 pages are left out: neither the task nor an image tells their size (first: absent.jpg)",
    )


def test_what_is_written_can_be_imported(tmp_path: Path) -> None:
    page = labels("a b/x.jpg", (100, 200), ("seal", (10, 20, 30, 60)))
    write_annotations(Annotations(pages=(page,), classes=("stamp", "seal")), tmp_path, "labelstudio")
    (written,) = json.loads((tmp_path / "tasks.json").read_text())
    assert written["data"]["image"] == "/data/local-files/?d=a%20b/x.jpg"
    (result,) = written["annotations"][0]["result"]
    assert (result["type"], result["from_name"], result["to_name"]) == ("rectanglelabels", "label", "image")
    assert {key: result["value"][key] for key in ("x", "y", "width", "height")} == {
        "x": 10,
        "y": 10,
        "width": 20,
        "height": 20,
    }
    config = read_xml(tmp_path / "labeling.xml")
    assert [label.get("value") for label in config.iter("Label")] == ["stamp", "seal"]
    assert (config[0].get("name"), config[1].get("name"), config[1].get("toName")) == ("image", "label", "image")
