"""The run folder when the disk is full, the folder read-only, or the power fails."""

from __future__ import annotations

import os
import resource
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

from farthing.base import files
from farthing.base.errors import DataError, FormatError
from farthing.train import checkpoint
from farthing.train.checkpoint import load_state
from farthing.train.folder import RunFolder
from farthing.train.loop import FitConfig, fit
from tests.reference.toy_task import ToyBatches, ToyTask

CONFIG = FitConfig(max_epochs=2, evals_per_epoch=3, checkpoint_seconds=0)


@contextmanager
def full_disk(_folder: Path) -> Iterator[None]:
    """Writing a file beyond 1000 bytes fails, as on a full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """The folder cannot be written, not even by root, who becomes nobody."""
    folder.chmod(0o500)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)
        folder.chmod(0o700)


class Fails(ToyTask):
    """A toy task that enters a context after a step and never leaves it."""

    def __init__(self, step: int, enter: Callable[[], object]) -> None:
        super().__init__()
        self.step, self.enter = step, enter

    def after_step(self, step: int) -> None:
        super().after_step(step)
        if step == self.step:
            self.enter()


@pytest.mark.parametrize("step", [1, 2, 7])
@pytest.mark.parametrize(
    ("trouble", "message"), [(full_disk, "writing failed .*free some space"), (read_only, "cannot be written")]
)
def test_a_failing_disk_is_an_error_and_the_old_checkpoint_stays(
    tmp_path: Path, trouble: Callable[[Path], Any], message: str, step: int
) -> None:
    whole, folder = ToyTask(), tmp_path / "run"
    fit(whole, ToyBatches(), CONFIG, folder=tmp_path / "whole", seed=0)
    failure = trouble(folder)
    try:
        with pytest.raises(DataError, match=message):
            fit(Fails(step, failure.__enter__), ToyBatches(), CONFIG, folder=folder, seed=0)
    finally:
        failure.__exit__(None, None, None)
    assert load_state(folder / "checkpoint.safetensors")["progress"]["steps"] == step - 1
    assert not list(folder.glob(".*.part"))
    task = ToyTask()
    fit(task, ToyBatches(), CONFIG, folder=folder, seed=0, resume=True)
    assert task.digest() == whole.digest()


class Disk:
    """Records what a power loss after each operation would leave: content that was not yet synced is gone."""

    def __init__(self, folder: Path, snapshots: Path) -> None:
        self.folder, self.snapshots = folder, snapshots
        self.synced: set[int] = set()
        self.operations: list[str] = []

    def note(self, operation: str) -> None:
        target = self.snapshots / f"{len(self.operations):03d}"
        shutil.copytree(self.folder, target)
        for path in self.folder.iterdir():
            if path.stat().st_ino not in self.synced:
                (target / path.name).write_bytes(b"")
        self.operations.append(operation)

    def watch(self, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, path_argument: int) -> None:
        original = getattr(owner, name)

        def wrapper(*args: Any, **kwargs: Any) -> object:
            result = original(*args, **kwargs)
            path = Path(args[path_argument])
            if name == "fsync_path" and path.is_file():
                self.synced.add(path.stat().st_ino)
            if self.folder in path.parents:
                self.note(f"{name} {path.name}")
            return result

        monkeypatch.setattr(owner, name, wrapper)


def test_every_prefix_of_a_save_leaves_a_run_that_can_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "run"
    (tmp_path / "snapshots").mkdir()
    disk = Disk(folder, tmp_path / "snapshots")
    with monkeypatch.context() as patch:
        disk.watch(patch, checkpoint, "save_file", 1)
        disk.watch(patch, files, "fsync_path", 0)
        disk.watch(patch, Path, "replace", 1)
        disk.watch(patch, Path, "unlink", 0)
        fit(ToyTask(), ToyBatches(num_batches=3), CONFIG, folder=folder, seed=0)
    assert sum(operation.startswith("replace checkpoint") for operation in disk.operations) == 7
    started = False
    for snapshot in sorted(disk.snapshots.iterdir()):
        run = RunFolder(snapshot, {})
        if not run.has_checkpoint():
            assert not started
            continue
        started = True
        progress = load_state(snapshot / "checkpoint.safetensors")["progress"]
        name = "best.safetensors" if progress["finished"] else f"best-{progress['best_step']:09d}.safetensors"
        if progress["best_step"]:
            assert load_state(snapshot / name)["model"]
    assert started


def test_a_save_without_fsync_would_be_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test above can fail: with unsynced content, some prefix leaves an empty checkpoint."""
    folder = tmp_path / "run"
    (tmp_path / "snapshots").mkdir()
    disk = Disk(folder, tmp_path / "snapshots")
    monkeypatch.setattr(files, "fsync_path", lambda _path: None)
    disk.watch(monkeypatch, Path, "replace", 1)
    RunFolder(folder, {}).save({"weight": torch.zeros(2)}, best_step=None)
    with pytest.raises(FormatError):
        load_state(disk.snapshots / "000" / "checkpoint.safetensors")


def test_drops_best_weights_that_no_checkpoint_names(tmp_path: Path) -> None:
    run = RunFolder(tmp_path, {})
    for step in (2, 4):
        run.save_best({"weight": torch.full((1,), float(step))}, step)
    run.save({}, best_step=4)
    assert [path.name for path in tmp_path.glob("best*")] == ["best-000000004.safetensors"]
    run.publish_best(4)
    run.save({}, best_step=None)
    assert [path.name for path in tmp_path.glob("best*")] == ["best.safetensors"]
    assert run.best_weights()["weight"].tolist() == [4.0]


def test_a_resumed_run_drops_what_a_killed_one_could_not(tmp_path: Path) -> None:
    run = RunFolder(tmp_path, {})
    run.save({}, best_step=4)
    for step in (2, 4):
        run.save_best({"weight": torch.zeros(1)}, step)
    assert run.load() == {}
    assert [path.name for path in tmp_path.glob("best*")] == ["best-000000004.safetensors"]


def test_removes_the_half_written_files_of_a_killed_run(tmp_path: Path) -> None:
    (tmp_path / ".checkpoint.safetensors.abc.part").touch()
    (tmp_path / ".tmpvBHpxk").touch()
    (tmp_path / "notes.txt").touch()
    RunFolder(tmp_path, {}).remove_leftovers()
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
