"""Sums of packed rows by the native extension: the values of docs/format.md, and the same bits in every tier."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from farthing.lowbit import native
from farthing.lowbit.granularity import Granularity
from farthing.lowbit.levels import Bits
from farthing.lowbit.packed import EmbeddingBagDescription, PackedEmbeddingBag
from farthing.lowbit.packing import pack

EXTENSION = native.extension()
TIERS: list[str] = EXTENSION.usable_tiers() if EXTENSION else []
WIDTHS: tuple[Bits, ...] = (8, 4, 2, 1)
GRANULARITIES: tuple[Granularity, ...] = ("table", "group", "dimension", "row")
NUM_ROWS = 37

pytestmark = pytest.mark.skipif(EXTENSION is None, reason="the native extension is not built (make install)")


@pytest.fixture
def extension() -> ModuleType:
    assert EXTENSION is not None
    return EXTENSION


def random_table(
    bits: Bits, dim: int, *, granularity: Granularity = "table", has_offset: bool = False, mode: Any = "sum"
) -> PackedEmbeddingBag:
    """A table with random codes, scales and offsets; of three groups where there are groups."""
    description = EmbeddingBagDescription(
        num_embeddings=NUM_ROWS,
        embedding_dim=dim,
        bits=bits,
        granularity=granularity,
        group_starts=(0, 5, 20) if granularity == "group" else None,
        has_offset=has_offset,
        mode=mode,
        include_last_offset=True,
    )
    table = PackedEmbeddingBag(description)
    table.codes.copy_(pack(torch.randint(0, 2**bits, (NUM_ROWS, dim), dtype=torch.uint8), bits))
    table.scale.uniform_(0.1, 1.0)
    if table.offset is not None:
        table.offset.uniform_(-1.0, 1.0)
    return table


def array(tensor: Tensor | None) -> Any:
    return None if tensor is None else tensor.numpy()


def bound(extension: ModuleType, table: PackedEmbeddingBag) -> Any:
    """The native table on the memory of a packed layer."""
    description = table.description
    return extension.Table(
        table.codes.numpy(),
        description.embedding_dim,
        description.bits,
        description.granularity,
        table.scale.numpy(),
        array(table.offset),
        array(table.group_starts),
    )


def summed(
    table: PackedEmbeddingBag, indices: Tensor, offsets: Tensor | None, *, num_bags: int, weights: Tensor | None = None
) -> Tensor:
    """What the tier in use writes for the bags."""
    assert EXTENSION is not None
    out = torch.full((num_bags, table.description.embedding_dim), torch.nan)
    is_mean = table.description.mode == "mean"
    native_table = bound(EXTENSION, table)
    native_table.sum_bags(indices.numpy(), array(offsets), array(weights), is_mean, out.numpy(), 1)
    return out


def ends_of(sizes: Sequence[int]) -> Tensor:
    return torch.tensor([0, *sizes]).cumsum(0)


@given(
    bits=st.sampled_from(WIDTHS),
    dim=st.integers(1, 75),
    granularity=st.sampled_from(GRANULARITIES),
    mode=st.sampled_from(["sum", "mean"]),
    has_offset=st.booleans(),
    sizes=st.lists(st.integers(0, 4), max_size=9),
    dtype=st.sampled_from([torch.int32, torch.int64]),
)
def test_every_tier_gives_the_bits_of_the_torch_path(
    bits: Bits,
    dim: int,
    granularity: Granularity,
    mode: str,
    has_offset: bool,
    sizes: list[int],
    dtype: torch.dtype,
) -> None:
    table = random_table(bits, dim, granularity=granularity, has_offset=has_offset, mode=mode)
    offsets = ends_of(sizes)
    indices = torch.randint(0, NUM_ROWS, (sum(sizes),))
    expected = table(indices, offsets)
    for tier in TIERS:
        with native.use_tier(tier):
            assert torch.equal(summed(table, indices.to(dtype), offsets.to(dtype), num_bags=len(sizes)), expected)
