"""A folder is replaced whole or not at all, whatever happens on the way."""

from __future__ import annotations

import errno
import os
import signal
from pathlib import Path

import pytest

from farthing.base.errors import DataError
from farthing.lowbit import folders
from farthing.lowbit.folders import replaced_folder


def write(folder: Path, text: str) -> None:
    with replaced_folder(folder, marker="mark") as temporary:
        (temporary / "mark").write_text("")
        (temporary / "text").write_text(text)


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("has_exchange", [True, False])
def test_a_folder_is_replaced(tmp_path: Path, has_exchange: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not has_exchange:
        monkeypatch.setattr(folders, "_exchange", lambda first, second: False)
    write(tmp_path / "a" / "model", "old")
    write(tmp_path / "a" / "model", "new")
    assert (tmp_path / "a" / "model" / "text").read_text() == "new"
    assert names(tmp_path / "a") == {"model"}


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    write(tmp_path / "model", "new")
    assert (tmp_path / "model" / "text").read_text() == "new"


def test_anything_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(DataError, match="holds something else"):
        write(tmp_path, "new")
    assert names(tmp_path) == {"thesis.tex"}


def test_an_error_inside_leaves_the_old_folder(tmp_path: Path) -> None:
    write(tmp_path / "model", "old")

    def write_half() -> None:
        with replaced_folder(tmp_path / "model", marker="mark") as temporary:
            (temporary / "text").write_text("half")
            raise KeyError

    with pytest.raises(KeyError):
        write_half()
    assert (tmp_path / "model" / "text").read_text() == "old"
    assert names(tmp_path) == {"model"}


@pytest.mark.parametrize("step", ["fsync_path", "_put_in_place"])
def test_a_full_disk_leaves_the_old_folder(tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "model", "old")

    def fails(*_: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(folders, step, fails)
    with pytest.raises(DataError, match=r"model: writing failed \(No space left on device\)"):
        write(tmp_path / "model", "new")
    assert (tmp_path / "model" / "text").read_text() == "old"
    assert names(tmp_path) == {"model"}


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="model: cannot be written"):
        write(tmp_path / "file" / "model", "new")


@pytest.mark.parametrize("kill_at", range(6))
def test_a_kill_leaves_the_old_folder_or_the_new_one(tmp_path: Path, kill_at: int) -> None:
    """Killed before each of the steps: four fsyncs around the exchange, the exchange, and the clean-up."""
    folder = tmp_path / "model"
    write(folder, "old")
    child = os.fork()
    if child == 0:
        steps = iter(range(100))

        def dies(name: str) -> None:
            original = getattr(folders, name)

            def step(*arguments: Path) -> object:
                if next(steps) == kill_at:
                    os.kill(os.getpid(), signal.SIGKILL)
                return original(*arguments)

            setattr(folders, name, step)

        for name in ("fsync_path", "_put_in_place"):
            dies(name)
        write(folder, "new")
        os._exit(0)
    _, status = os.waitpid(child, 0)
    was_killed = os.WIFSIGNALED(status)
    assert was_killed == (kill_at < 5)
    assert (folder / "text").read_text() == ("old" if kill_at < 4 else "new")
    write(folder, "newer")  # what the kill left behind is in nobody's way, and cleared away
    assert (folder / "text").read_text() == "newer"
    assert names(tmp_path) == {"model"}


def test_what_somebody_is_still_writing_is_left_alone(tmp_path: Path) -> None:
    with replaced_folder(tmp_path / "model", marker="mark") as temporary:
        (temporary / "mark").write_text("slow")
        write(tmp_path / "model", "quick")
        assert (tmp_path / "model" / "text").read_text() == "quick"
    assert (tmp_path / "model" / "mark").read_text() == "slow"
    assert names(tmp_path) == {"model"}
