"""A page detector as a folder: packed weights, settings, what was measured."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
import torch
from torch import nn

from farthing.base.config import from_dict, to_dict
from farthing.base.errors import ConfigError, FormatError
from farthing.documents.config import DocumentsConfig
from farthing.documents.net.architectures import build_detector
from farthing.documents.net.transforms import canvas_of
from farthing.lowbit.artifact import SUMS_NAME, load_artifact, save_artifact
from farthing.lowbit.convert import pack
from farthing.lowbit.folding import fold_relus
from farthing.lowbit.state import packed_state, restore

APPLICATION: Final = "documents"


class ModelDescription(msgspec.Struct, frozen=True, kw_only=True):
    """What `config.json` says of a page detector.

    Attributes:
        settings: `DocumentsConfig` as JSON.
        layers: descriptions of the packed layers by name, for `lowbit.state.restore`.
        metrics: measured on the held-out part of the training data.
    """

    application: Literal["documents"] = APPLICATION
    settings: dict[str, Any]  # Any: JSON
    layers: dict[str, dict[str, Any]]  # Any: JSON
    metrics: dict[str, float]


@dataclass(frozen=True, slots=True)
class PageModel:
    """A loaded model folder.

    Attributes:
        network: the packed detector, in evaluation mode.
        config: its settings.
        description: what the folder's `config.json` says.
        id: names the model: the first digits of the SHA-256 of all its files.
    """

    network: nn.Module
    config: DocumentsConfig
    description: ModelDescription
    id: str


def save_model(out: Path, model: nn.Module, config: DocumentsConfig, *, metrics: dict[str, float]) -> None:
    """Writes a trained detector, in evaluation mode, as a folder; `model` itself is left as it was.

    A float model keeps its normalisations, which are folded when it is loaded.

    Raises:
        DataError: the folder cannot be written.
    """
    layers, tensors = packed_state(model if config.precision.is_float else pack(model))
    description = ModelDescription(settings=to_dict(config), layers=layers, metrics=metrics)
    save_artifact(out, config=msgspec.to_builtins(description), tensors=tensors)


def load_model(folder: Path) -> PageModel:
    """The model of a folder that `save_model` wrote; every hash is checked first, no code is run.

    Raises:
        FormatError: the folder is damaged, or holds something else.
    """
    artifact = load_artifact(folder)
    application = artifact.config.get("application")
    if application != APPLICATION:
        raise FormatError(f"{folder}: holds a model of {application!r}, not a page detector")
    try:
        description = msgspec.convert(artifact.config, ModelDescription)
        config = from_dict(DocumentsConfig, description.settings)
    except (msgspec.ValidationError, ConfigError) as error:
        raise FormatError(f"{folder}/config.json: {error}") from error
    # sizes come from a file: nothing is allocated before the tensors agree with them; those of D-FINE are its own
    with torch.device("meta" if config.model.architecture == "tiny" else "cpu"):
        empty = build_detector(config)
    network = restore(empty, description.layers, artifact.tensors)
    if config.precision.is_float:
        network = pack(network)
    network = fold_relus(network)
    _check_fit(network, config.model.long_side, folder)
    return PageModel(network, config, description, _id_of(folder))


@torch.inference_mode()
def _check_fit(network: nn.Module, long_side: int, folder: Path) -> None:
    """Looks at a blank page: layers from a file may be sound each and not fit each other."""
    try:
        network(torch.zeros(1, 1, *canvas_of(long_side, 1)))
    except (RuntimeError, IndexError) as error:
        raise FormatError(f"{folder}/config.json: the layers do not fit each other ({error})") from error


def _id_of(folder: Path) -> str:
    return hashlib.sha256((folder / SUMS_NAME).read_bytes()).hexdigest()[:12]
