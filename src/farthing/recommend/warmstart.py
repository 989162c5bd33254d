"""Continuing on newer data: weights of an earlier model, embeddings carried over by the values of their ids."""

from __future__ import annotations

import torch

from farthing.base.errors import ConfigError
from farthing.recommend.encoder import RowEncoder
from farthing.recommend.model import Dlrm
from farthing.recommend.vocabulary import translate


@torch.no_grad()
def warm_start(model: Dlrm, encoder: RowEncoder, earlier: Dlrm, earlier_encoder: RowEncoder) -> None:
    """Copies into `model` what `earlier` learned.

    An id that the earlier model had a row for keeps that row; a new one starts from the earlier row of the rare and
    unknown ids of its field, which was trained on exactly such ids.

    Raises:
        ConfigError: the two models differ in architecture or precision, or in their fields.
    """
    weights = {name: value for name, value in model.state_dict().items() if name != "embedding.weight"}
    old = {name: value for name, value in earlier.state_dict().items() if name != "embedding.weight"}
    if {n: v.shape for n, v in weights.items()} != {n: v.shape for n, v in old.items()} or encoder.fields != earlier_encoder.fields:
        raise ConfigError("--init: the earlier run has another architecture, precision or other fields; take its preset and settings")
    model.load_state_dict(old, strict=False)
    rows = translate(earlier_encoder, encoder)
    model.embedding.weight.copy_(earlier.embedding.weight[rows])
