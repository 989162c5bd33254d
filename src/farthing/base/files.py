"""Durable file writes and checksums.

A reader never sees a half-written file: content goes to a temporary name in the same folder, reaches the disk
(fsync), and takes its final name in one atomic rename, which is itself made durable by an fsync of the folder.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import msgspec

from farthing.base.errors import DataError, FormatError

T = TypeVar("T")

_CHUNK_BYTES = 1 << 20


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yields a temporary path beside `path` that replaces it, durably, when the block ends without an error.

    Raises:
        DataError: the folder cannot be written or the disk is full; an earlier `path` is left as it was.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({error.strerror}); choose a folder you may write to") from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        fsync_path(temporary)
        temporary.chmod(0o644)
        temporary.replace(path)
        fsync_path(path.parent)
    except OSError as error:
        raise DataError(f"{path}: writing failed ({error.strerror}); free some space and run again") from error
    finally:
        temporary.unlink(missing_ok=True)


def remove_parts(folder: Path) -> None:
    """Removes the half-written files that a killed process left in a folder, at any depth.

    Raises:
        DataError: the folder cannot be written.
    """
    try:
        for path in list(folder.rglob(".*.part*")):  # SQLite adds -journal to the name
            if path.is_file():  # an unfinished folder is gone on with
                path.unlink(missing_ok=True)
    except OSError as error:
        raise DataError(f"{folder}: cannot be written ({error.strerror}); choose a folder you may write to") from error


def fsync_path(path: Path) -> None:
    """Waits until the content of a file, or the entries of a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_bytes(path: Path, content: bytes) -> None:
    """Writes `content` to `path` atomically and durably."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def write_json(path: Path, value: object) -> None:
    """Writes `value` (anything msgspec encodes) as indented JSON, atomically and durably."""
    write_bytes(path, msgspec.json.format(msgspec.json.encode(value), indent=2) + b"\n")


def read_json(path: Path, type: type[T]) -> T:
    """Reads and checks a JSON file that farthing wrote.

    Raises:
        FormatError: the file is missing, is not JSON, or does not have the fields of `type`.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=type)
    except OSError as error:
        raise FormatError(f"{path}: cannot be read ({error.strerror})") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FormatError(f"{path}: not what farthing writes ({error})") from error


def sha256_file(path: Path) -> str:
    """The SHA-256 of a file's bytes as 64 hexadecimal digits, read in chunks of 1 MiB."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
