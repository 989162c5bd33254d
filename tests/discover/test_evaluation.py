"""Judging runs by a truth file."""

from __future__ import annotations

from pathlib import Path

import pytest

from farthing.base.errors import DataError, FormatError
from farthing.discover.evaluation import evaluate_run, read_truth
from farthing.discover.outputs import SortedImage
from tests.discover.runs import make_run

ROWS = [
    SortedImage(image="1", label="cat", probability=1),  # labelled
    SortedImage(image="2", label="cat", probability=0.9, novelty=0.1),
    SortedImage(image="3", label="new-01", is_new=True, probability=0.5, novelty=0.8),
    SortedImage(image="4", label="new-01", is_new=True, probability=0.5, novelty=0.2),
    SortedImage(image="5"),
]
TRUTH = "image,label,known,labelled\n1,cat,1,1\n2,cat,1,0\n3,owl,0,0\n4,cat,1,0\n5,owl,0,0\n"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return make_run(tmp_path / "run", ROWS, given={"1": "cat"})


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_figures_of_a_run(run: Path, tmp_path: Path) -> None:
    figures = evaluate_run(run, write(tmp_path / "truth.csv", TRUTH))
    assert (figures["images"], figures["unassigned"], figures["clusters"]) == (4, 1, 2)
    assert (figures["all"], figures["old"], figures["new"], figures["named_old"]) == (50, 50, 50, 50)
    assert (figures["k"], figures["k_low"], figures["k_high"]) == (3, 2, 5)
    assert figures["ece"] == pytest.approx(1 / 3 * 0.1)  # one of the two at .5 is right, the one at .9 too
    assert figures["novelty_auroc"] == 1.0


def test_what_the_truth_does_not_say_is_what_was_given(run: Path, tmp_path: Path) -> None:
    short = write(tmp_path / "truth.csv", "image,label\n1,cat\n2,cat\n3,owl\n4,cat\n5,owl\n")
    assert evaluate_run(run, short) == evaluate_run(run, write(tmp_path / "full.csv", TRUTH))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,label\n1,a\n1,b\n", "names the image '1' more than once"),
        ("image,label\n1,\n", "the label of '1' is empty"),
        ("image,label,known\n1,a,yes\n", "known of '1' must be 1 or 0, got 'yes'"),
        ("image\n1\n", "lacks the column 'label'"),
    ],
)
def test_truths_that_cannot_be_used(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_truth(write(tmp_path / "truth.csv", text), given={})


def test_nothing_to_judge(run: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nothing to judge"):
        evaluate_run(run, write(tmp_path / "truth.csv", "image,label\n1,cat\n"))


def test_a_folder_that_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="is not a discovery"):
        evaluate_run(tmp_path, write(tmp_path / "truth.csv", TRUTH))


def test_a_run_that_is_not_finished(run: Path, tmp_path: Path) -> None:
    (run / "summary.json").unlink()
    with pytest.raises(FormatError, match="run fit again with --resume"):
        evaluate_run(run, write(tmp_path / "truth.csv", TRUTH))
