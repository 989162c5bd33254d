"""Decisions as others read them: labels for the next fit, classes for an export, kept when assignments change."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from farthing.base.errors import FormatError
from farthing.discover.gallery.changes import Change, Move, Rename, encode, pack
from farthing.discover.gallery.decisions import Decisions, open_decisions, read_decisions
from farthing.discover.outputs import ASSIGNMENTS_FILE, write_assignments
from farthing.results.classstore import CLASS_STORE_FILE
from tests.discover.gallery.runs import sorted_images

ROWS = sorted_images()


def pack_(*numbers: int) -> bytes:
    return pack(np.array(numbers))


def decide(run: Path, *changes: Change) -> None:
    with open_decisions(run) as store:
        for change in changes:
            store.add_change(encode(change))


def test_without_a_store_nothing_was_decided(run: Path) -> None:
    assert read_decisions(run) == Decisions()
    assert not (run / CLASS_STORE_FILE).exists()


def test_a_named_class_labels_its_images(run: Path) -> None:
    decide(run, Rename(of=2, name="bee"), Move(into=None, images=pack_(10)), Move(into=0, images=pack_(6)))
    found = read_decisions(run)
    assert found.labels == {**{row.image: "bee" for row in ROWS[11:18]}, ROWS[6].image: "cat"}
    assert found.not_in == {ROWS[10].image: "bee"}
    assert found.classes[ROWS[11].image] == "bee"
    assert found.classes[ROWS[18].image] == "new-02"
    assert found.classes[ROWS[10].image] is None
    assert found.classes[ROWS[23].image] is None
    assert len(found.classes) == len(ROWS)


def test_labels_outlive_the_assignments_they_were_made_about(run: Path) -> None:
    decide(run, Rename(of=2, name="bee"))
    before = read_decisions(run).labels
    write_assignments(run / ASSIGNMENTS_FILE, [replace(row, label="new-01", is_new=True) for row in ROWS[::-1]])
    assert read_decisions(run).labels == before
    decide(run)  # another round begins
    assert read_decisions(run).labels == before
    decide(run, Move(into=None, images=pack_(len(ROWS) - 1 - 12)))
    found = read_decisions(run)
    assert found.labels == {image: label for image, label in before.items() if image != ROWS[12].image}
    assert found.not_in == {ROWS[12].image: "new-01"}
    decide(run, Rename(of=0, name="wasp"))  # the newer word counts
    assert set(read_decisions(run).labels.values()) == {"wasp"}


def test_a_run_without_assignments_cannot_be_decided_about(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=ASSIGNMENTS_FILE):
        open_decisions(tmp_path)
    assert not (tmp_path / CLASS_STORE_FILE).exists()
