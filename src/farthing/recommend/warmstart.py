"""Continuing on newer data: weights of an earlier model, embeddings carried over by the values of their ids."""

from __future__ import annotations

import torch

from farthing.base.errors import ConfigError
from farthing.lowbit.layers import QuantEmbeddingBag
from farthing.lowbit.quantizers import Quantizer
from farthing.recommend.alignment import require_same_columns
from farthing.recommend.encoder import RowEncoder
from farthing.recommend.model import Dlrm
from farthing.recommend.precision import scale_groups
from farthing.recommend.vocabulary import translate

_TABLE = "embedding."


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
    weights = {name: value for name, value in earlier.state_dict().items() if not name.startswith(_TABLE)}
    model.load_state_dict(weights, strict=False)
    rows = torch.from_numpy(translate(earlier_encoder, encoder))
    model.embedding.weight.copy_(earlier.embedding.weight[rows])
    _copy_scales(model, earlier)


def _form(model: Dlrm) -> tuple[object, object]:
    """The shape of every weight but those of the table, and the kind and bits of every quantizer."""
    shapes = {name: value.shape for name, value in model.state_dict().items() if not name.startswith(_TABLE)}
    quantizers = {
        name: (type(module), module.bits) for name, module in model.named_modules() if isinstance(module, Quantizer)
    }
    return shapes, quantizers


def _copy_scales(model: Dlrm, earlier: Dlrm) -> None:
    """Gives each group of embedding rows the scale of the earlier group with the same ids, or the field's last one."""
    new, old = model.embedding, earlier.embedding
    if not isinstance(new, QuantEmbeddingBag) or not isinstance(old, QuantEmbeddingBag):
        return
    first_rows = torch.tensor(scale_groups(model.table_rows, new.table_quantizer.quantizer.bits))
    starts, old_starts = torch.tensor(model.table_starts), torch.tensor(earlier.table_starts)
    field = torch.searchsorted(starts, first_rows, right=True) - 1
    ids = torch.minimum(first_rows - starts[field], torch.tensor(earlier.table_rows)[field] - 1)
    group = old.table_quantizer.groups_of(old_starts[field] + ids)
    weights = old.table_quantizer.quantizer.state_dict()
    new.table_quantizer.quantizer.load_state_dict(
        {name: value[group] if value.ndim else value for name, value in weights.items()}
    )
