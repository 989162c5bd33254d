"""A small trained recommender as a model folder: what artifacts are mutated from and servers serve."""

from __future__ import annotations

from pathlib import Path

from farthing.recommend.dataset import Dataset
from farthing.recommend.modelfolder import export_run
from farthing.recommend.runs import train_run
from tests.recommend import small


def make_data(folder: Path) -> Dataset:
    """Prepared clicks with numbers, ids and a field of several values."""
    return small.prepare_frame(small.clicks(with_numbers=True), folder / "clicks")


def make_model(folder: Path, preset: str = "int4", *, seed: int = 0) -> Path:
    """The folder of a model of that preset."""
    dataset = make_data(folder / f"{preset}-{seed}")
    run, model = folder / f"run-{preset}-{seed}", folder / f"model-{preset}-{seed}"
    train_run(dataset, small.small_config(preset, dataset, "train.fit.max_epochs=1"), folder=run, seed=seed)
    export_run(run, model)
    return model
