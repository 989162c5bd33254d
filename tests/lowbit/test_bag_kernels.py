"""Sums of packed rows by the native extension: the values of docs/format.md, and the same bits in every tier."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from itertools import pairwise
from types import ModuleType
from typing import Any, Literal

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from farthing.lowbit import native
from farthing.lowbit.bags import pool_bags
from farthing.lowbit.granularity import Granularity
from farthing.lowbit.levels import Bits
from farthing.lowbit.packed import (
    EmbeddingBagDescription,
    EmbeddingDescription,
    PackedEmbedding,
    PackedEmbeddingBag,
)
from farthing.lowbit.packing import pack
from farthing.lowbit.rowwise import row_wise
from farthing.lowbit.state import packed_state
from tests.reference import packed as reference

EXTENSION = native.extension()
TIERS: list[str] = EXTENSION.usable_tiers() if EXTENSION else []
WIDTHS: tuple[Bits, ...] = (8, 4, 2, 1)
GRANULARITIES: tuple[Granularity, ...] = ("table", "group", "dimension", "row")
NUM_ROWS = 37

pytestmark = [
    pytest.mark.native,
    pytest.mark.skipif(EXTENSION is None, reason="the native extension is not built (make install)"),
]


@pytest.fixture
def extension() -> ModuleType:
    assert EXTENSION is not None
    return EXTENSION


def random_table(
    bits: Bits,
    dim: int,
    *,
    granularity: Granularity = "table",
    has_offset: bool = False,
    mode: Literal["sum", "mean"] = "sum",
    include_last_offset: bool = True,
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
        include_last_offset=include_last_offset,
    )
    table = PackedEmbeddingBag(description)
    table.codes.copy_(pack(torch.randint(0, 2**bits, (NUM_ROWS, dim), dtype=torch.uint8), bits))
    table.scale.uniform_(0.1, 1.0)
    if table.offset is not None:
        table.offset.uniform_(-1.0, 1.0)
    return table


def in_torch(table: PackedEmbeddingBag, indices: Tensor, ends: Tensor, weights: Tensor | None = None) -> Tensor:
    """What torch computes: the definition."""
    return pool_bags(table.lookup(indices), ends, mode=table.description.mode, weights=weights)


def ends_of(sizes: Sequence[int]) -> Tensor:
    return torch.tensor([0, *sizes]).cumsum(0)


TABLES = {
    "bits": st.sampled_from(WIDTHS),
    "dim": st.one_of(st.integers(1, 75), st.sampled_from([8, 16, 64, 128, 200])),
    "granularity": st.sampled_from(GRANULARITIES),
    "has_offset": st.booleans(),
    "sizes": st.one_of(
        st.lists(st.integers(0, 4), max_size=9),
        st.builds(lambda count, last: [1] * count + [last], st.integers(0, 9), st.sampled_from([1, 1, 0, 3])),
    ),
    "dtype": st.sampled_from([torch.int32, torch.int64]),
}


@given(**TABLES, mode=st.sampled_from(["sum", "mean"]))
def test_every_tier_gives_the_bits_of_torch(
    bits: Bits,
    dim: int,
    granularity: Granularity,
    has_offset: bool,
    sizes: list[int],
    dtype: torch.dtype,
    mode: Literal["sum", "mean"],
) -> None:
    table = random_table(bits, dim, granularity=granularity, has_offset=has_offset, mode=mode)
    indices, ends = torch.randint(0, NUM_ROWS, (sum(sizes),)), ends_of(sizes)
    expected = in_torch(table, indices, ends)
    for tier in TIERS:
        with native.use_tier(tier):
            assert torch.equal(table(indices.to(dtype), ends.to(dtype)), expected)


@given(**TABLES)
def test_weights_are_within_their_rounding(
    bits: Bits, dim: int, granularity: Granularity, has_offset: bool, sizes: list[int], dtype: torch.dtype
) -> None:
    table = random_table(bits, dim, granularity=granularity, has_offset=has_offset)
    indices, ends = torch.randint(0, NUM_ROWS, (sum(sizes),)), ends_of(sizes)
    weights = torch.randn(len(indices), requires_grad=True)
    expected = in_torch(table, indices, ends, weights.detach()).double()
    # torch fuses a weight's multiplication with the addition: half a unit in the last place for each row.
    rows = (table.lookup(indices) * weights.detach().unsqueeze(1)).abs()
    bound = 2.0**-23 * max(sizes, default=0) * float(rows.sum(0).max() if rows.numel() else 0.0)
    results = []
    for tier in TIERS:
        with native.use_tier(tier):
            results.append(table(indices.to(dtype), ends.to(dtype), weights))
    assert all(torch.equal(result, results[0]) for result in results)
    assert not results[0].requires_grad
    assert torch.allclose(results[0].double(), expected, rtol=0, atol=bound)


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize(
    ("bits", "rows", "sums"),
    [
        (1, [[0b10], [0b11]], [0.5 - 0.5, -0.5 - 0.5]),
        (2, [[0b0111], [0b0100]], [0.75 - 0.75, -0.25 - 0.25]),
        (4, [[0x9F], [0x70]], [3.5 - 4.0, 0.5 - 0.5]),
        (8, [[129, 0], [128, 255]], [0.5 + 0.0, -64.0 + 63.5]),
    ],
)
def test_values_by_hand(tier: str, bits: Bits, rows: list[list[int]], sums: list[float]) -> None:
    table = random_table(bits, 2)
    table.scale.fill_(0.5)
    table.codes[:2] = torch.tensor(rows, dtype=torch.uint8)
    with native.use_tier(tier):
        assert table(torch.tensor([0, 1]), torch.tensor([0, 2, 2])).tolist() == [sums, [0.0, 0.0]]


@pytest.mark.parametrize("granularity", GRANULARITIES)
@pytest.mark.parametrize("bits", WIDTHS)
def test_the_values_are_those_of_the_page_on_the_format(bits: Bits, granularity: Granularity) -> None:
    table = random_table(bits, 19, granularity=granularity, has_offset=True)
    indices, ends, weights = torch.randint(0, NUM_ROWS, (30,)), ends_of([3, 0, 20, 7]), torch.rand(30)
    layers, tensors = packed_state(table)
    arrays = {name: reference.Array(list(value.shape), value.flatten().tolist()) for name, value in tensors.items()}
    layer = reference.Layer(layers[""], arrays)
    expected = [reference.bag(layer, indices[a:b].tolist(), weights[a:b].tolist()) for a, b in pairwise(ends.tolist())]
    assert torch.allclose(table(indices, ends, weights).double(), torch.tensor(expected).double(), rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("bits", [8, 4, 2])
def test_the_operators_of_torch_give_the_same(bits: Literal[8, 4, 2]) -> None:
    table = random_table(bits, 32, granularity="row")
    table.scale.copy_(table.scale.half())  # a row there has float16 scales
    name = {8: "byte", 4: "4bit", 2: "2bit"}[bits]
    operator = getattr(torch.ops.quantized, f"embedding_bag_{name}_rowwise_offsets")
    indices, ends = torch.randint(0, NUM_ROWS, (40,)), ends_of([1, 0, 30, 9])
    expected = operator(row_wise(table, "torch"), indices, ends, include_last_offset=True)
    assert torch.allclose(table(indices, ends), expected, atol=2e-2 * 30 / bits, rtol=1e-3)


@pytest.mark.parametrize("mode", ["sum", "mean"])
def test_the_other_forms_of_the_arguments(mode: Literal["sum", "mean"]) -> None:
    open_ended = random_table(4, 16, granularity="group", mode=mode, include_last_offset=False)
    indices = torch.randint(0, NUM_ROWS, (6,))
    expected = in_torch(open_ended, indices, torch.tensor([0, 2, 4, 6]))
    assert torch.equal(open_ended(indices, torch.tensor([0, 2, 4])), expected)
    assert torch.equal(open_ended(indices.view(3, 2)), expected)
    assert torch.equal(
        open_ended(indices.view(2, 3).t().contiguous().t().reshape(6), torch.tensor([0, 2, 4])), expected
    )
    assert open_ended(torch.empty(0, 5, dtype=torch.int64)).shape == (0, 16)
    assert open_ended(torch.empty(2, 0, dtype=torch.int64)).tolist() == [[0.0] * 16] * 2
    assert torch.equal(open_ended(torch.stack([indices, indices], dim=1)[:, 0], torch.tensor([0, 2, 4])), expected)


def test_rows_of_an_embedding() -> None:
    description = EmbeddingDescription(
        num_embeddings=NUM_ROWS,
        embedding_dim=9,
        bits=2,
        granularity="row",
        group_starts=None,
        has_offset=True,
        padding_idx=3,
    )
    table = PackedEmbedding(description)
    table.codes.copy_(pack(torch.randint(0, 4, (NUM_ROWS, 9), dtype=torch.uint8), 2))
    table.scale.uniform_(0.1, 1.0)
    indices = torch.tensor([[0, 3], [36, 5]])
    expected = table.lookup(indices.flatten()).view(2, 2, 9)
    expected[0, 1] = 0.0
    assert torch.equal(table(indices), expected)
    assert torch.equal(table(indices[1, 1]), expected[1, 1])
    assert table(indices[:0]).shape == (0, 2, 9)


@pytest.mark.parametrize("num_threads", [1, 2, 7])
def test_threads_change_nothing(num_threads: int) -> None:
    table = random_table(1, 16, granularity="group")
    indices = torch.randint(0, NUM_ROWS, (5000,))
    ends = torch.arange(5001)
    before = torch.get_num_threads()
    torch.set_num_threads(num_threads)
    try:
        assert torch.equal(table(indices, ends), in_torch(table, indices, ends))
        indices[4321] = NUM_ROWS
        indices[1234] = -1
        with pytest.raises(IndexError, match=r"indices: -1 at position 1234, which is not in \[0, 37\)"):
            table(indices, ends)
    finally:
        torch.set_num_threads(before)


def test_a_table_follows_its_tensors_and_can_be_copied() -> None:
    table = random_table(4, 8)
    bags = torch.arange(4).view(2, 2)
    before = table(bags)
    twin = copy.deepcopy(table)
    table.scale.mul_(2)
    assert torch.equal(table(bags), 2 * before)
    assert torch.equal(twin(bags), before)
    table.load_state_dict(twin.state_dict(), assign=True)
    assert torch.equal(table(bags), before)


def test_without_the_extension_torch_does_it(monkeypatch: pytest.MonkeyPatch) -> None:
    table = random_table(2, 5, granularity="group", has_offset=True)
    bags = torch.randint(0, NUM_ROWS, (3, 4))
    expected = table(bags)
    monkeypatch.setattr(native, "extension", lambda: None)
    without = copy.deepcopy(table)
    assert torch.equal(without(bags), expected)
    assert without.native is None


@pytest.mark.parametrize("index", [-1, NUM_ROWS, 2**31 - 1, -(2**31), 2**40, -(2**63), 2**63 - 1])
@pytest.mark.parametrize("position", [0, 63, 64, 129])
def test_an_index_out_of_range_is_named(index: int, position: int) -> None:
    table = random_table(1, 16)
    for dtype in (torch.int64, torch.int32):
        if dtype == torch.int32 and not -(2**31) <= index < 2**31:
            continue
        indices = torch.zeros(130, dtype=dtype)
        indices[position] = index
        for tier in TIERS:
            with (
                native.use_tier(tier),
                pytest.raises(IndexError, match=rf"indices: {index} at position {position}, which"),
            ):
                table(indices, torch.tensor([0, 130], dtype=dtype))


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize(
    ("position", "offset"), [(0, 1), (0, -1), (5, 3), (100, -(2**63)), (150, 2**63 - 1), (150, 151), (149, 151)]
)
def test_offsets_that_do_not_ascend_within_the_indices_are_named(tier: str, position: int, offset: int) -> None:
    table = random_table(1, 16)
    offsets = torch.arange(151)
    offsets[position] = offset
    with native.use_tier(tier), pytest.raises(ValueError, match=r"offsets: -?\d+ at position \d+; they ascend from 0"):
        table(torch.zeros(150, dtype=torch.int64), offsets)


def native_table(extension: ModuleType, **changes: object) -> Any:
    """A native table of three rows of four codes of 2 bits."""
    arguments: dict[str, object] = {
        "codes": np.zeros((3, 1), np.uint8),
        "dim": 4,
        "bits": 2,
        "granularity": "table",
        "scale": np.ones(1, np.float32),
        "offset": None,
        "group_starts": None,
    }
    return extension.Table(**(arguments | changes))


def unaligned(dtype: type, size: int) -> Any:
    return np.zeros(size * np.dtype(dtype).itemsize + 1, np.uint8)[1:].view(dtype)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bits": 3}, "bits must be 1, 2, 4 or 8"),
        ({"dim": 5}, r"codes must have row_bytes\(dim, bits\) columns"),
        ({"dim": 0}, r"codes must have row_bytes\(dim, bits\) columns"),
        ({"granularity": "channel"}, "granularity must be table, group, dimension or row"),
        ({"granularity": "row"}, "scale must have as many values as its granularity says"),
        ({"granularity": "dimension"}, "scale must have as many values as its granularity says"),
        ({"offset": np.ones(2, np.float32)}, "offset must be as long as scale"),
        ({"granularity": "group"}, "group_starts go with granularity group and only with it"),
        ({"group_starts": np.zeros(1, np.int64)}, "group_starts go with granularity group and only with it"),
        ({"scale": unaligned(np.float32, 1)}, "arrays must be aligned to their type"),
    ],
)
def test_tables_that_do_not_fit_are_refused(extension: ModuleType, changes: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        native_table(extension, **changes)


@pytest.mark.parametrize("starts", [[], [1], [0, 0], [0, 2, 1], [0, 3], [0, -1]])
def test_groups_that_do_not_ascend_are_refused(extension: ModuleType, starts: list[int]) -> None:
    with pytest.raises(ValueError, match="group_starts must"):
        native_table(
            extension,
            granularity="group",
            group_starts=np.array(starts, np.int64),
            scale=np.ones(len(starts), np.float32),
        )


ONES = np.ones(4, np.int64)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"out": np.zeros((2, 3), np.float32)}, ValueError, "out must have as many columns as the table"),
        ({"out": np.zeros((4, 4), np.float32)}, ValueError, "offsets must be as many as out has rows, or one more"),
        ({"weights": np.ones(3, np.float32)}, ValueError, "weights must be as many as indices"),
        ({"offsets": None, "out": np.zeros((3, 4), np.float32)}, ValueError, "without offsets the indices must be"),
        ({"offsets": None, "out": np.zeros((0, 4), np.float32)}, ValueError, "without offsets the indices must be"),
        ({"indices": unaligned(np.int64, 4)}, ValueError, "arrays must be aligned to their type"),
        ({"offsets": unaligned(np.int64, 3)}, ValueError, "arrays must be aligned to their type"),
        ({"out": unaligned(np.float32, 8).reshape(2, 4)}, ValueError, "arrays must be aligned to their type"),
        ({"indices": ONES, "out": ONES.view(np.float32).reshape(2, 4)}, ValueError, "out must not overlap"),
        ({"indices": ONES.astype(np.int32)}, TypeError, "incompatible"),
        ({"indices": ONES.astype(np.float64)}, TypeError, "incompatible"),
        ({"indices": np.ones(8, np.int64)[::2]}, TypeError, "incompatible"),
        ({"offsets": np.zeros(6, np.int64)[::2]}, TypeError, "incompatible"),
        ({"offsets": np.zeros((3, 1), np.int64)}, TypeError, "incompatible"),
        ({"weights": np.ones(4, np.float64)}, TypeError, "incompatible"),
        ({"out": np.zeros((2, 4), np.float64)}, TypeError, "incompatible"),
        ({"out": np.zeros((2, 8), np.float32)[:, ::2]}, TypeError, "incompatible"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(
    extension: ModuleType, changes: dict[str, object], error: type[Exception], message: str
) -> None:
    arguments: dict[str, object] = {
        "indices": np.ones(4, np.int64),
        "offsets": np.array([0, 2, 4], np.int64),
        "weights": None,
        "mean": False,
        "out": np.zeros((2, 4), np.float32),
        "num_threads": 1,
    }
    with pytest.raises(error, match=message):
        native_table(extension).sum_bags(**(arguments | changes))


def test_an_output_may_not_be_the_table(extension: ModuleType) -> None:
    memory = np.zeros((4, 4), np.float32)
    table = native_table(extension, codes=memory.view(np.uint8).reshape(-1, 1)[:3])
    with pytest.raises(ValueError, match="out must not overlap another array"):
        table.sum_bags(np.ones(4, np.int64), None, None, mean=False, out=memory, num_threads=1)
