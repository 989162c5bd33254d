"""A benchmark split as a folder."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from farthing.base.errors import DataError
from farthing.discover.splitfolder import write_split
from farthing.discover.splits import SplitConfig


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Three classes of 8, 6 and 4 images, each of its own grey, and one image without a class."""
    root = tmp_path / "images"
    for grey, (name, size) in enumerate({"cat": 8, "dog": 6, "owl": 4}.items()):
        (root / name).mkdir(parents=True)
        for number in range(size):
            Image.new("L", (3, 3), 50 * grey + number).save(root / name / f"{name}{number}.png")
    Image.new("L", (3, 3), 255).save(root / "lonely.png")
    return root


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_what_a_split_holds(images: Path, tmp_path: Path) -> None:
    counts = write_split(images, tmp_path / "out", SplitConfig(least=4), labels=None, seed=0)
    truth, labels = rows(tmp_path / "out" / "truth.csv"), rows(tmp_path / "out" / "labels.csv")
    assert (counts.images, counts.classes, counts.known, counts.labelled) == (18, 3, 2, 6)
    assert (counts.largest, counts.smallest) == (8, 4)
    assert {row["label"] for row in truth if row["known"] == "1"} == {"cat", "owl"}
    assert [row["label"] for row in labels] == [row["label"] if row["labelled"] == "1" else "" for row in truth]


def test_names_do_not_tell_the_class_and_pixels_are_the_same(images: Path, tmp_path: Path) -> None:
    write_split(images, tmp_path / "out", SplitConfig(least=4), labels=None, seed=0)
    for row in rows(tmp_path / "out" / "truth.csv"):
        assert row["image"].removesuffix(".png").isdecimal()
        with Image.open(tmp_path / "out" / "images" / row["image"]) as image:
            grey = int(np.asarray(image)[0, 0])
        assert ["cat", "dog", "owl"][grey // 50] == row["label"]


def test_a_folder_that_is_not_empty(images: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds something already"):
        write_split(images, images, SplitConfig(), labels=None, seed=0)
