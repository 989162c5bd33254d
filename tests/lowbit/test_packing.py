"""Bytes of packed codes: hand-written rows, a bit-by-bit reference, round trips, and torch's own packed tables."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from farthing.lowbit.levels import Bits, level_of_code
from farthing.lowbit.packing import has_zero_padding, pack, row_bytes, unpack
from tests.reference import packing as reference

# By hand: the first code sits in the lowest bits, a row ends with its byte.
ROWS: list[tuple[Bits, list[int], str]] = [
    (8, [0, 1, 128, 255], "0001 80ff"),
    (4, [1, 2, 15], "21 0f"),
    (2, [0, 1, 2, 3, 1], "e4 01"),
    (1, [1, 0, 0, 0, 0, 0, 0, 0, 1, 1], "01 03"),
    (1, [0] * 7 + [1], "80"),
]

WIDTHS: tuple[Bits, ...] = (8, 4, 2, 1)
BITS = st.sampled_from(WIDTHS)


@st.composite
def coded_rows(draw: st.DrawFn) -> tuple[Bits, torch.Tensor]:
    """A bit width and codes [rows, columns], empty ones and odd lengths included."""
    bits: Bits = draw(BITS)
    num_rows, num_columns = draw(st.integers(0, 4)), draw(st.integers(0, 37))
    row = st.lists(st.integers(0, 2**bits - 1), min_size=num_columns, max_size=num_columns)
    rows = draw(st.lists(row, min_size=num_rows, max_size=num_rows))
    return bits, torch.tensor(rows, dtype=torch.uint8).reshape(num_rows, num_columns)


@pytest.mark.parametrize(("bits", "codes", "expected"), ROWS)
def test_rows_written_by_hand(bits: Bits, codes: list[int], expected: str) -> None:
    packed = pack(torch.tensor([codes], dtype=torch.uint8), bits)
    assert packed.numpy().tobytes() == bytes.fromhex(expected)
    assert unpack(packed, bits, len(codes)).tolist() == [codes]


@given(coded_rows())
def test_round_trip(case: tuple[Bits, torch.Tensor]) -> None:
    bits, codes = case
    packed = pack(codes, bits)
    assert packed.shape == (len(codes), row_bytes(codes.shape[1], bits))
    assert torch.equal(unpack(packed, bits, codes.shape[1]), codes)
    assert has_zero_padding(packed, bits, codes.shape[1])


@given(coded_rows())
def test_bytes_equal_those_of_the_reference(case: tuple[Bits, torch.Tensor]) -> None:
    bits, codes = case
    expected = [reference.pack_row(row, bits) for row in codes.tolist()]
    assert [bytes(row) for row in pack(codes, bits).tolist()] == expected
    assert [reference.unpack_row(row, bits, codes.shape[1]) for row in expected] == codes.tolist()


@given(BITS, st.integers(1, 40))
def test_padding_that_is_not_zero_is_seen(bits: Bits, num_columns: int) -> None:
    packed = torch.full((3, row_bytes(num_columns, bits)), 255, dtype=torch.uint8)
    assert has_zero_padding(packed, bits, num_columns) == (num_columns * bits % 8 == 0)


def test_a_code_that_needs_more_bits_is_refused() -> None:
    with pytest.raises(ValueError, match="below 4 for 2 bits, got 4"):
        pack(torch.tensor([[0, 4]], dtype=torch.uint8), 2)


@pytest.mark.parametrize("bits", [8, 4, 2])
@pytest.mark.parametrize("dim", [16, 20])
def test_torch_reads_the_same_bytes(bits: Bits, dim: int) -> None:
    """torch's packed embedding bags hold codes, then scale and minimum, in every row; the codes lie as ours do."""
    codes = torch.randint(0, 2**bits, (9, dim), dtype=torch.uint8)
    scale = torch.randint(8, 64, (9, 1)) / 32  # so short in binary that every product and sum below is exact
    minimum = scale * level_of_code(torch.zeros(1, dtype=torch.uint8), bits)
    tail = torch.cat([scale, minimum], 1).to(torch.float32 if bits == 8 else torch.float16)
    table = torch.cat([pack(codes, bits), tail.view(torch.uint8)], 1)
    name = {8: "byte", 4: "4bit", 2: "2bit"}[bits]

    rows = level_of_code(unpack(pack(codes, bits), bits, dim), bits) * scale
    assert torch.equal(getattr(torch.ops.quantized, f"embedding_bag_{name}_unpack")(table), rows)

    indices, offsets = torch.tensor([3, 0, 3, 8, 1]), torch.tensor([0, 2, 2, 5])
    bag = getattr(torch.ops.quantized, f"embedding_bag_{name}_rowwise_offsets")
    expected = torch.stack([rows[[3, 0]].sum(0), torch.zeros(dim), rows[[3, 8, 1]].sum(0)])
    assert torch.equal(bag(table, indices, offsets, include_last_offset=True), expected)
