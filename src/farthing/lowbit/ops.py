"""What packed layers compute, and the only importer of the native extension.

Everything here is defined by plain torch code; the extension may only be faster. Products of codes are exact integers
on every path, so a training layer in eval mode, its packed twin and a kernel give the same result.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any, Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int, Int8, UInt8
from torch import Tensor

from farthing.lowbit.levels import HIGHEST_LEVEL, LEVEL_UNIT, LOWEST_LEVEL, Bits, level_of_code, nearest_level
from farthing.lowbit.packing import unpack

_native: ModuleType | None
try:
    from farthing import _native
except ImportError:  # the package works without the extension; `farthing doctor` says so
    _native = None

# An int8 product pays for the conversion of its input from this many rows on (measured at 512 x 256).
_INT8_MIN_ROWS = 16


def native_info() -> dict[str, Any] | None:  # Any: what the extension tells about itself
    """CPU `features` and usable kernel `tiers` as the extension sees them, or None where it is not built."""
    if _native is None:
        return None
    return {"features": _native.cpu_features(), "tiers": _native.usable_tiers()}


def lookup_levels(
    packed: UInt8[Tensor, "rows stride"], indices: Int[Tensor, " n"], *, bits: Bits, num_columns: int
) -> Float[Tensor, "n columns"]:
    """The levels, in units of the scale, of the rows that `indices` name; only those rows are read.

    Args:
        packed: All rows (docs/format.md).
        indices: Row numbers; one out of range raises IndexError.
        bits: Of a code.
        num_columns: Codes in a row.
    """
    rows = packed.index_select(0, indices)
    if bits == 8:
        return level_of_code(rows, bits)
    levels = _levels_of_byte(bits).to(packed.device).index_select(0, rows.view(-1).int())
    return levels.view(len(indices), packed.shape[1] * 8 // bits)[:, :num_columns]


@cache
def _levels_of_byte(bits: Bits) -> Float[Tensor, "bytes codes_per_byte"]:
    """The levels of all codes that each of the 256 bytes holds."""
    every_byte = torch.arange(256, dtype=torch.uint8).unsqueeze(1)
    return level_of_code(unpack(every_byte, bits, 8 // bits), bits)


@dataclass(frozen=True, slots=True)
class ActivationScale:
    """How the input of a Linear or Conv2d becomes codes: f32 [1], > 0, and 8, 4, 2 or 1 bits."""

    scale: Tensor
    bits: Bits

    def integers(self, x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """The level of each element in units of `LEVEL_UNIT`: integers in [-128, 127]."""
        return _to_integers(nearest_level(x, self.scale, self.bits), self.bits)


@dataclass(frozen=True, slots=True)
class IntegerWeight:
    """The levels of a weight in forms that torch multiplies fast; made in memory, never stored.

    Attributes:
        bits: Of a code.
        exact: Integer levels [out, ...] in the narrowest float type in which every sum of products is exact.
        int8: The same as int8 [in, out]; None for a convolution.
    """

    bits: Bits
    exact: Tensor
    int8: Int8[Tensor, "in_features out_features"] | None

    @classmethod
    def from_codes(
        cls, codes: UInt8[Tensor, "*weight_shape"], bits: Bits, *, activation_bits: Bits | None
    ) -> IntegerWeight:
        """The forms of a weight [out, in] or [out, in, height, width] for inputs of `activation_bits`."""
        integers = _to_integers(level_of_code(codes, bits), bits)
        if activation_bits is None:
            return cls(bits, integers, None)
        largest_sum = integers[0].numel() * _largest_integer(bits) * _largest_integer(activation_bits)
        int8 = integers.t().to(torch.int8).contiguous() if integers.ndim == 2 else None
        return cls(bits, integers.to(exact_dtype(largest_sum)), int8)


def exact_dtype(largest_sum: int) -> torch.dtype:
    """The narrowest float type in which sums of integers up to `largest_sum` are exact in any order."""
    return torch.float32 if largest_sum <= 2**24 else torch.float64


def linear(
    x: Float[Tensor, "*batch in_features"],
    weight: IntegerWeight,
    *,
    scale: Float[Tensor, " scales"],
    bias: Float[Tensor, " out_features"] | None,
    activation: ActivationScale | None,
) -> Float[Tensor, "*batch out_features"]:
    """y[c] = (activation.scale scale[c] units) sum_k a[k] w[c, k] + bias[c], the sum over integers and exact.

    Without an activation, a is x itself, its scale 1, and the sum a float32 one.

    Args:
        x: The input.
        weight: Levels of the weight.
        scale: One, or one per output channel.
        bias: Added in float32.
        activation: How `x` is quantized; None leaves it.
    """
    rows = x.reshape(-1, x.shape[-1])
    total = F.linear(rows, weight.exact) if activation is None else _integer_product(activation.integers(rows), weight)
    return _scaled(total, scale * _unit(weight, activation), bias).view(*x.shape[:-1], len(weight.exact))


def _integer_product(
    integers: Float[Tensor, "n in_features"], weight: IntegerWeight
) -> Float[Tensor, "n out_features"]:
    """The exact sums, rounded once to float32."""
    if weight.int8 is not None and len(integers) >= _INT8_MIN_ROWS and _has_exact_int8_product():
        product: Tensor = torch._int_mm(integers.to(torch.int8), weight.int8)  # noqa: SLF001  it has no public name
        return product.to(torch.float32)
    return F.linear(integers.to(weight.exact.dtype), weight.exact).to(torch.float32)


@dataclass(frozen=True, kw_only=True, slots=True)
class ConvGeometry:
    """Where a convolution's kernel goes: the arguments of `torch.nn.Conv2d` of these names; padding is with zeros."""

    stride: tuple[int, int]
    padding: tuple[int, int] | Literal["same", "valid"]
    dilation: tuple[int, int]
    groups: int


