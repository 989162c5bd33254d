"""Packing one bit at a time, on Python integers. Shares no code with farthing.lowbit."""

from __future__ import annotations


def pack_row(codes: list[int], bits: int) -> bytes:
    """Writes the codes as one stream of bits, lowest bit first, and cuts it into bytes."""
    stream = [code >> bit & 1 for code in codes for bit in range(bits)]
    stream += [0] * (-len(stream) % 8)
    return bytes(sum(bit << place for place, bit in enumerate(stream[i : i + 8])) for i in range(0, len(stream), 8))


def unpack_row(row: bytes, bits: int, num_codes: int) -> list[int]:
    """Reads the stream back."""
    stream = [byte >> place & 1 for byte in row for place in range(8)]
    return [sum(stream[i * bits + bit] << bit for bit in range(bits)) for i in range(num_codes)]
