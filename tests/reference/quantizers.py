"""Quantizers one element at a time, in plain Python floats: the equations as the papers print them.

Shares no code with farthing.lowbit. Each `<name>(x, s, bits, offset)` returns the code, the value, and the derivatives
of the value to x and to s.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Element:
    """What one element becomes, and its two derivatives."""

    code: int
    value: float
    to_x: float
    to_scale: float


def _code(v: float, bits: int) -> int:
    """The code whose level is nearest to v: round half to even on the integers the paper rounds to."""
    if bits == 2:
        return min(max(round(v - 0.5) + 2, 0), 3)
    half = 1 << bits - 1
    return min(max(round(v), -half), half - 1) + half


def _level(code: int, bits: int) -> float:
    return code - 1.5 if bits == 2 else float(code - 2 ** (bits - 1))


def lsq(x: float, s: float, bits: int, offset: float) -> Element:
    """LSQ, equations 1 to 5."""
    del offset
    v, lowest, highest = x / s, _level(0, bits), _level(2**bits - 1, bits)
    code = _code(min(max(v, lowest), highest), bits)
    level = _level(code, bits)
    if v <= lowest:
        return Element(code, s * level, 0.0, lowest)
    if v >= highest:
        return Element(code, s * level, 0.0, highest)
    return Element(code, s * level, 1.0, level - v)


def minmax(x: float, s: float, bits: int, offset: float) -> Element:
    """Even levels around an offset; the gradient passes straight through."""
    code = _code((x - offset) / s, bits)
    return Element(code, s * _level(code, bits) + offset, 1.0, 0.0)


def _sign(x: float, s: float, slope: Callable[[float], float]) -> Element:
    sign = 1.0 if x >= 0 else -1.0
    return Element(int(x < 0), s * sign, slope(x / s), sign)


def sign_ste(x: float, s: float, bits: int, offset: float) -> Element:
    """Straight through inside |v| <= 1."""
    del bits, offset
    return _sign(x, s, lambda v: 1.0 if abs(v) <= 1.0 else 0.0)


def sign_approx(x: float, s: float, bits: int, offset: float) -> Element:
    """The derivative of Bi-Real Net's piecewise polynomial: 2 + 2v left of 0, 2 - 2v right of it."""
    del bits, offset

    def slope(v: float) -> float:
        if -1.0 <= v < 0.0:
            return 2.0 + 2.0 * v
        return 2.0 - 2.0 * v if 0.0 <= v < 1.0 else 0.0

    return _sign(x, s, slope)


def sign_swish(x: float, s: float, bits: int, offset: float) -> Element:
    """The derivative of SS(v) = 2 sigma(b v) (1 + b v (1 - sigma(b v))) - 1, from the product rule."""
    del bits, offset

    def slope(v: float) -> float:
        bv = 5.0 * v
        sigma = 1.0 / (1.0 + math.exp(-bv))
        sigma_slope = sigma * (1.0 - sigma)
        inner = 1.0 + bv * (1.0 - sigma)
        return 2.0 * 5.0 * (sigma_slope * inner + sigma * (1.0 - sigma - bv * sigma_slope))

    return _sign(x, s, slope)


QUANTIZERS: dict[str, Callable[[float, float, int, float], Element]] = {
    "lsq": lsq,
    "minmax": minmax,
    "gaussian": minmax,  # with an offset of 0
    "sign-ste": sign_ste,
    "sign-approx": sign_approx,
    "sign-swish": sign_swish,
    "stochastic": lsq,  # in eval mode, where it rounds to the nearest
}


@dataclass(frozen=True)
class Result:
    """A quantized matrix and the gradients of sum(grad * value)."""

    codes: NDArray[np.uint8]
    values: Array
    to_x: Array
    to_scale: Array


def quantize(
    name: str, x: Array, *, grad: Array, scale: Array, offset: Array, scale_of: NDArray[np.int64], bits: int
) -> Result:
    """Quantizes a matrix whose element [i, j] uses scale[scale_of[i, j]], with LSQ's 1 / sqrt(N Qp) on the scales."""
    codes = np.zeros(x.shape, np.uint8)
    values, to_x, to_scale, uses = np.zeros(x.shape), np.zeros(x.shape), np.zeros(scale.shape), np.zeros(scale.shape)
    for index in np.ndindex(*x.shape):
        k = scale_of[index]
        element = QUANTIZERS[name](float(x[index]), float(scale[k]), bits, float(offset[k]))
        codes[index], values[index] = element.code, element.value
        to_x[index] = grad[index] * element.to_x
        to_scale[k] += grad[index] * element.to_scale
        uses[k] += 1
    highest = 1.0 if bits == 1 else _level(2**bits - 1, bits)
    return Result(codes, values, to_x, to_scale / np.sqrt(np.maximum(uses * highest, 1.0)))
