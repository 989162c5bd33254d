"""One float layer of torch.nn as the packed layer of the same call, rounded as it is, without training.

This is `prepare` and `pack` for a single layer. For a whole model, or for few bits without much loss, use those two
with training between them.
"""

from __future__ import annotations

import copy

import torch
from jaxtyping import Float
from torch import Tensor, nn

from farthing.base.errors import ConfigError
from farthing.lowbit.convert import pack, prepare
from farthing.lowbit.layers import QuantConv2d, QuantLinear
from farthing.lowbit.levels import Bits
from farthing.lowbit.packed import PackedProduct, PackedTable
from farthing.lowbit.plan import QuantPlan, QuantRule, QuantSpec


@torch.no_grad()
def from_float(
    layer: nn.Module, *, bits: Bits, activation_bits: Bits | None = None, inputs: Float[Tensor, "*shape"] | None = None
) -> PackedProduct | PackedTable:
    """The packed layer of a Linear, Conv2d, Embedding or EmbeddingBag: the same call, `bits` a weight.

    Scales: of a table, one for each row, from its smallest to its largest value (at 1 bit the mean magnitude); of a
    Linear or Conv2d, one for each output channel; of the input, one.

    Args:
        layer: stays as it is.
        bits: 8, 4, 2 or 1.
        activation_bits: of the input of a Linear or Conv2d; None leaves it in float.
        inputs: what the layer will see, a batch of it: it sets the scale of the input. With `activation_bits` only.

    Raises:
        ConfigError: the layer is another one or has an option that packed layers lack, or only one of `activation_bits`
            and `inputs` is given.
    """
    if (activation_bits is None) != (inputs is None):
        raise ConfigError("inputs: go with activation_bits, whose scale they set, and only with it")
    is_table = isinstance(layer, nn.Embedding | nn.EmbeddingBag)
    weight = QuantSpec(bits=bits, quantizer=_quantizer(bits), granularity="row" if is_table else "channel")
    activation = (
        None if activation_bits is None else QuantSpec(bits=activation_bits, quantizer=_quantizer(activation_bits))
    )
    rule = QuantRule(pattern="", weight=weight, activation=activation)
    prepared = prepare(copy.copy(layer), QuantPlan(rules=(rule,))).eval()
    if inputs is not None and isinstance(prepared, QuantLinear | QuantConv2d) and prepared.activation_quantizer:
        prepared.activation_quantizer.init_from(inputs)
    packed = pack(prepared)
    assert isinstance(packed, PackedProduct | PackedTable), "a rule for the layer itself replaces it"
    return packed


def _quantizer(bits: Bits) -> str:
    return "sign-ste" if bits == 1 else "minmax"
