"""Trainings to be killed: each takes its folder and goes on with what it finds there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from farthing.base.config import apply_overrides
from farthing.documents.training import runs
from farthing.documents.training.runs import train_detector
from farthing.recommend.dataset import Dataset
from farthing.recommend.runs import train_run
from tests.documents.plainpages import small_config as documents_config
from tests.documents.plainpages import write_pages
from tests.recommend.small import small_config
from tests.train.kill_target import train as toy

__all__ = ["documents", "recommend", "toy"]


def recommend(folder: Path) -> None:
    """A rounded click model of a prepared log beside the folder, a checkpoint after each step."""
    dataset = Dataset.open(folder.parent / "clicks" / "data")
    config = apply_overrides(small_config("int4", dataset), ["train.fit.checkpoint_seconds=0"])
    train_run(dataset, config, folder=folder / "run", seed=0, resume=True)


def documents(folder: Path) -> None:
    """A page detector in both its parts, a checkpoint after each step."""
    if not (folder / "pages").exists():
        write_pages(folder / "pages", 24)
    original = runs._fit_config

    def at_every_step(evals: int, warmup_steps: int) -> object:
        return replace(original(evals, warmup_steps), checkpoint_seconds=0)

    runs._fit_config = at_every_step  # type: ignore[assignment]
    train_detector([folder / "pages"], documents_config(), folder / "run", seed=1, device="cpu", resume=True)
