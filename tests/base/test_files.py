from __future__ import annotations

import hashlib
import os
from pathlib import Path

import msgspec
import pytest

from farthing.base import files
from farthing.base.errors import DataError, FormatError


class Point(msgspec.Struct, frozen=True):
    x: int


def test_atomic_path_replaces_the_file_and_leaves_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "new" / "file.txt"
    for content in ("one", "two"):
        with files.atomic_path(target) as temporary:
            temporary.write_text(content, encoding="utf-8")
        assert target.read_text(encoding="utf-8") == content
    assert list(target.parent.iterdir()) == [target]
    assert target.stat().st_mode & 0o777 == 0o644


def test_an_error_in_the_block_keeps_the_old_content(tmp_path: Path) -> None:
    target = tmp_path / "file.txt"
    target.write_text("old", encoding="utf-8")

    def replace_halfway() -> None:
        with files.atomic_path(target) as temporary:
            temporary.write_text("half", encoding="utf-8")
            raise RuntimeError("halfway")

    with pytest.raises(RuntimeError, match="halfway"):
        replace_halfway()
    assert target.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_full_disk_is_an_error_that_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fsync(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(DataError, match="No space left on device"):
        files.write_bytes(tmp_path / "file", b"content")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_an_error_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DataError, match="cannot be written"):
        files.write_bytes(tmp_path / "file" / "below", b"")


def test_content_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trace: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def traced_fsync(descriptor: int) -> None:
        trace.append("fsync")
        fsync(descriptor)

    def traced_replace(self: Path, target: Path) -> Path:
        trace.append("rename")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", traced_fsync)
    monkeypatch.setattr(Path, "replace", traced_replace)
    files.write_bytes(tmp_path / "file", b"content")
    assert trace == ["fsync", "rename", "fsync"]


def test_json_round_trip(tmp_path: Path) -> None:
    files.write_json(tmp_path / "point.json", Point(3))
    assert (tmp_path / "point.json").read_bytes() == b'{\n  "x": 3\n}\n'
    assert files.read_json(tmp_path / "point.json", Point) == Point(3)


@pytest.mark.parametrize("content", [b"", b"{", b'{"x": "three"}', b"{}"])
def test_foreign_json_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "point.json").write_bytes(content)
    with pytest.raises(FormatError, match=r"point\.json"):
        files.read_json(tmp_path / "point.json", Point)


def test_missing_json_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="cannot be read"):
        files.read_json(tmp_path / "point.json", Point)


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, (1 << 20) + 1])
def test_sha256_file_is_the_hash_of_the_bytes(tmp_path: Path, size: int) -> None:
    content = bytes(range(256)) * (size // 256 + 1)
    (tmp_path / "file").write_bytes(content[:size])
    assert files.sha256_file(tmp_path / "file") == hashlib.sha256(content[:size]).hexdigest()


def test_half_written_files_are_removed_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / ".crops.part").mkdir()
    kept = [tmp_path / "a.part", tmp_path / ".hidden", tmp_path / "inner/b.csv", tmp_path / ".crops.part/a.jpg"]
    left = [tmp_path / ".a.csv.x1.part", tmp_path / "inner/.b.sqlite.x2.part-journal"]
    for path in (*kept, *left):
        path.write_bytes(b"")
    files.remove_parts(tmp_path)
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == sorted(kept)
    files.remove_parts(tmp_path / "none")
