"""Measuring a run or a model folder on any data set with the same columns."""

from __future__ import annotations

from pathlib import Path

from farthing.base.errors import FormatError
from farthing.recommend.alignment import Network, align
from farthing.recommend.dataset import Dataset
from farthing.recommend.encoder import RowEncoder
from farthing.recommend.modelfolder import load_model
from farthing.recommend.runs import RUN_FILE, load_run, measure

MODEL_FILE = "config.json"


def evaluate_folder(folder: Path, data: Path, split: str) -> dict[str, float]:
    """The metrics of a run or a model folder on one split of a data set.

    Raises:
        ConfigError: the data set has no such split, or other columns than the model.
        FormatError: `folder` is neither a run nor a model.
    """
    dataset = Dataset.open(data)
    network, encoder = _load(folder)
    aligned, table_rows = align(network, encoder, dataset)
    return measure(aligned, dataset, split, table_rows=table_rows)


def _load(folder: Path) -> tuple[Network, RowEncoder]:
    if (folder / RUN_FILE).exists():
        return load_run(folder), RowEncoder.load(folder)
    if (folder / MODEL_FILE).exists():
        model = load_model(folder)
        return model.network, model.encoder
    raise FormatError(f"{folder}: neither a run (it has no {RUN_FILE}) nor a model folder (no {MODEL_FILE})")
