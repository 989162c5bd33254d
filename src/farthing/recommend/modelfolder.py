"""A recommender as a folder that scores raw rows: packed weights, vocabulary, column statistics, a model card."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from farthing.base.config import from_dict, to_dict
from farthing.base.errors import FormatError
from farthing.base.files import read_json
from farthing.lowbit.artifact import load_artifact, save_artifact
from farthing.lowbit.convert import pack
from farthing.lowbit.state import packed_state, restore
from farthing.recommend.card import model_card
from farthing.recommend.clicks import ClickBatch
from farthing.recommend.config import RecommendConfig
from farthing.recommend.cost import multiply_adds, operations
from farthing.recommend.encoder import RowEncoder
from farthing.recommend.model import Dlrm
from farthing.recommend.runs import RESULT_FILE, RUN_FILE, RunInfo, RunResult, load_run, run_config

APPLICATION = "recommend"


@dataclass(frozen=True, slots=True)
class ClickModel:
    """A loaded model folder.

    Attributes:
        network: the packed DLRM, in evaluation mode.
        encoder: from raw rows to what the network reads.
        config: the folder's `config.json`.
    """

    network: Dlrm
    encoder: RowEncoder
    config: dict[str, Any]  # Any: JSON

    @torch.inference_mode()
    def predict(self, batch: ClickBatch) -> torch.Tensor:
        """f64 [rows]: the click probability of every row; the only sigmoid on the way."""
        logits: torch.Tensor = self.network(batch.dense, batch.indices, batch.offsets)
        return logits.double().sigmoid()


def export_run(run: Path, out: Path) -> None:
    """Packs the best weights of a finished run into the model folder `out`.

    Raises:
        FormatError: `run` holds no finished run.
    """
    info, result = read_json(run / RUN_FILE, RunInfo), read_json(run / RESULT_FILE, RunResult)
    metrics = {"valid": result.valid, "test": result.test}
    save_model(out, load_run(run), run_config(info), RowEncoder.load(run), metrics=metrics)


def save_model(
    out: Path,
    model: Dlrm,
    config: RecommendConfig,
    encoder: RowEncoder,
    *,
    metrics: dict[str, dict[str, float]],
) -> None:
    """Writes a trained (or rounded) model as a folder; `model` itself is left as it was."""
    costs = operations(multiply_adds(model))
    layers, tensors = packed_state(pack(copy.deepcopy(model)))
    description = {
        "application": APPLICATION,
        "settings": to_dict(config),
        "num_dense": model.num_dense,
        "table_rows": list(model.table_rows),
        "layers": layers,
        "metrics": metrics,
        "cost": costs,
    }
    files = encoder.to_files() | {"README.md": model_card(description, encoder).encode()}
    save_artifact(out, config=description, tensors=tensors, files=files)


def load_model(folder: Path) -> ClickModel:
    """The model of a folder that `save_model` wrote; every hash is checked first, no code is run.

    Raises:
        FormatError: the folder is damaged, or holds something else.
    """
    artifact = load_artifact(folder)
    config = artifact.config
    if config.get("application") != APPLICATION:
        raise FormatError(f"{folder}: holds a model of {config.get('application')!r}, not a recommender")
    settings = from_dict(RecommendConfig, config["settings"])
    with torch.device("meta"):
        network = Dlrm(num_dense=config["num_dense"], table_rows=tuple(config["table_rows"]), config=settings.model)
    restore(network, config["layers"], artifact.tensors)
    return ClickModel(network, RowEncoder.load(folder), config)


def packed_bytes(folder: Path) -> int:
    """Bytes on disk of the model proper: weights and `config.json`, vocabulary apart."""
    return sum((folder / name).stat().st_size for name in ("model.safetensors", "config.json"))
