"""Decisions about classes are on the disk when they are acknowledged, and outlive the files they were made about."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from farthing.base.errors import DataError, FormatError
from farthing.results.classstore import CLASS_STORE_FILE, ClassedImage, ClassStore

IMAGES = [
    ClassedImage(image="b.png", label="cat", is_new=False),
    ClassedImage(image="a.png", label="new-01", is_new=True),
    ClassedImage(image="c.png", label=None, is_new=False),
]
NUM_ACKNOWLEDGED = 25


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / CLASS_STORE_FILE


def test_a_new_store_has_nothing(path: Path) -> None:
    with ClassStore.open(path) as store:
        assert (store.source, store.images(), store.labels(), store.changes(), store.undo()) == (
            None,
            [],
            {},
            [],
            False,
        )


def test_what_a_round_starts_from_comes_back_in_its_order(path: Path) -> None:
    with ClassStore.open(path) as store:
        store.begin_round("one", IMAGES, {"z.png": "owl"})
    with ClassStore.open(path) as store:
        assert (store.source, store.images(), store.labels()) == ("one", IMAGES, {"z.png": "owl"})


def test_undo_takes_back_the_last_change_and_keeps_it_in_the_history(path: Path) -> None:
    with ClassStore.open(path) as store:
        store.begin_round("one", IMAGES, {})
        for change in "abc":
            store.add_change(change)
        assert store.undo()
        store.add_change("d")
        assert store.changes() == ["a", "b", "d"]
        assert store.undo()
        assert store.undo()
        assert store.changes() == ["a"]
        assert store.history() == [("a", False), ("b", True), ("c", True), ("d", True)]


def test_another_round_starts_without_changes_and_cannot_undo_the_old_ones(path: Path) -> None:
    with ClassStore.open(path) as store:
        store.begin_round("one", IMAGES, {})
        store.add_change("a")
        store.begin_round("two", IMAGES[:1], {"a.png": "owl"})
        assert (store.source, store.changes(), store.undo()) == ("two", [], False)
        assert store.images() == IMAGES[:1]
        assert store.history() == [("a", False)]


def test_a_round_begins_whole_or_not_at_all(path: Path) -> None:
    with ClassStore.open(path) as store:
        store.begin_round("one", IMAGES, {})
        with pytest.raises(DataError, match="refused"):
            store.begin_round("two", [*IMAGES, IMAGES[0]], {})
        assert (store.source, store.images()) == ("one", IMAGES)


def test_a_change_needs_a_round(path: Path) -> None:
    with ClassStore.open(path) as store, pytest.raises(DataError, match="refused"):
        store.add_change("a")


def test_one_process_reads_while_another_writes(path: Path) -> None:
    with ClassStore.open(path) as writer, ClassStore.open(path) as reader:
        writer.begin_round("one", IMAGES, {})
        writer.add_change("a")
        assert reader.changes() == ["a"]


@pytest.mark.parametrize("content", [b"", b"not a database", b"SQLite format 3\0" + bytes(200)])
def test_another_file_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(FormatError, match=r"application and version|not a store"):
        ClassStore.open(path)
    assert path.read_bytes()[: len(content)] == content


def test_a_database_of_another_program_is_refused(path: Path) -> None:
    sqlite3.connect(path).executescript("CREATE TABLE changes (id INTEGER);")
    with pytest.raises(FormatError, match="application and version must be"):
        ClassStore.open(path)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        ClassStore.open(tmp_path / "file" / CLASS_STORE_FILE)


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_when_the_process_is_killed(path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from farthing.results.classstore import ClassStore\n"
        "store = ClassStore.open(Path(sys.argv[1])); store.begin_round('one', [], {}); number = 0\n"
        "while True: store.add_change(str(number)); print(number, flush=True); number += 1\n"
    )
    with subprocess.Popen([sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        acknowledged = [process.stdout.readline().strip() for _ in range(NUM_ACKNOWLEDGED)]
        process.send_signal(signal.SIGKILL)
        acknowledged += [line.strip() for line in process.stdout if line.endswith("\n")]
    with ClassStore.open(path) as store:
        changes = store.changes()
    assert changes[: len(acknowledged)] == acknowledged
    assert len(changes) <= len(acknowledged) + 1
