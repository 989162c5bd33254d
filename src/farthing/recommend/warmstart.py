"""Continuing on newer data: weights of an earlier model, embeddings carried over by the values of their ids."""

from __future__ import annotations

import torch

from farthing.base.errors import ConfigError
from farthing.lowbit.quantizers import Quantizer
from farthing.recommend.alignment import require_same_columns
from farthing.recommend.encoder import RowEncoder
from farthing.recommend.model import Dlrm
from farthing.recommend.vocabulary import translate

_TABLE = "embedding.weight"


@torch.no_grad()
def warm_start(model: Dlrm, encoder: RowEncoder, earlier: Dlrm, earlier_encoder: RowEncoder) -> None:
    """Copies into `model` what `earlier` learned.

    An id that the earlier model had a row for keeps that row; a new one starts from the earlier row of the rare and
    unknown ids of its field, which was trained on exactly such ids.

    Raises:
        ConfigError: the two models differ in their columns, architecture or precision.
    """
    require_same_columns(earlier_encoder, encoder, where="--init")
    if _form(model) != _form(earlier):
        raise ConfigError(
            "--init: the earlier run has another architecture or precision; take its preset, and its settings of "
            "model and precision"
        )
    weights = {name: value for name, value in earlier.state_dict().items() if name != _TABLE}
    model.load_state_dict(weights, strict=False)
    rows = torch.from_numpy(translate(earlier_encoder, encoder))
    model.embedding.weight.copy_(earlier.embedding.weight[rows])


def _form(model: Dlrm) -> tuple[object, object]:
    """The shape of every weight but the table, and the kind and bits of every quantizer."""
    shapes = {name: value.shape for name, value in model.state_dict().items() if name != _TABLE}
    quantizers = {
        name: (type(module), module.bits) for name, module in model.named_modules() if isinstance(module, Quantizer)
    }
    return shapes, quantizers
