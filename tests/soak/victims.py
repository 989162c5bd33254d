"""Jobs to be killed: each takes its folder, writes FOLDER/run, and goes on with what it finds there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from farthing.base.config import apply_overrides
from farthing.discover.fit import Request, fit_collection
from farthing.discover.fitconfig import FitConfig
from farthing.documents.filtering.filter import filter_pages
from farthing.documents.training import runs
from farthing.documents.training.runs import train_detector
from farthing.recommend.dataset import Dataset
from farthing.recommend.prepare import PrepareConfig
from farthing.recommend.prepare import prepare as prepare_log
from farthing.recommend.runs import train_run
from tests.discover.collections_on_disk import SETTINGS
from tests.documents.fakes import ColorDetector
from tests.documents.filter_target import CONFIG as FILTER_CONFIG
from tests.documents.plainpages import small_config as documents_config
from tests.recommend.small import small_config
from tests.train.kill_target import train as toy

__all__ = ["documents", "filter", "fit", "prepare", "recommend", "toy"]


def recommend(folder: Path) -> None:
    """A rounded click model of a prepared log beside the folder, a checkpoint after each step."""
    dataset = Dataset.open(folder.parent / "clicks" / "data")
    config = apply_overrides(small_config("int4", dataset), ["train.fit.checkpoint_seconds=0"])
    train_run(dataset, config, folder=folder / "run", seed=0, resume=True)


def documents(folder: Path) -> None:
    """A page detector in both its parts, a checkpoint after each step."""
    original = runs._fit_config

    def at_every_step(evals: int, warmup_steps: int) -> object:
        return replace(original(evals, warmup_steps), checkpoint_seconds=0)

    runs._fit_config = at_every_step  # type: ignore[assignment]
    train_detector([folder.parent / "pages"], documents_config(), folder / "run", seed=1, device="cpu", resume=True)


def prepare(folder: Path) -> None:
    """A click log in many blocks; whatever data set is there before stays until this one is whole."""
    prepare_log([folder.parent / "log.tsv"], folder / "run", config=PrepareConfig(block_bytes=1 << 15))


def filter(folder: Path) -> None:  # noqa: A001  as the command is called
    """Pages through a detector of colours, with crops and documents."""
    filter_pages(ColorDetector(), folder.parent / "pages", folder / "run", FILTER_CONFIG, resume=True)


def fit(folder: Path) -> None:
    """Strokes sorted into known and new classes."""
    images = folder.parent
    request = Request(
        images=images / "images",
        labels=images / "labels.csv",
        num_classes=4,
        config=apply_overrides(FitConfig(), [*SETTINGS, 'sorting.heads=["robust"]', "sorting.folds.num_folds=1"]),
    )
    fit_collection(request, folder / "run", resume=True)
