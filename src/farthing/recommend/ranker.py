"""The fused forward of a packed DLRM: ids and numbers in, logits out, in one call of the native extension.

It computes what `model.Dlrm` computes with the same packed layers; docs/format.md, "The ranker", states its rounding.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from jaxtyping import Float, Int
from torch import Tensor, nn

from farthing.lowbit import native
from farthing.lowbit.packed import PackedEmbeddingBag, PackedLinear
from farthing.recommend.model import Dlrm

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int64] | npt.NDArray[np.int32]

# The activations that a native product applies to its outputs, by their names there.
CURVES: Final[Mapping[type[nn.Module], str]] = {nn.ReLU: "relu", nn.PReLU: "prelu"}

# Of a native product; one with more inputs could overflow its sums.
MAX_INPUTS: Final = 65_535


class Ranker:
    """A packed DLRM that is scored natively, some dozens of samples at a time through all of its layers."""

    def __init__(self, network: Any) -> None:  # Any: an object of the extension
        """Use `of`."""
        self._network = network

    @classmethod
    def of(cls, network: Dlrm) -> Ranker | None:
        """The ranker of a packed network in eval mode, or None where torch must run a part of it.

        That is a float layer or table; or the extension is missing.

        Raises:
            ValueError: the layers do not fit each other.
        """
        extension = native.extension()
        if extension is None:
            return None
        table = _table(extension, network.embedding)
        bottom = _products(extension, network.bottom or nn.Sequential())
        top = _products(extension, network.top)
        if table is None or bottom is None or top is None:
            return None
        return cls(extension.Ranker(table, len(network.table_rows), tuple(bottom), tuple(top)))

    def score(
        self,
        dense: Float[Tensor, "B dense"],
        indices: Int[Tensor, " n"],
        offsets: Int[Tensor, " bags"],
        *,
        num_threads: int,
    ) -> Float[Tensor, " B"]:
        """The logit of each sample, the same whatever the other samples and the number of threads are.

        Args:
            dense: [B, num_dense] standardised numeric columns.
            indices: [n] rows of the concatenated table, bag after bag, sample-major.
            offsets: [B F + 1], where each bag starts in `indices`, and where the last one ends; of the same type.
            num_threads: the most that work at once, >= 1.

        Raises:
            ValueError: an array has another shape, or the offsets do not ascend from 0 to at most n.
            TypeError: an array has another type, or gaps.
            IndexError: an index is outside of the table; names its row and field.
        """
        logits: Tensor = self._network.score(dense, indices, offsets, None, num_threads)
        return logits

    def score_arrays(self, dense: Floats, indices: Integers, offsets: Integers, *, num_threads: int) -> Floats:
        """What `score` gives, from numpy arrays and as one."""
        logits = np.empty(len(dense), dtype=np.float32)
        self._network.score(dense, indices, offsets, logits, num_threads)
        return logits


def _table(extension: ModuleType, table: nn.Module) -> Any:  # Any: an object of the extension
    if not isinstance(table, PackedEmbeddingBag):
        return None
    what = table.description
    if what.mode != "sum" or not what.include_last_offset:
        return None
    offset, starts = (None if part is None else part.numpy() for part in (table.offset, table.group_starts))
    codes, scale = table.codes.numpy(), table.scale.numpy()
    return extension.Table(codes, what.embedding_dim, what.bits, what.granularity, scale, offset, starts)


def _products(extension: ModuleType, mlp: nn.Sequential) -> list[Any] | None:  # Any: objects of the extension
    """One product for each linear layer with the activation behind it; None where another layer is among them."""
    modules = [module for module in mlp if not isinstance(module, nn.Identity | nn.Dropout)]
    products = []
    while modules:
        linear = modules.pop(0)
        curve = modules.pop(0) if modules and type(modules[0]) in CURVES else None
        if not isinstance(linear, PackedLinear) or linear.num_columns > MAX_INPUTS:
            return None
        if linear.activation_scale is None:
            return None
        products.append(_product(extension, linear, curve))
    return products


def _product(extension: ModuleType, linear: PackedLinear, curve: nn.Module | None) -> Any:  # Any: of the extension
    what = linear.description
    assert linear.activation_scale is not None, "_products looked"
    slope = None
    if isinstance(curve, nn.PReLU):
        slope = curve.weight.detach().expand(len(linear.codes)).contiguous().numpy()
    return extension.Product(
        linear.codes.numpy(),
        what.bits,
        linear.num_columns,
        linear.scale.numpy(),
        None if linear.bias is None else linear.bias.numpy(),
        linear.activation_scale.item(),
        what.activation_bits,
        curve="none" if curve is None else CURVES[type(curve)],
        slope=slope,
    )
