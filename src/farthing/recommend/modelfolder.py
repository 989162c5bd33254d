"""A recommender as a folder that scores raw rows: packed weights, vocabulary, column statistics, a model card."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from farthing.base.config import from_dict, to_dict
from farthing.base.errors import ConfigError, FormatError, KernelError
from farthing.base.files import read_json
from farthing.lowbit.artifact import load_artifact, save_artifact
from farthing.lowbit.convert import pack
from farthing.lowbit.state import packed_state, restore
from farthing.recommend.card import model_card
from farthing.recommend.clicks import ClickBatch, EncodedRows
from farthing.recommend.config import RecommendConfig
from farthing.recommend.cost import multiply_adds, operations
from farthing.recommend.encoder import RowEncoder
from farthing.recommend.metrics import click_probability
from farthing.recommend.model import Dlrm
from farthing.recommend.ranker import Ranker
from farthing.recommend.runs import RESULT_FILE, RUN_FILE, RunInfo, RunResult, load_run, run_config

APPLICATION: Final = "recommend"

Positive = Annotated[int, msgspec.Meta(ge=1)]


class ModelDescription(msgspec.Struct, frozen=True, kw_only=True):
    """What `config.json` says of a recommender.

    Attributes:
        settings: `RecommendConfig` as JSON.
        num_dense: numeric columns.
        table_rows: embedding rows of each field.
        layers: descriptions of the packed layers by name, for `lowbit.state.restore`.
        metrics: per split, where measured.
        cost: operations of one sample.
    """

    application: Literal["recommend"] = APPLICATION
    settings: dict[str, Any]  # Any: JSON
    num_dense: Annotated[int, msgspec.Meta(ge=0)]
    table_rows: Annotated[tuple[Positive, ...], msgspec.Meta(min_length=1)]
    layers: dict[str, dict[str, Any]]  # Any: JSON
    metrics: dict[str, dict[str, float]]
    cost: dict[str, float]


@dataclass(frozen=True, slots=True)
class ClickModel:
    """A loaded model folder.

    Attributes:
        network: the packed DLRM, in evaluation mode.
        encoder: from raw rows to what the network reads.
        description: what the folder's `config.json` says.
        ranker: the network as one native call; None where it has a part, such as a float layer, that torch must run.
    """

    network: Dlrm
    encoder: RowEncoder
    description: ModelDescription
    ranker: Ranker | None

    @torch.inference_mode()
    def predict(self, batch: ClickBatch) -> torch.Tensor:
        """f64 [rows]: the click probability of every row."""
        logits = self.logits(batch.dense, batch.indices, batch.offsets)
        return torch.from_numpy(click_probability(logits.double().numpy()))

    def predict_rows(self, rows: EncodedRows) -> npt.NDArray[np.float64]:
        """f64 [rows]: as `predict`, without tensors, which a request with one row would mostly wait for."""
        if self.ranker is None:
            return self.predict(rows.batch()).numpy()
        num_threads = torch.get_num_threads()
        logits = self.ranker.score_arrays(rows.dense, rows.indices, rows.bag_offsets(), num_threads=num_threads)
        return click_probability(logits.astype(np.float64))

    def logits(self, dense: Tensor, indices: Tensor, offsets: Tensor) -> Tensor:
        """f32 [rows]: arguments as for `Dlrm.forward`."""
        if self.ranker is None:
            logits: Tensor = self.network(dense, indices, offsets)
            return logits
        return self.ranker.score(dense, indices, offsets, num_threads=torch.get_num_threads())


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
    cost = operations(multiply_adds(model))
    layers, tensors = packed_state(pack(copy.deepcopy(model)))
    description = ModelDescription(
        settings=to_dict(config),
        num_dense=model.num_dense,
        table_rows=model.table_rows,
        layers=layers,
        metrics=metrics,
        cost=cost,
    )
    card = model_card(config, encoder, metrics=metrics, cost=cost)
    files = encoder.to_files() | {"README.md": card.encode()}
    save_artifact(out, config=msgspec.to_builtins(description), tensors=tensors, files=files)


def load_model(folder: Path, *, is_mapped: bool = False) -> ClickModel:
    """The model of a folder that `save_model` wrote; every hash is checked first, no code is run.

    Args:
        folder: the model.
        is_mapped: leave the weights on the disk, unchecked, for tables larger than memory: `artifact.load_artifact`.

    Raises:
        FormatError: the folder is damaged, or holds something else.
    """
    artifact = load_artifact(folder, is_mapped=is_mapped)
    application = artifact.config.get("application")
    if application != APPLICATION:
        raise FormatError(f"{folder}: holds a model of {application!r}, not a recommender")
    try:
        description = msgspec.convert(artifact.config, ModelDescription)
        settings = from_dict(RecommendConfig, description.settings)
    except (msgspec.ValidationError, ConfigError) as error:
        raise FormatError(f"{folder}/config.json: {error}") from error
    encoder = RowEncoder.load(folder)
    if (len(encoder.description.dense), encoder.table_rows) != (description.num_dense, description.table_rows):
        raise FormatError(f"{folder}: encoder.json and config.json differ in num_dense or table_rows")
    with torch.device("meta"):
        network = Dlrm(num_dense=description.num_dense, table_rows=description.table_rows, config=settings.model)
    restore(network, description.layers, artifact.tensors)
    return _fitting(network, encoder, description, folder)


@torch.inference_mode()
def _fitting(network: Dlrm, encoder: RowEncoder, description: ModelDescription, folder: Path) -> ClickModel:
    """The model, if it can score the last id of every field: layers may be sound each and not fit each other."""
    last = torch.tensor(network.table_rows).cumsum(0) - 1
    try:
        model = ClickModel(network, encoder, description, Ranker.of(network))
        model.logits(torch.zeros(1, network.num_dense), last, torch.arange(len(last) + 1))
    except KernelError:
        raise
    except (RuntimeError, IndexError, ValueError) as error:
        raise FormatError(f"{folder}/config.json: the layers do not fit each other ({error})") from error
    return model


def packed_bytes(folder: Path) -> int:
    """Bytes on disk of the model proper: weights and `config.json`, vocabulary apart."""
    return sum((folder / name).stat().st_size for name in ("model.safetensors", "config.json"))
