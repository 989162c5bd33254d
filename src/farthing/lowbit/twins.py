"""The packed twin of each quantizing layer: its codes, packed, and its scales."""

from __future__ import annotations

from typing import Literal, cast

import torch
from jaxtyping import UInt8
from torch import Tensor

from farthing.base.errors import ConfigError, DataError
from farthing.lowbit.folding import Norm, gain_and_shift
from farthing.lowbit.layers import QuantConv2d, QuantEmbedding, QuantEmbeddingBag, QuantLinear, TableQuantizer
from farthing.lowbit.packed import (
    ConvDescription,
    EmbeddingBagDescription,
    EmbeddingDescription,
    LinearDescription,
    PackedConv2d,
    PackedEmbedding,
    PackedEmbeddingBag,
    PackedLinear,
    PackedProduct,
    PackedTable,
)
from farthing.lowbit.packing import pack

# Rows of a table that are quantized at once: enough to be fast, few enough that the copy is small.
_CHUNK_ROWS = 1 << 16

QuantLayer = QuantLinear | QuantConv2d | QuantEmbedding | QuantEmbeddingBag


@torch.no_grad()
def packed_twin(name: str, layer: QuantLayer, *, norm: Norm | None) -> PackedProduct | PackedTable:
    """The packed twin of `layer`, with `norm` folded into a Linear or Conv2d.

    Raises:
        ConfigError: the input quantizer has seen no data.
        DataError: the weight holds NaN or infinity.
    """
    if not bool(layer.weight.isfinite().all()):
        raise DataError(f"module {name!r}: the weight holds NaN or infinity and cannot be packed")
    if isinstance(layer, QuantEmbedding | QuantEmbeddingBag):
        return _packed_table(layer)
    activation = layer.activation_quantizer
    if activation is not None and activation.is_due():
        raise ConfigError(f"module {name!r}: its input quantizer has no scale yet; run a batch through the model first")
    return _packed_product(layer, norm)


def _packed_product(layer: QuantLinear | QuantConv2d, norm: Norm | None) -> PackedProduct:
    quantizer, activation = layer.weight_quantizer, layer.activation_quantizer
    scale, bias = quantizer.positive_scale(), None if layer.bias is None else layer.bias.detach().clone()
    if norm is not None:
        gain, shift = gain_and_shift(norm)
        scale, bias = scale * gain, shift if bias is None else bias * gain + shift
    packed: PackedProduct
    if isinstance(layer, QuantConv2d):
        packed = PackedConv2d(
            ConvDescription(
                weight_shape=cast("tuple[int, int, int, int]", tuple(layer.weight.shape)),
                geometry=layer.geometry(),
                bits=quantizer.bits,
                activation_bits=None if activation is None else activation.bits,
                has_bias=bias is not None,
                num_scales=len(scale),
            )
        )
    else:
        packed = PackedLinear(
            LinearDescription(
                out_features=layer.out_features,
                in_features=layer.in_features,
                bits=quantizer.bits,
                activation_bits=None if activation is None else activation.bits,
                has_bias=bias is not None,
                num_scales=len(scale),
            )
        )
    packed.codes = pack(quantizer.codes(layer.weight).flatten(1), quantizer.bits)
    packed.scale, packed.bias = scale, bias
    if activation is not None:
        packed.activation_scale = activation.positive_scale()
    return packed


def _packed_table(layer: QuantEmbedding | QuantEmbeddingBag) -> PackedTable:
    table = layer.table_quantizer
    quantizer = table.quantizer
    starts = None if table.group_starts is None else tuple(table.group_starts.tolist())
    packed: PackedTable
    if isinstance(layer, QuantEmbedding):
        packed = PackedEmbedding(
            EmbeddingDescription(
                num_embeddings=layer.num_embeddings,
                embedding_dim=layer.embedding_dim,
                bits=quantizer.bits,
                granularity=quantizer.granularity,
                group_starts=starts,
                has_offset=quantizer.offset is not None,
                padding_idx=layer.padding_idx,
            )
        )
    else:
        packed = PackedEmbeddingBag(
            EmbeddingBagDescription(
                num_embeddings=layer.num_embeddings,
                embedding_dim=layer.embedding_dim,
                bits=quantizer.bits,
                granularity=quantizer.granularity,
                group_starts=starts,
                has_offset=quantizer.offset is not None,
                mode=cast("Literal['sum', 'mean']", layer.mode),
                include_last_offset=layer.include_last_offset,
            )
        )
    packed.codes = _packed_codes(table, layer.weight)
    packed.scale = quantizer.positive_scale()
    packed.offset = None if quantizer.offset is None else quantizer.offset.clone()
    return packed


def _packed_codes(table: TableQuantizer, weight: Tensor) -> UInt8[Tensor, "rows stride"]:
    chunks = []
    for start in range(0, len(weight), _CHUNK_ROWS):
        rows = weight[start : start + _CHUNK_ROWS]
        groups = table.groups_of(torch.arange(start, start + len(rows), device=weight.device))
        chunks.append(pack(table.quantizer.codes(rows, groups), table.quantizer.bits))
    return torch.cat(chunks)
