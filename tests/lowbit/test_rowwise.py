"""Row layouts of torch and FBGEMM: hand-checked bytes, torch's and FBGEMM's own operators as second implementations."""

from __future__ import annotations

import struct
from itertools import accumulate

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from farthing.base.errors import ConfigError
from farthing.lowbit.granularity import Granularity
from farthing.lowbit.levels import Bits
from farthing.lowbit.packed import EmbeddingBagDescription, PackedEmbeddingBag
from farthing.lowbit.packing import pack
from farthing.lowbit.rowwise import RowBits, row_wise

OPERATORS = {8: "embedding_bag_byte_rowwise_offsets", 4: "embedding_bag_4bit_rowwise_offsets"}
OPERATORS[2] = "embedding_bag_2bit_rowwise_offsets"


def table(
    bits: Bits, *, rows: int = 6, dim: int = 16, granularity: Granularity = "row", has_offset: bool = False
) -> PackedEmbeddingBag:
    """A table of random codes and scales."""
    layer = PackedEmbeddingBag(
        EmbeddingBagDescription(
            num_embeddings=rows,
            embedding_dim=dim,
            bits=bits,
            granularity=granularity,
            group_starts=(0, rows // 2) if granularity == "group" else None,
            has_offset=has_offset,
            mode="sum",
            include_last_offset=False,
        )
    )
    layer.codes = pack(torch.randint(0, 2**bits, (rows, dim), dtype=torch.uint8), bits)
    layer.scale.uniform_(0.01, 0.5)
    if layer.offset is not None:
        layer.offset.uniform_(-1, 1)
    return layer


def bound(layer: PackedEmbeddingBag, *, terms: int) -> float:
    """Of the sum of `terms` values with float16 scales and minimums, from the docstring of `row_wise`."""
    scale = 2 * float(layer.scale.max())
    minimum = 128 * scale + (0.0 if layer.offset is None else 1.0)
    return terms * (255 * (2**-11 * scale + 2**-25) + 2**-11 * minimum + 2**-25)


@pytest.mark.parametrize(
    ("layout", "bits", "expected"),
    [
        ("torch", 8, bytes([129, 127]) + struct.pack("<2f", 0.5, -64.0)),
        ("torch", 4, bytes([0x79]) + struct.pack("<2e", 0.5, -4.0)),
        ("fbgemm", 4, struct.pack("<2e", 0.5, -4.0) + bytes([0x79])),
        ("fbgemm", 8, struct.pack("<2e", 0.5, -64.0) + bytes([129, 127])),
    ],
)
def test_rows_by_hand(layout: str, bits: Bits, expected: bytes) -> None:
    layer = table(bits, rows=1, dim=2, granularity="table")  # values 0.5 and -0.5
    middle = 2 ** (bits - 1)
    layer.codes = pack(torch.tensor([[middle + 1, middle - 1]], dtype=torch.uint8), bits)
    layer.scale.fill_(0.5)
    assert bytes(row_wise(layer, layout)[0].tolist()) == expected  # type: ignore[arg-type]


def test_a_bit_becomes_the_lower_two_of_four_codes() -> None:
    layer = table(1, rows=1, dim=4, granularity="table")
    layer.codes = torch.tensor([[0b0010]], dtype=torch.uint8)  # + - + +
    layer.scale.fill_(0.25)
    assert bytes(row_wise(layer, "torch")[0].tolist()) == bytes([0b01010001]) + struct.pack("<2e", 0.5, -0.25)


@given(
    st.sampled_from([1, 2, 4, 8]),
    st.sampled_from(["table", "group", "row"]),
    st.booleans(),
    st.integers(1, 5),
    st.integers(0, 20),
)
def test_torch_reads_the_rows(
    bits: Bits, granularity: Granularity, has_offset: bool, eighths: int, num_indices: int
) -> None:
    layer = table(bits, dim=8 * eighths, granularity=granularity, has_offset=has_offset)
    indices, offsets = torch.randint(0, 6, (num_indices,)), torch.tensor([0, num_indices // 2])
    for wider in (2, 4, 8):
        if wider >= bits:
            rows = row_wise(layer, "torch", bits=wider)
            assert rows.shape == (6, eighths * wider + (8 if wider == 8 else 4))
            out = getattr(torch.ops.quantized, OPERATORS[wider])(rows, indices, offsets)
            limit = 1e-4 if wider == 8 else bound(layer, terms=num_indices)
            assert float((out - layer(indices, offsets)).abs().max()) <= limit


@pytest.mark.parametrize("bits", [8, 4, 2])
def test_torchs_own_packing_holds_the_same_values(bits: RowBits) -> None:
    layer = table(bits, rows=7)
    values = layer.lookup(torch.arange(7))
    values[:, 0], values[:, 1] = values.amin(1), values.amax(1)
    name = {8: "byte", 4: "4bit", 2: "2bit"}[bits]
    theirs = getattr(torch.ops.quantized, f"embedding_bag_{name}_unpack")(
        getattr(torch.ops.quantized, f"embedding_bag_{name}_prepack")(values)
    )
    ours = getattr(torch.ops.quantized, f"embedding_bag_{name}_unpack")(row_wise(layer, "torch"))
    assert ours.shape == theirs.shape
    assert float((ours - layer.lookup(torch.arange(7))).abs().max()) <= bound(layer, terms=1)


@pytest.mark.parametrize("alignment", [1, 16])
@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_fbgemm_reads_the_rows(bits: Bits, alignment: int) -> None:
    pytest.importorskip("fbgemm_gpu", reason="FBGEMM is not installed: make peers")
    from fbgemm_gpu.split_embedding_configs import SparseType
    from fbgemm_gpu.split_table_batched_embeddings_ops_common import EmbeddingLocation
    from fbgemm_gpu.split_table_batched_embeddings_ops_inference import IntNBitTableBatchedEmbeddingBagsCodegen

    layers = [table(bits, rows=rows, granularity="group", has_offset=True) for rows in (5, 9)]
    kind = {1: SparseType.INT2, 2: SparseType.INT2, 4: SparseType.INT4, 8: SparseType.INT8}[bits]
    bags = IntNBitTableBatchedEmbeddingBagsCodegen(
        [
            (f"t{i}", layer.description.num_embeddings, 16, kind, EmbeddingLocation.HOST)
            for i, layer in enumerate(layers)
        ],
        device="cpu",
        output_dtype=SparseType.FP32,
        row_alignment=alignment,
    )
    rows = [row_wise(layer, "fbgemm", alignment=alignment) for layer in layers]
    bags.initialize_weights()
    for (place, _), table_rows in zip(bags.split_embedding_weights(split_scale_shifts=False), rows, strict=True):
        assert place.shape == table_rows.shape
        place.copy_(table_rows)
    indices = [torch.tensor([0, 4, 4, 2]), torch.tensor([8, 1, 0])]
    offsets = [torch.tensor([0, 1]), torch.tensor([0, 3])]  # two samples, two tables; the last bag is empty
    starts = torch.tensor([0, *accumulate([1, 3, 3, 0])], dtype=torch.int32)
    out = bags(torch.cat(indices).int(), starts)
    expected = torch.cat([layer(i, o) for layer, i, o in zip(layers, indices, offsets, strict=True)], 1)
    assert float((out - expected).abs().max()) <= bound(layers[0], terms=3) + bound(layers[1], terms=3)


def test_rows_grow_by_their_scale_and_minimum_only() -> None:
    layer = table(4, rows=100)
    assert row_wise(layer, "torch").numel() == layer.codes.numel() + 4 * 100
    assert row_wise(layer, "fbgemm").numel() == layer.codes.numel() + 4 * 100


def test_large_tables_are_converted_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = table(4, rows=10)
    whole: Tensor = row_wise(layer, "torch")
    monkeypatch.setattr("farthing.lowbit.rowwise._CHUNK_ROWS", 3)
    assert torch.equal(row_wise(layer, "torch"), whole)


def test_what_rows_cannot_hold_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least the table's own 4"):
        row_wise(table(4), "torch", bits=2)
    with pytest.raises(ConfigError, match="one for each column"):
        row_wise(table(4, granularity="dimension"), "torch")
    with pytest.raises(ConfigError, match="multiple of 2 for rows of 4 bits, got 3"):
        row_wise(table(4, dim=3), "torch")
    with pytest.raises(ConfigError, match="alignment"):
        row_wise(table(4), "torch", alignment=16)
    large = table(4)
    large.scale.fill_(1e5)
    with pytest.raises(ConfigError, match="float16, at most 65504"):
        row_wise(large, "fbgemm")
