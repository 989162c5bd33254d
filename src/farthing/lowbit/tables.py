"""The native table: rows of packed codes, pooled as `packed.PackedTable` defines it, in one call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from farthing.lowbit import native
from farthing.lowbit.granularity import Granularity
from farthing.lowbit.levels import Bits

_INDEX_TYPES = (torch.int64, torch.int32)

# Looked up once: what a call for one sample takes is mostly Python.
_is_compiling = torch.compiler.is_compiling
_get_num_threads = torch.get_num_threads


@dataclass(frozen=True, slots=True)
class NativeTable:
    """A packed table in the extension; it reads the memory of the layer's tensors. `native_table` makes it.

    Attributes:
        table: the extension's object.
        is_mean: whether the sum of a bag is divided by the number of its rows.
    """

    table: Any  # Any: the extension is not typed
    is_mean: bool

    def takes(self, indices: Tensor, offsets: Tensor | None = None, weights: Tensor | None = None) -> bool:
        """Whether these bags are for the extension; all others are for torch, which says what is wrong with them.

        A subclass of Tensor may stand for something else than numbers in memory. One on another device is an error in
        both, which the extension raises.
        """
        dtype = indices.dtype
        return (
            type(indices) is Tensor
            and dtype in _INDEX_TYPES
            and (indices.ndim == 2 if offsets is None else indices.ndim == 1 and _is_like(offsets, dtype))
            and (weights is None or (_is_like(weights, torch.float32) and not self.is_mean))
            and not _is_compiling()
        )

    def sum_bags(
        self,
        indices: Int[Tensor, "*indices"],
        offsets: Int[Tensor, " starts"] | None = None,
        weights: Float[Tensor, "*indices"] | None = None,
        *,
        has_end: bool = False,
    ) -> Float[Tensor, "bags dim"]:
        """The sum or mean of each bag that this `takes`.

        Args:
            indices: rows, bag after bag: flat with offsets, or [bags, length] without.
            offsets: where each bag starts, and perhaps where the last one ends.
            weights: a factor for each index.
            has_end: whether the offsets say where the last bag ends.

        Raises:
            IndexError: an index that is no row; says which, and where.
            ValueError: offsets that do not ascend from 0 within the indices, or sizes that do not fit.
        """
        pooled: Tensor = self.table.sum_bags(
            indices.contiguous(),
            None if offsets is None else offsets.contiguous(),
            None if weights is None else weights.contiguous(),
            self.is_mean,
            None,
            _get_num_threads(),
            has_end,
        )
        return pooled


def _is_like(tensor: Tensor, dtype: torch.dtype) -> bool:
    return type(tensor) is Tensor and tensor.dtype is dtype


def native_table(
    codes: UInt8[Tensor, "rows stride"],
    bits: Bits,
    *,
    dim: int,
    granularity: Granularity,
    scale: Float[Tensor, " scales"],
    offset: Float[Tensor, " scales"] | None,
    group_starts: Int[Tensor, " groups"] | None,
    is_mean: bool,
) -> NativeTable | None:
    """The table on the memory of these tensors, or None without the extension, or with tensors that are elsewhere."""
    extension = native.extension()
    if extension is None or codes.device.type != "cpu":
        return None
    # Detached: what the array keeps alive is then memory that nobody can exchange under it.
    arrays = [None if tensor is None else tensor.detach().numpy() for tensor in (codes, scale, offset, group_starts)]
    table = extension.Table(arrays[0], dim, bits, granularity, *arrays[1:])
    return NativeTable(table, is_mean)
