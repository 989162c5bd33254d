"""The logits of a packed DLRM, bit for bit as docs/format.md, "The ranker", rounds them; in numpy."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from torch import nn

from farthing.lowbit.packed import PackedEmbeddingBag, PackedLinear
from farthing.recommend.model import Dlrm
from tests.reference.packing import unpack_row

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64]

UNITS = {8: 1.0, 4: 1.0, 2: 0.5, 1: 1.0}


def logits(network: Dlrm, dense: Floats, indices: Integers, offsets: Integers) -> Floats:
    """f32 [B]: what `network` answers; arguments as for `Dlrm.forward`."""
    table, num_fields = _table(network.embedding), len(network.table_rows)
    num_samples = (len(offsets) - 1) // num_fields
    embedded = np.zeros((num_samples * num_fields, table.shape[1]), dtype=np.float32)
    for bag in range(len(embedded)):
        for index in indices[offsets[bag] : offsets[bag + 1]]:
            embedded[bag] += table[index]
    vectors = embedded.reshape(num_samples, num_fields, -1)
    passed_on = vectors.reshape(num_samples, -1)
    if network.bottom is not None:
        passed_on = _mlp(network.bottom, dense)
        vectors = np.concatenate([passed_on[:, None], vectors], axis=1)
    first, second = np.tril_indices(vectors.shape[1], -1)
    products = np.zeros((num_samples, len(first)), dtype=np.float32)
    for d in range(vectors.shape[2]):  # a product of two float32 is exact in float64, so that this rounds like an FMA
        exact = vectors[:, first, d].astype(np.float64) * vectors[:, second, d]
        products = (exact + products).astype(np.float32)
    return _mlp(network.top, np.concatenate([passed_on, products], axis=1))[:, 0]


def _integers(codes: npt.NDArray[np.uint8], bits: int, num_columns: int) -> Integers:
    unpacked = np.array([unpack_row(row.tobytes(), bits, num_columns) for row in codes], dtype=np.int64)
    factor, base = {8: (1, -128), 4: (1, -8), 2: (2, -3), 1: (-2, 1)}[bits]
    return unpacked * factor + base


def _table(table: nn.Module) -> Floats:
    assert isinstance(table, PackedEmbeddingBag)
    what = table.description
    integers = _integers(table.codes.numpy(), what.bits, what.embedding_dim)
    levels = (integers * UNITS[what.bits]).astype(np.float32)
    group = np.searchsorted(what.group_starts or (0,), np.arange(what.num_embeddings), side="right") - 1
    values: Floats = levels * table.scale.numpy()[group, None]
    return values if table.offset is None else values + table.offset.numpy()[group, None]


def _mlp(mlp: nn.Sequential, x: Floats) -> Floats:
    for module in mlp:
        if isinstance(module, PackedLinear):
            x = _linear(module, x)
        elif isinstance(module, nn.PReLU):
            slope: Floats = module.weight.detach().numpy()
            x = np.where(x > 0, x, slope * x).astype(np.float32)
        elif isinstance(module, nn.ReLU):
            x = np.maximum(x, np.float32(0))
    return x


def _linear(linear: PackedLinear, x: Floats) -> Floats:
    what = linear.description
    assert what.activation_bits is not None
    assert linear.activation_scale is not None
    weight = _integers(linear.codes.numpy(), what.bits, what.weight_shape[1])
    step = linear.activation_scale.numpy() * np.float32(UNITS[what.bits] * UNITS[what.activation_bits])
    sums = _quantize(x, linear.activation_scale.numpy(), what.activation_bits) @ weight.T
    y = sums.astype(np.float32) * (linear.scale.numpy() * step)
    return (y if linear.bias is None else y + linear.bias.numpy()).astype(np.float32)


def _quantize(x: Floats, scale: Floats, bits: int) -> Integers:
    if bits == 1:
        return np.where(x < 0, -1, 1).astype(np.int64)
    v = x / scale
    if bits == 2:
        odd: Integers = (2 * np.rint(np.clip(v, -1.5, 1.5) - np.float32(0.5)) + 1).astype(np.int64)
        return odd
    half = 1 << bits - 1
    nearest: Integers = np.rint(np.clip(v, -half, half - 1)).astype(np.int64)
    return nearest
