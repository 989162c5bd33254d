from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from farthing.base.errors import DataError
from farthing.documents.formats import Annotations, read_annotations, write_annotations
from tests.documents.formats.pages_on_disk import labels, make_pages

NAMES = {
    "data.yaml": "path: .\nnames: ['stamp', \"water mark\", seal]  # three\nnc: 3\n",
    "dataset.yaml": "nc: 3\nnames: {0: stamp, 1: water mark, 2: seal}\n",
    "data.yml": "names:\n  0: stamp\n  1: 'water mark' # two\n  2: \"seal\"\ntrain: images\n",
    "classes.txt": "stamp\nwater mark\nseal",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_pages(tmp_path, {"images/train/x.PNG": (100, 200), "images/train/y.jpg": (100, 200)})
    (tmp_path / "labels" / "train").mkdir(parents=True)
    (tmp_path / "labels" / "train" / "y.txt").touch()
    return tmp_path


@pytest.mark.parametrize("config", NAMES)
def test_boxes_and_outlines(folder: Path, config: str) -> None:
    (folder / config).write_text(NAMES[config])
    lines = "1 0.5 0.5 0.2 0.1\n\n2 .1 .1 .3 .1 .2 .4\n0 0.5 0.5 0.2 0.1 0.9\n"
    (folder / "labels" / "train" / "x.txt").write_text(lines)
    (folder / "labels" / "train" / "z.txt").write_text(lines)
    read = read_annotations(folder)
    assert read.classes == ("stamp", "seal", "water mark")
    assert read.warnings == ("1 pages are left out: there is no such image (first: train/z)",)
    x, y = read.pages
    assert (x.page, x.width, x.height, y.page, y.labels) == ("images/train/x.PNG", 100, 200, "images/train/y.jpg", ())
    assert x.labels == ("water mark", "seal", "stamp")
    np.testing.assert_allclose(x.boxes, [[40, 90, 60, 110], [10, 20, 30, 80], [40, 90, 60, 110]], atol=1e-4)


@pytest.mark.parametrize("line", ["3 .5 .5 .2 .1", "-1 .5 .5 .2 .1", "stamp .5 .5 .2 .1", "nan 1 1 1 1", "inf 1 1 1 1"])
def test_a_class_that_has_no_name(folder: Path, line: str) -> None:
    (folder / "data.yaml").write_text(NAMES["data.yaml"])
    (folder / "labels" / "train" / "x.txt").write_text(f"0 .5 .5 .1 .1\n{line}\n")
    with pytest.raises(DataError, match=r"x.txt:2: must be a class number below 3 and a box"):
        read_annotations(folder)


@pytest.mark.parametrize("line", ["0", "0 .5 .5 .2", "0 .1 .1 .3 .1 .2 .4 .5"])
def test_a_line_that_is_no_box(folder: Path, line: str) -> None:
    (folder / "data.yaml").write_text(NAMES["data.yaml"])
    (folder / "labels" / "train" / "x.txt").write_text(line)
    with pytest.raises(
        DataError, match=r"x.txt:1: must hold four numbers after the class, or the points of an outline"
    ):
        read_annotations(folder)


def test_classes_need_names(folder: Path) -> None:
    with pytest.raises(DataError, match="the names of the YOLO classes are missing"):
        read_annotations(folder)


def test_two_pages_that_differ_in_their_suffix(tmp_path: Path) -> None:
    pages = tuple(labels(name, (9, 9)) for name in ("x.jpg", "x.png"))
    with pytest.raises(DataError, match=r"labels/x.txt: would describe two pages, x.png and another"):
        write_annotations(Annotations(pages=pages, classes=()), tmp_path, "yolo")


def test_label_files_lie_where_the_usual_trainers_look(tmp_path: Path) -> None:
    pages = tuple(labels(name, (100, 200), ("seal", (10, 20, 30, 60))) for name in ("images/a/x.jpg", "b/y.jpg"))
    write_annotations(Annotations(pages=pages, classes=("stamp", "seal")), tmp_path, "yolo")
    for name in ("a/x.txt", "b/y.txt"):
        assert (tmp_path / "labels" / name).read_text() == "1 0.200000 0.200000 0.200000 0.200000\n"
    assert (tmp_path / "data.yaml").read_text().endswith('names:\n  0: "stamp"\n  1: "seal"\n')
