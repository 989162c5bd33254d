"""Replacing a whole folder in one step: a reader sees the old one or the new one, whatever happens in between."""

from __future__ import annotations

import ctypes
import fcntl
import glob
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from farthing.base.errors import DataError
from farthing.base.files import fsync_path

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2


@contextmanager
def replaced_folder(folder: Path, *, marker: str) -> Iterator[Path]:
    """Yields an empty folder that takes the place of `folder`, durably, when the block ends without an error.

    Args:
        folder: What to replace; nothing, an empty folder, or one with a file named `marker` in it.
        marker: How an earlier folder of the same kind is recognised; any other is not ours to delete.

    Raises:
        DataError: the folder cannot be written or holds something else; it stays as it was.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        if folder.exists() and not (folder / marker).is_file() and any(folder.iterdir()):
            raise DataError(f"{folder}: holds something else (no {marker}); choose another folder or empty this one")
        _remove_leftovers(folder)
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".part", dir=folder.parent))
        descriptor = os.open(temporary, os.O_RDONLY)
    except OSError as error:
        raise DataError(f"{folder}: cannot be written ({error.strerror}); choose a folder you may write to") from error
    try:
        with suppress(OSError):  # a file system without locks; where nobody gets one, nobody clears anything away
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)  # until this process ends, however it does
        yield temporary
        for path in temporary.iterdir():
            path.chmod(0o644)
            fsync_path(path)
        temporary.chmod(0o755)
        fsync_path(temporary)
        _put_in_place(temporary, folder)
        fsync_path(folder.parent)
    except OSError as error:
        raise DataError(f"{folder}: writing failed ({error.strerror}); free some space and run again") from error
    finally:
        os.close(descriptor)
        shutil.rmtree(temporary, ignore_errors=True)


def _remove_leftovers(folder: Path) -> None:
    """Removes what killed processes left of their tries to replace `folder`: what no process holds a lock on."""
    for leftover in folder.parent.glob(f".{glob.escape(folder.name)}.*.part"):
        descriptor = os.open(leftover, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(leftover, ignore_errors=True)
        except OSError:
            pass  # somebody is at it, or this file system has no locks
        finally:
            os.close(descriptor)


def _put_in_place(new: Path, folder: Path) -> None:
    """Gives `new` the name `folder`; an earlier folder ends up under the other name, or is gone."""
    if not folder.exists():
        new.rename(folder)
    elif not _exchange(new, folder):
        # No atomic exchange on this system: between these two renames the folder is there under the other name only.
        old = new.with_suffix(".old")
        folder.rename(old)
        new.rename(folder)
        shutil.rmtree(old)


def _exchange(first: Path, second: Path) -> bool:
    """Swaps two names in one step, where system and file system can (Linux 3.15); says whether it did."""
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError):
        return False
    failed = renameat2(_AT_FDCWD, os.fsencode(first), _AT_FDCWD, os.fsencode(second), _RENAME_EXCHANGE)
    return not failed
