"""What packed layers compute.

Everything here is defined by plain torch code; the native extension may only be faster. Products of codes are exact
integers on every path, so a training layer in eval mode, its packed twin and a kernel give the same result.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Annotated, Literal

import msgspec
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int, Int8, UInt8
from torch import Tensor

from farthing.lowbit.levels import HIGHEST_LEVEL, LEVEL_UNIT, LOWEST_LEVEL, Bits, level_of_code, nearest_level
from farthing.lowbit.packing import unpack

# An int8 product pays for the conversion of its input from this many rows on (measured at 512 x 256).
_INT8_MIN_ROWS = 16

# Pixels between places of a kernel; what comes from a file asks for no more memory than that of a usual layer.
_Step = Annotated[int, msgspec.Meta(ge=1, le=64)]
_Margin = Annotated[int, msgspec.Meta(ge=0, le=64)]


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Product:
    """A quantized weight in the forms that torch multiplies fast, and what its integer sums are worth.

    Made in memory when a layer is first used, never stored.

    Attributes:
        integers: Integers of the weight [out, ...], in the narrowest float type in which every sum is exact.
        int8: The same as int8 [in, out]; None for a convolution, or where the input stays float.
        scale: f32 [1 or out], value of one integer step of the sum.
        bias: f32 [out], or None.
        activation: How the input becomes integers; None leaves it float.
    """

    integers: Tensor
    int8: Int8[Tensor, "in_features out_features"] | None
    scale: Float[Tensor, " scales"]
    bias: Float[Tensor, " out"] | None
    activation: ActivationScale | None

    @classmethod
    def from_codes(
        cls,
        codes: UInt8[Tensor, "*weight_shape"],
        bits: Bits,
        *,
        scale: Float[Tensor, " scales"],
        bias: Float[Tensor, " out"] | None,
        activation: ActivationScale | None,
    ) -> Product:
        """The product with a weight [out, in] or [out, in / groups, height, width]."""
        integers = _to_integers(level_of_code(codes, bits), bits)
        if activation is None:
            return cls(integers=integers, int8=None, scale=scale * LEVEL_UNIT[bits], bias=bias, activation=None)
        largest_sum = integers[0].numel() * _largest_integer(bits) * _largest_integer(activation.bits)
        return cls(
            integers=integers.to(exact_dtype(largest_sum)),
            int8=integers.t().to(torch.int8).contiguous() if integers.ndim == 2 else None,
            scale=scale * (activation.scale * (LEVEL_UNIT[bits] * LEVEL_UNIT[activation.bits])),
            bias=bias,
            activation=activation,
        )


def exact_dtype(largest_sum: int) -> torch.dtype:
    """The narrowest float type in which sums of integers up to `largest_sum` are exact in any order."""
    return torch.float32 if largest_sum <= 2**24 else torch.float64


def linear(x: Float[Tensor, "*batch in_features"], product: Product) -> Float[Tensor, "*batch out_features"]:
    """y[c] = scale[c] * sum over k of a[k] w[c, k] + bias[c], where a are the integers of x and the sum is exact.

    Without an activation, a is x itself and the sum a float32 one.
    """
    rows = x.reshape(-1, x.shape[-1])
    if product.activation is None:
        total = F.linear(rows, product.integers)
    else:
        total = _integer_sums(product.activation.integers(rows), product)
    # Two operations, so that the sum is rounded before the bias is added, as docs/format.md says.
    out = total * product.scale if product.bias is None else total * product.scale + product.bias
    return out.view(*x.shape[:-1], len(product.integers))


def _integer_sums(a: Float[Tensor, "n in_features"], product: Product) -> Float[Tensor, "n out_features"]:
    """The exact sums, rounded once to float32."""
    if product.int8 is not None and len(a) >= _INT8_MIN_ROWS and _has_exact_int8_product():
        sums: Tensor = torch._int_mm(a.to(torch.int8), product.int8)  # noqa: SLF001  it has no public name
        return sums.to(torch.float32)
    return F.linear(a.to(product.integers.dtype), product.integers).to(torch.float32)


@dataclass(frozen=True, kw_only=True, slots=True)
class ConvGeometry:
    """Where a convolution's kernel goes: the arguments of `torch.nn.Conv2d` of these names; padding is with zeros."""

    stride: tuple[_Step, _Step]
    padding: tuple[_Margin, _Margin] | Literal["same", "valid"]
    dilation: tuple[_Step, _Step]
    groups: Annotated[int, msgspec.Meta(ge=1, le=1 << 16)]


def conv2d(
    x: Float[Tensor, "*batch in_channels height width"], product: Product, geometry: ConvGeometry
) -> Float[Tensor, "*batch out_channels height2 width2"]:
    """The convolution with the arithmetic of `linear`; the border that `padding` adds counts as integer 0."""
    a = x if product.activation is None else product.activation.integers(x)
    total = F.conv2d(
        a.to(product.integers.dtype),
        product.integers,
        stride=geometry.stride,
        padding=geometry.padding,
        dilation=geometry.dilation,
        groups=geometry.groups,
    ).to(torch.float32)
    out = total * product.scale.view(-1, 1, 1)
    return out if product.bias is None else out.add_(product.bias.view(-1, 1, 1))


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
