"""A new model takes the old one's place only when it is whole."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from pathlib import Path

import pytest

from farthing.serve import models
from farthing.serve.metrics import Metrics
from farthing.serve.models import CurrentModel
from tests.serve.loops import run as run_loop
from tests.serve.numbers import Factor, folder_of


def replace(folder: Path, factor: str) -> None:
    other = folder_of(folder.with_name("other"), factor)
    shutil.rmtree(folder)
    other.rename(folder)


def test_a_replaced_folder_is_loaded(tmp_path: Path) -> None:
    metrics = Metrics()
    current = CurrentModel(folder_of(tmp_path / "model"), Factor.load, metrics)
    replace(tmp_path / "model", "3")
    run_loop(current.reload())
    assert (current.model.hash, metrics.model_hash, metrics.reloads) == ("3", "3", {"loaded": 1})


@pytest.mark.parametrize("damage", ["damaged", None])
def test_a_bad_one_leaves_the_old_one(tmp_path: Path, damage: str | None, caplog: pytest.LogCaptureFixture) -> None:
    metrics = Metrics()
    current = CurrentModel(folder_of(tmp_path / "model"), Factor.load, metrics)
    if damage is None:
        shutil.rmtree(tmp_path / "model")
    else:
        replace(tmp_path / "model", damage)
    run_loop(current.reload())
    assert (current.model.hash, metrics.model_hash, metrics.reloads) == ("2", "2", {"refused": 1})
    assert "model 2 goes on" in caplog.text


def test_a_change_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "WATCH_S", 0.001)
    current = CurrentModel(folder_of(tmp_path / "model"), Factor.load, Metrics())

    async def wait() -> None:
        watching = asyncio.create_task(current.watch())
        replace(tmp_path / "model", "5")
        while current.model.hash != "5":
            await asyncio.sleep(0.001)
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching

    run_loop(asyncio.wait_for(wait(), 10))
