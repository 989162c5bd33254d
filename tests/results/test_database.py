"""Only a whole file of its own kind and version is opened."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from farthing.base.errors import DataError, FormatError
from farthing.results.classstore import ClassStore
from farthing.results.store import Store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    Store.create(tmp_path / "store.sqlite", name="x").close()
    return tmp_path / "store.sqlite"


def test_a_new_file_is_whole_and_alone(path: Path) -> None:
    assert [file.name for file in path.parent.iterdir()] == ["store.sqlite"]
    with Store.open(path) as store:
        assert store.meta() == {"name": "x"}
        assert store._value("PRAGMA journal_mode") == "wal"
        assert store._value("PRAGMA synchronous") == 2


@pytest.mark.parametrize("content", [b"", b"not a database at all" * 300, b"SQLite format 3\0" + b"\0" * 4000])
def test_other_bytes_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "other").write_bytes(content)
    with pytest.raises(FormatError, match="other: "):
        Store.open(tmp_path / "other")


def test_a_database_of_another_program_or_version_is_refused(path: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.sqlite")) as connection:
        connection.execute("CREATE TABLE meta (key, value)")
    with pytest.raises(FormatError, match=r"application and version must be .*, got \[0, 0\]"):
        Store.open(tmp_path / "other.sqlite")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 2")
    with pytest.raises(FormatError, match="application and version must be"):
        Store.open(path)


def test_a_database_of_another_kind_is_refused(path: Path) -> None:
    with pytest.raises(FormatError, match=r"must be \[1718776953, 1\] .*, got \[1718776952, 1\]"):
        ClassStore.open(path)


def test_a_truncated_file_is_damaged(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(FormatError, match="damaged"), Store.open(path) as store:
        store.count()


def test_tables_refuse_values_of_other_kinds(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        for values in ("1, 'p', 'd', 'wide', 1, 0.5, 1, 'ok', NULL", "1, 'p', 'd', 1, 1, 0.5, 1, 'fine', NULL"):
            with pytest.raises(sqlite3.IntegrityError):
                connection.execute(f"INSERT INTO pages VALUES ({values})")
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute("INSERT INTO scores VALUES (7, 'stamp', 0.5)")


def test_a_folder_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="cannot be written"):
        Store.create(tmp_path / "file" / "store.sqlite")
