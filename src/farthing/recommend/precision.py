"""From the bits of a `Precision` to the quantization plan of a DLRM, and to the model itself."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from farthing.lowbit.convert import prepare
from farthing.lowbit.granularity import Granularity
from farthing.lowbit.levels import Bits
from farthing.lowbit.plan import QuantPlan, QuantRule, QuantSpec
from farthing.recommend.config import FLOAT_BITS, ModelConfig, Precision, Width
from farthing.recommend.model import Dlrm

FIRST_BAND, BAND_GROWTH = 16, 4


def build_model(
    *, num_dense: int, table_rows: tuple[int, ...], model: ModelConfig, precision: Precision, seed: int = 0
) -> Dlrm:
    """A DLRM with quantizing layers where `precision` asks for them; the same seed gives the same weights."""
    torch.manual_seed(seed)
    dlrm = Dlrm(num_dense=num_dense, table_rows=table_rows, config=model)
    prepare(dlrm, build_plan(precision, dlrm))
    return dlrm


def build_plan(precision: Precision, model: Dlrm) -> QuantPlan:
    """One rule for the embedding tables and one for every linear layer; parts with 32 bits get none.

    Tables have one scale per group of rows (`scale_groups`), linear weights one per output channel, activations one per
    layer.
    """
    rules = []
    if precision.embedding != FLOAT_BITS:
        groups = scale_groups(model.table_rows, precision.embedding)
        spec = _spec(precision, precision.embedding, precision.embedding_quantizer, "group", groups)
        rules.append(QuantRule(pattern="embedding", weight=spec))
    linears = [name for name, module in model.named_modules() if isinstance(module, nn.Linear)]
    for name in linears:
        bits = precision.edge if name in (linears[0], linears[-1]) else precision.hidden
        is_kept = precision.is_bottom_float and name.startswith("bottom.")
        if bits.weight != FLOAT_BITS and not is_kept:
            weight = _spec(precision, bits.weight, precision.weight_quantizer, "channel")
            rules.append(QuantRule(pattern=name, weight=weight, activation=_activation(precision, bits.activation)))
    return QuantPlan(rules=tuple(rules))


def scale_groups(table_rows: Sequence[int], bits: Bits) -> tuple[int, ...]:
    """First rows of the groups of rows that share a scale, in the concatenated table of all fields.

    Ids are numbered by frequency, so rows that follow each other were trained equally often and have alike norms: the
    rarer an id, the more its prior shrinks it. Each field is therefore cut into bands, after 16, 64, 256, ... rows,
    which costs a dozen scales per field and lets rare rows use all of their levels. At 1 bit, where a learned scale is
    the only magnitude there is, each field has one: it needs the gradients of all rows to settle.
    """
    starts, first = [], 0
    for num_rows in table_rows:
        starts.append(first)
        size = FIRST_BAND
        while bits != 1 and size < num_rows:
            starts.append(first + size)
            size *= BAND_GROWTH
        first += num_rows
    return tuple(starts)


def _activation(precision: Precision, bits: Width) -> QuantSpec | None:
    return None if bits == FLOAT_BITS else _spec(precision, bits, precision.activation_quantizer, "tensor")


def _spec(
    precision: Precision,
    bits: Bits,
    quantizer: str,
    granularity: Granularity,
    group_starts: tuple[int, ...] | None = None,
) -> QuantSpec:
    name = precision.sign_quantizer if bits == 1 else quantizer
    return QuantSpec(bits=bits, quantizer=name, granularity=granularity, group_starts=group_starts)
