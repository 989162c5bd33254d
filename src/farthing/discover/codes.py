"""Features as codes of few bits: 8 bits with one scale per dimension, or signs.

8 bits: code = nearest(x_d / s_d) in [-128, 127], s_d = max|x_d| / 127. One bit: the sign of x_d - m_d, m_d the median
of dimension d, so that every bit is set half of the time. Both are decoded to vectors of length 1.

The codes of a collection are made and kept with `lowbit`'s levels and bytes (docs/format.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from farthing.base.errors import ConfigError, DataError, FormatError
from farthing.discover.features import unit_length
from farthing.discover.problem import Features
from farthing.lowbit.levels import HIGHEST_LEVEL, code_of_level, level_of_code, nearest_level
from farthing.lowbit.packing import has_zero_padding, pack, row_bytes, unpack

FeatureBits = Literal[32, 8, 1]

# A dimension that is zero everywhere has any scale.
_SMALLEST_SCALE = 1e-12


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class FeatureCodes:
    """Features as packed codes.

    Attributes:
        bits: of each code, 8 or 1.
        packed: u8 [n, ceil(dim * bits / 8)], as docs/format.md says.
        scale: f32 [dim], the value of one level.
        offset: f32 [dim], the value of level 0.
    """

    bits: Literal[8, 1]
    packed: UInt8[Tensor, "n stride"]
    scale: Float[Tensor, " dim"]
    offset: Float[Tensor, " dim"]

    def __post_init__(self) -> None:
        dim = len(self.scale)
        if self.packed.shape[1] != row_bytes(dim, self.bits) or len(self.offset) != dim:
            raise FormatError(
                f"feature codes: {tuple(self.packed.shape)} bytes do not hold {dim} codes of {self.bits} bits"
            )
        if not has_zero_padding(self.packed, self.bits, dim):
            raise FormatError("feature codes: bits behind the last code must be zero")

    @property
    def num_bytes(self) -> int:
        """Bytes of codes, scales and offsets."""
        return self.packed.numel() + 4 * (self.scale.numel() + self.offset.numel())

    def decode(self) -> Features:
        """f32 [n, dim] features of length 1."""
        levels = level_of_code(unpack(self.packed, self.bits, len(self.scale)), self.bits)
        return unit_length((levels * self.scale + self.offset).numpy())


def encode(features: Features, bits: Literal[8, 1]) -> FeatureCodes:
    """The codes of features.

    Args:
        features: f32 [n, dim], finite, n >= 1.
        bits: 8 or 1.

    Raises:
        ConfigError: another number of bits.
        DataError: no features.
    """
    if bits not in (8, 1):
        raise ConfigError(f"bits must be 8 or 1 for feature codes, got {bits}")
    if features.ndim != 2 or not features.size:
        raise DataError(f"features must be [n, dim] with n >= 1, got {features.shape}")
    values = torch.from_numpy(np.ascontiguousarray(features))
    if bits == 8:
        offset = torch.zeros(values.shape[1])
        scale = (values.abs().amax(0) / HIGHEST_LEVEL[8]).clamp_min(_SMALLEST_SCALE)
    else:
        offset = values.median(0).values
        scale = (values - offset).abs().mean(0).clamp_min(_SMALLEST_SCALE)
    codes = code_of_level(nearest_level(values - offset, scale, bits), bits)
    return FeatureCodes(bits=bits, packed=pack(codes, bits), scale=scale, offset=offset)


def rounded(features: Features, bits: FeatureBits) -> Features:
    """The features as they come back from codes of `bits` bits; 32 leaves them as they are."""
    return features if bits == 32 else encode(features, bits).decode()
