"""Packed tables in the row layouts of torch and FBGEMM, where every row carries its own scale and minimum.

The value of a code u there is `minimum + scale * u`. Ours is `offset + scale * level(u)`, and level(u) is u plus the
lowest level, so that codes stay what they are and

    minimum = offset + scale * lowest level                                        8, 4 and 2 bits

One bit has no layout of its own. Its levels -1 and 1 become the lower two of four codes, 1 - u, with

    scale = 2 * scale, minimum = offset - scale                                    1 bit, as 2 bits

| layout | bits | a row |
|---|---|---|
| torch | 8 | codes, float32 scale, float32 minimum |
| torch | 4, 2 | codes, float16 scale, float16 minimum |
| fbgemm | 8, 4, 2 | float16 scale, float16 minimum, codes, zeros up to a multiple of the alignment |

Source: torch's `quantized::embedding_bag_{byte,4bit,2bit}_rowwise_offsets`; FBGEMM's
`IntNBitTableBatchedEmbeddingBagsCodegen` with 4 bytes of scale and bias. Both are second implementations in the tests.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from farthing.base.errors import ConfigError
from farthing.lowbit.granularity import expand, row_groups
from farthing.lowbit.levels import LOWEST_LEVEL
from farthing.lowbit.packed import PackedTable
from farthing.lowbit.packing import pack, unpack

Layout = Literal["torch", "fbgemm"]
RowBits = Literal[8, 4, 2]

# Rows that are converted at once: enough to be fast, few enough that the copy is small.
_CHUNK_ROWS = 1 << 16


def row_wise(
    table: PackedTable, layout: Layout, *, bits: RowBits | None = None, alignment: int = 1
) -> UInt8[Tensor, "rows stride"]:
    """The rows of `table` as the operators of torch or FBGEMM read them.

    With float32 scales a value is within two roundings of ours. With float16 ones it is within
    (2^bits - 1) (2^-11 |scale| + 2^-25) + 2^-11 |minimum| + 2^-25.

    Args:
        table: a PackedEmbedding or PackedEmbeddingBag.
        layout: whose rows.
        bits: of a code; None is the table's own width, and 2 for a table of 1 bit. More bits hold the same values.
        alignment: rows of FBGEMM are a multiple of this many bytes; 1 on a CPU, 16 on a GPU. Not for torch.

    Raises:
        ConfigError: `bits` are fewer than the table has, a row does not end on a byte, a scale belongs to a column, or
            a number is too large for float16.
    """
    own = table.description.bits
    width: RowBits = bits or (2 if own == 1 else own)
    _check(table, width, layout, alignment)
    starts = range(0, table.description.num_embeddings, _CHUNK_ROWS)
    return torch.cat([_rows(table, start, layout, width, alignment) for start in starts])


def scales_and_minimums(
    table: PackedTable, rows: Int[Tensor, " rows"]
) -> tuple[Float[Tensor, "rows 1"], Float[Tensor, "rows 1"]]:
    """The scale of each of the rows and the value of its code 0; at 1 bit, for the code 1 - u."""
    description = table.description
    groups = row_groups(rows, description.granularity, table.group_starts)
    scale = expand(table.scale, description.granularity, ndim=2, groups=groups).expand(len(rows), 1)
    if description.bits == 1:
        lowest, scale = -scale, 2 * scale
    else:
        lowest = scale * LOWEST_LEVEL[description.bits]
    if table.offset is not None:
        lowest = lowest + expand(table.offset, description.granularity, ndim=2, groups=groups)
    return scale, lowest


def _check(table: PackedTable, bits: int, layout: Layout, alignment: int) -> None:
    description = table.description
    if bits < description.bits:
        raise ConfigError(f"bits: at least the table's own {description.bits}, got {bits}")
    if description.granularity == "dimension":
        raise ConfigError("granularity: a row holds one scale, got one for each column; train with table, group or row")
    if description.embedding_dim * bits % 8:
        dim, multiple = description.embedding_dim, 8 // bits
        raise ConfigError(
            f"embedding_dim: a multiple of {multiple} for rows of {bits} bits, got {dim}; 8 bits take any"
        )
    if alignment < 1 or (layout == "torch" and alignment != 1):
        raise ConfigError(f"alignment: 1 for torch, at least 1 for fbgemm, got {alignment}")


def _rows(
    table: PackedTable, start: int, layout: Layout, bits: RowBits, alignment: int
) -> UInt8[Tensor, "rows stride"]:
    packed = table.codes[start : start + _CHUNK_ROWS]
    codes = _codes(packed, table, bits)
    numbers = torch.cat(scales_and_minimums(table, torch.arange(start, start + len(packed))), dim=1)
    if layout == "torch" and bits == 8:
        return torch.cat([codes, numbers.view(torch.uint8)], dim=1)
    halves = numbers.half()
    if not bool(halves.isfinite().all()):
        largest = float(numbers.abs().max())
        raise ConfigError(
            f"scale: rows of {bits} bits hold float16, at most 65504, got {largest}; use 8 bits for torch"
        )
    if layout == "torch":
        return torch.cat([codes, halves.view(torch.uint8)], dim=1)
    rows = torch.cat([halves.view(torch.uint8), codes], dim=1)
    return F.pad(rows, (0, -rows.shape[1] % alignment))


def _codes(packed: UInt8[Tensor, "rows stride"], table: PackedTable, bits: RowBits) -> UInt8[Tensor, "rows stride2"]:
    own = table.description.bits
    if own == bits:
        return packed
    codes = unpack(packed, own, table.num_columns)
    return pack(1 - codes if own == 1 else codes, bits)
