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


def nearest_level(
    x: Float[Tensor, "*shape"], scale: Float[Tensor, "*scale"], bits: Bits, *, noise: bool = False
) -> Float[Tensor, "*shape"]:
    """The level that x / scale is rounded to, after clipping to the lowest and highest one.

    A tie goes to the even integer (at 2 bits: x / scale - 1/2 is rounded so); at 1 bit the level is the sign of x, and
    both zeros count as positive.

    Args:
        x: Finite values.
        scale: > 0; broadcasts against `x`.
        bits: 8, 4, 2 or 1.
        noise: Instead, round up with the probability of the fractional part: floor(v + u), u ~ U(0, 1). Not at 1 bit.
    """
    if bits == 1:
        return torch.copysign(torch.ones((), device=x.device), x + 0.0)  # -0.0 + 0.0 is 0.0
    v = (x / scale).clamp_(LOWEST_LEVEL[bits], HIGHEST_LEVEL[bits])
    shift = LOWEST_LEVEL[bits] % 1.0
    if shift:
        v.sub_(shift)
    if noise:
        v.add_(torch.rand_like(v)).floor_().clamp_max_(HIGHEST_LEVEL[bits] - shift)
    else:
        v.round_()
    return v.add_(shift) if shift else v
