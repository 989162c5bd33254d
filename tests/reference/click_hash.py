"""Hashed ids of categorical values, as native/hashing.hpp states them, in plain Python."""

from __future__ import annotations

MASK = 2**64 - 1


def fold(a: int, b: int) -> int:
    product = a * b
    return (product & MASK) ^ (product >> 64)


def hash_value(value: bytes, field: int) -> int:
    state = (field + 1) * 0x9E3779B97F4A7C15 & MASK
    # The last word has 1 to 8 bytes; an empty value is one word of 0.
    for start in range(0, max(len(value), 1), 8):
        word = int.from_bytes(value[start : start + 8], "little")
        state = fold(state ^ word, 0xBF58476D1CE4E5B9)
    return fold(state ^ len(value), 0x94D049BB133111EB)


def hashed_id(value: bytes, field: int, table_rows: int) -> int:
    if not value:
        return 1
    return 2 + (hash_value(value, field) * (table_rows - 2) >> 64)
