"""The tree of a run, kept and cut again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from farthing.base.config import apply_overrides
from farthing.base.errors import FormatError
from farthing.discover.fit import Request, fit_collection
from farthing.discover.fitconfig import FitConfig
from farthing.discover.outputs import read_assignments
from farthing.discover.recut import read_cut
from farthing.discover.rundata import read_given
from tests.discover.collections_on_disk import NUM_IMAGES, SETTINGS, make_collection


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with one image that could not be read."""
    folder = make_collection(tmp_path_factory.mktemp("collection"))
    (folder / "images" / "007.png").write_bytes(b"nothing")
    request = Request(
        images=folder / "images",
        labels=folder / "labels.csv",
        num_classes=4,
        config=apply_overrides(FitConfig(), SETTINGS),
    )
    fit_collection(request, folder / "run")
    return folder / "run"


@pytest.mark.parametrize("num_classes", [2, 3, 4, 9])
def test_every_number_of_classes_can_be_had(run: Path, num_classes: int) -> None:
    cut = read_cut(run)
    assert cut is not None
    classes = cut(num_classes)
    assert len(classes) == NUM_IMAGES
    assert classes[7] == -1
    assert set(np.delete(classes, 7)) == set(range(num_classes))


def test_labelled_images_stay_in_their_class(run: Path) -> None:
    cut = read_cut(run)
    assert cut is not None
    given = read_given(run)
    names = [row.image for row in read_assignments(run / "assignments.csv")]
    known = sorted(set(given.values()))
    for number, (image, found) in enumerate(zip(names, cut(5).tolist(), strict=True)):
        if image in given and number != 7:
            assert known[found] == given[image]


def test_fewer_classes_than_known_ones_are_the_known_ones(run: Path) -> None:
    cut = read_cut(run)
    assert cut is not None
    assert cut(1).max() == 1


def test_a_run_without_a_tree_cannot_be_cut(tmp_path: Path) -> None:
    assert read_cut(tmp_path) is None


def test_a_damaged_tree_is_refused(run: Path, tmp_path: Path) -> None:
    content = bytearray((run / "tree.safetensors").read_bytes())
    content[-1] ^= 1
    (tmp_path / "tree.safetensors").write_bytes(content)
    with pytest.raises(FormatError):
        read_cut(tmp_path)
