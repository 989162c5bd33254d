"""Codes of 1, 2, 4 or 8 bits to bytes and back, in plain torch: the executable definition of docs/format.md.

A row of codes starts on a byte. The first code of a byte is in its lowest bits, and unused high bits of a row's last
byte are zero, so that equal codes are equal bytes.
"""

from __future__ import annotations

import torch
from jaxtyping import UInt8
from torch import Tensor


def row_bytes(num_codes: int, bits: int) -> int:
    """Bytes from one packed row of `num_codes` codes to the next: ceil(num_codes * bits / 8)."""
    return -(-num_codes * bits // 8)


def pack(codes: UInt8[Tensor, "rows columns"], bits: int) -> UInt8[Tensor, "rows stride"]:
    """The packed bytes of each row of codes.

    Args:
        codes: Each below 2**bits.
        bits: 8, 4, 2 or 1.

    Raises:
        ValueError: a code needs more bits.
    """
    num_rows, num_columns = codes.shape
    if codes.numel() and int(codes.max()) >= 2**bits:
        raise ValueError(f"codes: below {2**bits} for {bits} bits, got {int(codes.max())}")
    stride, per_byte = row_bytes(num_columns, bits), 8 // bits
    padded = codes.new_zeros(num_rows, stride * per_byte)
    padded[:, :num_columns] = codes
    # The shifted codes of one byte share no bit, so their sum is their union and stays below 256.
    shifted = torch.bitwise_left_shift(padded.view(num_rows, stride, per_byte), _shifts(bits, codes))
    return shifted.sum(-1, dtype=torch.uint8)


def unpack(packed: UInt8[Tensor, "rows stride"], bits: int, num_columns: int) -> UInt8[Tensor, "rows columns"]:
    """The codes of each packed row; the inverse of `pack`."""
    codes = torch.bitwise_right_shift(packed.unsqueeze(-1), _shifts(bits, packed)).bitwise_and_(2**bits - 1)
    return codes.flatten(1)[:, :num_columns]


def has_zero_padding(packed: UInt8[Tensor, "rows stride"], bits: int, num_columns: int) -> bool:
    """Whether the bits behind the last code of every row are zero, as `pack` leaves them."""
    used_bits = num_columns * bits % 8
    return used_bits == 0 or not bool((packed[:, -1] >> used_bits).any())


def _shifts(bits: int, like: Tensor) -> UInt8[Tensor, " codes_per_byte"]:
    return torch.arange(0, 8, bits, dtype=torch.uint8, device=like.device)
