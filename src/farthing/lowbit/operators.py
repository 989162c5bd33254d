"""Packed layers as torch operators, `torch.ops.farthing.*`: what `torch.export` and `torch.compile` can trace.

A trace sees one operator for a layer, with the packed codes as its argument, and shapes from the operator's fake
kernel; what runs is the packed layer itself. The last argument is the layer's description as config.json holds it
(docs/format.md), so that a graph says all that there is to know about its weights.

Importing this module registers the operators, which a program that was exported needs before it is loaded: the one
import of farthing that has an effect.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, MutableMapping
from typing import Any

import msgspec
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.weak import WeakTensorKeyDictionary

from farthing.lowbit.packed import (
    ConvDescription,
    Description,
    EmbeddingBagDescription,
    EmbeddingDescription,
    LinearDescription,
    PackedProduct,
    PackedTable,
    build,
)

_PRODUCT = "Tensor codes, Tensor scale, Tensor? bias, Tensor? activation_scale, str description) -> Tensor"
_TABLE = "Tensor codes, Tensor scale, Tensor? offset, str description) -> Tensor"

Operator = Callable[..., Tensor]

# The layer of each tensor of codes, which keeps what it prepared in its first call; gone with the tensor.
_layers: MutableMapping[Tensor, tuple[str, nn.Module]] = WeakTensorKeyDictionary()


def traceable(model: nn.Module) -> nn.Module:
    """A copy of a packed model whose layers call the operators; it shares the tensors, under the same names."""
    twins = {
        id(layer): TracedLayer(layer) for layer in model.modules() if isinstance(layer, PackedProduct | PackedTable)
    }
    # deepcopy takes what its memo holds as already copied, the model itself included.
    copied: nn.Module = copy.deepcopy(model, dict[int, object](twins))
    return copied


class TracedLayer(nn.Module):
    """A packed layer that calls its operator; call signature and tensors are those of the packed layer."""

    def __init__(self, layer: PackedProduct | PackedTable) -> None:
        super().__init__()
        is_product = isinstance(layer, PackedProduct)
        names = ("codes", "scale", "bias", "activation_scale") if is_product else ("codes", "scale", "offset")
        for name in names:
            self.register_buffer(name, getattr(layer, name))
        self.names, self.description = names, msgspec.json.encode(layer.description).decode()
        self.operator = OPERATORS[type(layer.description)]
        self.num_inputs = 3 if isinstance(layer.description, EmbeddingBagDescription) else 1

    def forward(self, *inputs: Tensor | None) -> Tensor:
        """What the packed layer gives."""
        absent = [None] * (self.num_inputs - len(inputs))
        out: Tensor = self.operator(*inputs, *absent, *(getattr(self, name) for name in self.names), self.description)
        return out


def _product(
    x: Tensor, codes: Tensor, scale: Tensor, bias: Tensor | None, activation_scale: Tensor | None, description: str
) -> Tensor:
    """What `PackedLinear` or `PackedConv2d` gives."""
    tensors = {"scale": scale, "bias": bias, "activation_scale": activation_scale}
    out: Tensor = _layer(description, codes, tensors)(x)
    return out


def _embedding(input: Tensor, codes: Tensor, scale: Tensor, offset: Tensor | None, description: str) -> Tensor:
    """What `PackedEmbedding` gives."""
    out: Tensor = _layer(description, codes, {"scale": scale, "offset": offset})(input)
    return out


def _embedding_bag(input: Tensor, offsets: Tensor | None, per_sample_weights: Tensor | None, *weight: Any) -> Tensor:
    """What `PackedEmbeddingBag` gives; `weight` is codes, scale, offset and description."""
    codes, scale, offset, description = weight
    out: Tensor = _layer(description, codes, {"scale": scale, "offset": offset})(input, offsets, per_sample_weights)
    return out


# Fake kernels: an empty tensor of the right shape. Any: the operator's other arguments, the description last.


def _fake_linear(x: Tensor, codes: Tensor, *_: Any) -> Tensor:
    return x.new_empty(*x.shape[:-1], len(codes))


def _fake_conv2d(x: Tensor, *rest: Any) -> Tensor:
    layer = msgspec.json.decode(rest[-1], type=ConvDescription)
    place = layer.geometry
    return F.conv2d(
        x,
        x.new_empty(layer.weight_shape),
        stride=place.stride,
        padding=place.padding,
        dilation=place.dilation,
        groups=place.groups,
    )


def _fake_embedding(input: Tensor, _codes: Tensor, scale: Tensor, *rest: Any) -> Tensor:
    return scale.new_empty(*input.shape, msgspec.json.decode(rest[-1], type=EmbeddingDescription).embedding_dim)


def _fake_embedding_bag(input: Tensor, offsets: Tensor | None, *rest: Any) -> Tensor:
    layer = msgspec.json.decode(rest[-1], type=EmbeddingBagDescription)
    # Not len(): it would fix a size that may vary.
    num_bags = input.shape[0] if offsets is None else offsets.shape[0] - int(layer.include_last_offset)
    return input.new_empty(num_bags, layer.embedding_dim, dtype=torch.float32)


def _operator(name: str, schema: str, kernel: Operator, fake: Operator) -> Operator:
    operator = torch.library.custom_op(f"farthing::{name}", kernel, mutates_args=(), schema=schema)
    operator.register_fake(fake)
    return operator


OPERATORS: dict[type, Operator] = {
    LinearDescription: _operator("linear", f"(Tensor x, {_PRODUCT}", _product, _fake_linear),
    ConvDescription: _operator("conv2d", f"(Tensor x, {_PRODUCT}", _product, _fake_conv2d),
    EmbeddingDescription: _operator("embedding", f"(Tensor input, {_TABLE}", _embedding, _fake_embedding),
    EmbeddingBagDescription: _operator(
        "embedding_bag",
        f"(Tensor input, Tensor? offsets, Tensor? per_sample_weights, {_TABLE}",
        _embedding_bag,
        _fake_embedding_bag,
    ),
}


def _layer(description: str, codes: Tensor, tensors: dict[str, Tensor | None]) -> nn.Module:
    """The packed layer of these tensors, made in the first call with these codes."""
    known = _layers.get(codes)
    if known is None or known[0] != description:
        with torch.device("meta"):
            layer = build(msgspec.json.decode(description, type=Description))
        # Another tensor with the same memory: one that is a key must not be kept alive by its value.
        layer.codes = codes.detach()
        for name, tensor in tensors.items():
            setattr(layer, name, tensor)
        known = _layers[codes] = (description, layer.eval())
    return known[1]