def conv2d(
    x: Float[Tensor, "batch in_channels height width"],
    weight: IntegerWeight,
    *,
    scale: Float[Tensor, " scales"],
    bias: Float[Tensor, " out_channels"] | None,
    activation: ActivationScale | None,
    geometry: ConvGeometry,
) -> Float[Tensor, "batch out_channels height2 width2"]:
    """The convolution with the same arithmetic as `linear`; the border that `padding` adds counts as integer 0."""
    integers = x if activation is None else activation.integers(x)
    total = F.conv2d(
        integers.to(weight.exact.dtype),
        weight.exact,
        stride=geometry.stride,
        padding=geometry.padding,
        dilation=geometry.dilation,
        groups=geometry.groups,
    )
    per_channel = (scale * _unit(weight, activation)).view(-1, 1, 1)
    return _scaled(total.to(torch.float32), per_channel, None if bias is None else bias.view(-1, 1, 1))


def _unit(weight: IntegerWeight, activation: ActivationScale | None) -> Tensor | float:
    """What one integer step of the product is worth, in units of the weight's scale."""
    if activation is None:
        return LEVEL_UNIT[weight.bits]
    return activation.scale * (LEVEL_UNIT[weight.bits] * LEVEL_UNIT[activation.bits])


def _scaled(total: Tensor, scale: Tensor, bias: Tensor | None) -> Tensor:
    return total * scale if bias is None else torch.addcmul(bias, total, scale)


def _to_integers(levels: Tensor, bits: Bits) -> Tensor:
    return levels if LEVEL_UNIT[bits] == 1.0 else levels / LEVEL_UNIT[bits]


def _largest_integer(bits: Bits) -> int:
    return int(max(HIGHEST_LEVEL[bits], -LOWEST_LEVEL[bits]) / LEVEL_UNIT[bits])


@cache
def _has_exact_int8_product() -> bool:
    """Whether torch multiplies int8 matrices exactly here: on CPUs without VNNI, 16-bit partial sums may saturate."""
    extreme = torch.full((32, 64), -128, dtype=torch.int8)
    try:
        product = torch._int_mm(extreme, extreme.t().contiguous())  # noqa: SLF001
    except (AttributeError, RuntimeError):
        return False
    return bool((product == 64 * 128 * 128).all())
