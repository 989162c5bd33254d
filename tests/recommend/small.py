"""Small click logs with a known interaction, prepared and trained in well under a second."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from farthing.base.config import apply_overrides
from farthing.recommend.config import RecommendConfig
from farthing.recommend.dataset import Dataset
from farthing.recommend.detect import Choices
from farthing.recommend.jobs import NewProgress, TrainingJob
from farthing.recommend.prepare import prepare
from farthing.recommend.presets import Shape, build_preset
from farthing.recommend.runs import train_run
from farthing.train.interrupt import Interrupted

SETTINGS = (
    "model.embedding_dim=8",
    "model.bottom=16",
    "model.top=16,16",
    "model.dropout=0.1",
    "train.batch_size=64",
    "train.lr=0.02",
    "train.embedding_prior=5",
    "train.fit.max_epochs=2",
)


def clicks(num_rows: int = 2000, *, seed: int = 0, with_numbers: bool) -> pl.DataFrame:
    """A log whose clicks come from a hidden sign of the user, one of the item, and their product.

    With numbers there are also two numeric columns, of which one counts, and a field of none to three tags.
    """
    generator = np.random.default_rng(seed)
    user = np.minimum(generator.zipf(1.3, num_rows), 40)
    item = generator.integers(0, 25, num_rows)
    price = generator.lognormal(1.0, 1.0, num_rows)
    user_sign, item_sign = np.where(user % 2, 1, -1), np.where(item % 2, 1, -1)
    logit = 2.0 * user_sign + 2.0 * item_sign + 2.0 * user_sign * item_sign
    if with_numbers:
        logit += np.log1p(price) - 1.5
    columns: dict[str, object] = {
        "clicked": (generator.random(num_rows) < 1 / (1 + np.exp(-logit))).astype(np.int64),
        "user": user,
        "item": [None if value == 24 else f"item-{value}" for value in item],
    }
    if with_numbers:
        is_missing = generator.random(num_rows) < 0.2
        columns["price"] = [None if missing else value for missing, value in zip(is_missing, price, strict=True)]
        columns["age"] = generator.normal(30.0, 5.0, num_rows)
        tags = [sorted({f"tag{t}" for t in generator.integers(0, 6, n)}) for n in generator.integers(0, 4, num_rows)]
        columns["tags"] = tags
    return pl.DataFrame(columns)


def prepare_frame(frame: pl.DataFrame, folder: Path, *, group: str | None = None) -> Dataset:
    """`frame` as a data set, in the order of its rows."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "log.parquet"
    frame.write_parquet(log)
    prepare([log], folder / "data", choices=Choices(label="clicked", group=group))
    return Dataset.open(folder / "data")


def small_config(preset: str, dataset: Dataset, *settings: str) -> RecommendConfig:
    """A preset, small enough for a test."""
    return apply_overrides(build_preset(preset, Shape.of(dataset)), [*SETTINGS, *settings])


class Trainings:
    """Runs of the small data sets, each trained when it is first asked for."""

    def __init__(self, folder: Path, datasets: dict[str, Dataset]) -> None:
        self.folder, self.datasets = folder, datasets

    def __call__(self, shape: str, preset: str = "fp32") -> Path:
        """The run folder of a preset on the data set of that shape."""
        folder = self.folder / shape / preset
        if not folder.exists():
            dataset = self.datasets[shape]
            train_run(dataset, small_config(preset, dataset), folder=folder, seed=0)
        return folder


class TrainsHere:
    """Stands in for `run_jobs`: trains in this process, one after the other, and notes what it trains.

    Args:
        stop_after: raises an interrupt after so many trainings.
    """

    def __init__(self, stop_after: int | None = None) -> None:
        self.titles: list[str] = []
        self._stop_after = stop_after

    def __call__(self, jobs: Sequence[TrainingJob], *, workers: int, progress: NewProgress | None = None) -> None:
        for job in jobs:
            if not (job.folder / "result.json").exists():
                self.titles.append(job.title)
            train_run(
                Dataset.open(job.data), job.config, folder=job.folder, seed=job.seed, teacher=job.teacher, resume=True
            )
            if len(self.titles) == self._stop_after:
                raise Interrupted("enough")
