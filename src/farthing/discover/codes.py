"""Features as codes of few bits: 8 bits with one scale per dimension, or signs.

Eight bits spread their levels from the smallest to the largest value of the dimension. One bit is the sign of the
difference from the median of the dimension, so that each bit is set half of the time. Quantizers and bytes are those of
`lowbit` (docs/format.md); both widths decode to vectors of length 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from farthing.base.errors import DataError, FormatError
from farthing.discover.features import unit_length
from farthing.discover.problem import Features
from farthing.lowbit.levels import level_of_code
from farthing.lowbit.packing import has_zero_padding, pack, row_bytes, unpack
from farthing.lowbit.quantizers import QUANTIZERS

FeatureBits = Literal[32, 8, 1]

_QUANTIZER_OF: dict[int, str] = {8: "minmax", 1: "sign-ste"}


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
        DataError: no features.
    """
    if features.ndim != 2 or not features.size:
        raise DataError(f"features must be [n, dim] with n >= 1, got {features.shape}")
    values = torch.from_numpy(np.ascontiguousarray(features))
    centre = values.median(0).values if bits == 1 else torch.zeros(values.shape[1])
    quantizer = QUANTIZERS[_QUANTIZER_OF[bits]](bits, "dimension", values.shape[1]).eval()
    quantizer.init_from(values - centre)
    offset = centre if quantizer.offset is None else centre + quantizer.offset
    packed = pack(quantizer.codes(values - centre), bits)
    return FeatureCodes(bits=bits, packed=packed, scale=quantizer.positive_scale(), offset=offset)


def rounded(features: Features, bits: FeatureBits) -> Features:
    """The features as they come back from codes of `bits` bits; 32 leaves them as they are."""
    return features if bits == 32 else encode(features, bits).decode()
