"""What a code stands for: the one table that quantizers, packed layers and docs/format.md agree on.

The value of a code u is `offset + scale * level(u)`, and every level is an integer times the unit of its width:

| bits | level(u) | levels | unit | integers |
|---|---|---|---|---|
| 8 | u - 128 | -128, -127, .. 127 | 1 | -128 .. 127 |
| 4 | u - 8 | -8, -7, .. 7 | 1 | -8 .. 7 |
| 2 | u - 1.5 | -1.5, -0.5, 0.5, 1.5 | 1/2 | -3, -1, 1, 3 |
| 1 | 1 - 2 u | 1, -1 (bit 1 means negative) | 1 | 1, -1 |

Two bits have no level 0 (mid-rise): the other choice, -2, -1, 0, 1, spends one of four levels on one side only.
"""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

Bits = Literal[8, 4, 2, 1]

LOWEST_LEVEL: dict[Bits, float] = {8: -128.0, 4: -8.0, 2: -1.5, 1: -1.0}
HIGHEST_LEVEL: dict[Bits, float] = {8: 127.0, 4: 7.0, 2: 1.5, 1: 1.0}
LEVEL_UNIT: dict[Bits, float] = {8: 1.0, 4: 1.0, 2: 0.5, 1: 1.0}


def level_of_code(codes: UInt8[Tensor, "*shape"], bits: Bits) -> Float[Tensor, "*shape"]:
    """The level, in units of the scale, that each code stands for."""
    levels = codes.to(torch.float32)
    return levels.mul_(-2.0).add_(1.0) if bits == 1 else levels.add_(LOWEST_LEVEL[bits])


def code_of_level(levels: Float[Tensor, "*shape"], bits: Bits) -> UInt8[Tensor, "*shape"]:
    """The code of each level; the inverse of `level_of_code`."""
    return (levels < 0 if bits == 1 else levels - LOWEST_LEVEL[bits]).to(torch.uint8)


def nearest_level(v: Float[Tensor, "*shape"], bits: Bits, *, noise: bool = False) -> Float[Tensor, "*shape"]:
    """The level that each `v` is rounded to, after clipping to the lowest and highest one.

    A tie goes to the even integer (at 2 bits: v - 1/2 is rounded so); at 1 bit the level is the sign, and sign(0) = +1.

    Args:
        v: Values in units of the scale.
        bits: 8, 4, 2 or 1.
        noise: Instead, round up with the probability of the fractional part: floor(v + u), u ~ U(0, 1). Not at 1 bit.
    """
    if bits == 1:
        return torch.where(v < 0, -1.0, 1.0)
    q = v.clamp(LOWEST_LEVEL[bits], HIGHEST_LEVEL[bits])
    shift = LOWEST_LEVEL[bits] % 1.0
    if shift:
        q.sub_(shift)
    if noise:
        q.add_(torch.rand_like(q)).floor_()
    else:
        q.round_()
    return q.add_(shift) if shift else q
