"""Quantization as differentiable functions: the exact forward value with a chosen surrogate gradient.

All of them work on `v = x / scale`, so that multiplying `x` and `scale` by the same number multiplies the result by it
and leaves the gradient to `x` unchanged. Levels: `levels.py`.

Each function passes over its data as few times as eager torch allows: training with them has to stay close to FP32.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import FunctionCtx

from farthing.lowbit.levels import HIGHEST_LEVEL, LOWEST_LEVEL, Bits, nearest_level

_SWISH_BETA = 5.0
# The smallest float32 above 1: hardtanh_backward excludes its ends, the straight-through window includes them.
_ABOVE_ONE = 1.0 + 2.0**-23


Surrogate = Callable[[Tensor, Tensor, Tensor], Tensor]
"""(gradient of the result, x, scale) -> gradient of x."""


def _inside(grad: Tensor, x: Tensor, scale: Tensor, *, low: float, high: float) -> Tensor:
    """`grad` where low < x / scale < high, else 0: one pass, where there is one scale."""
    if scale.numel() == 1:
        low, high = low * scale.item(), high * scale.item()
    else:
        x = x / scale
    window: Tensor = torch.ops.aten.hardtanh_backward(grad, x, low, high)
    return window


def _dot(a: Tensor, b: Tensor, shape: torch.Size) -> Tensor:
    """The sum of a * b to `shape`; for a single element without storing the products."""
    if shape.numel() == 1:
        return torch.dot(a.reshape(-1), b.reshape(-1)).reshape(shape)
    return (a * b).sum_to_size(shape)


def uniform_quantize(
    x: Float[Tensor, "*shape"], scale: Float[Tensor, "*scale"], bits: Bits, *, noise: bool = False
) -> Float[Tensor, "*shape"]:
    """The value scale * nearest_level(x, scale), with the gradients of learned step size quantization.

    With v = x / scale and levels from Qn to Qp (the paper's -Q_N and Q_P):

        d out / d x     = 1                 if Qn < v < Qp, else 0
        d out / d scale = round(v) - v      if Qn < v < Qp, else Qn or Qp

    The second line equals (out - x * (d out / d x)) / scale, which is how it is computed.

    Args:
        x: What is quantized.
        scale: > 0; broadcasts against `x`.
        bits: 8, 4 or 2.
        noise: Round at random, as in `nearest_level`.

    Source: Esser et al., Learned Step Size Quantization, arXiv 1902.08153, equations 1 to 5. `round` means the nearest
    level; with `noise`, the randomly chosen one (ALPT, arXiv 2212.05735, equation 3).
    """
    out: Tensor = _Uniform.apply(x, scale, bits, noise)  # type: ignore[no-untyped-call]
    return out


class _Uniform(Function):
    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, scale: Tensor, bits: Bits, noise: bool) -> Tensor:
        out = nearest_level(x, scale, bits, noise=noise).mul_(scale)
        ctx.save_for_backward(x, scale, out)
        ctx.bits = bits  # type: ignore[attr-defined]
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:  # Any: as torch types ctx
        x, scale, out = ctx.saved_tensors
        grad_x = _inside(grad, x, scale, low=LOWEST_LEVEL[ctx.bits], high=HIGHEST_LEVEL[ctx.bits])
        grad_scale = None
        if ctx.needs_input_grad[1]:
            grad_scale = (_dot(grad, out, scale.shape) - _dot(grad_x, x, scale.shape)) / scale
        return grad_x, grad_scale, None, None


def range_quantize(
    x: Float[Tensor, "*shape"], scale: Float[Tensor, "*scale"], offset: Float[Tensor, "*scale"] | None, bits: Bits
) -> Float[Tensor, "*shape"]:
    """The value offset + scale * nearest_level(x - offset, scale), with the identity as gradient to `x` only.

    The range follows the data, so a value outside it is only there because the range is some steps old: it keeps its
    gradient.

    Args:
        x: What is quantized.
        scale: > 0; broadcasts against `x`, as `offset` does.
        offset: The value of level 0; None means 0.
        bits: 8, 4 or 2.

    Source: DQRM, arXiv 2410.20046, section 3.
    """
    out: Tensor = _Range.apply(x, scale, offset, bits)  # type: ignore[no-untyped-call]
    return out


class _Range(Function):
    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, scale: Tensor, offset: Tensor | None, bits: Bits) -> Tensor:
        del ctx
        if offset is None:
            return nearest_level(x, scale, bits).mul_(scale)
        return nearest_level(x - offset, scale, bits).mul_(scale).add_(offset)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:  # Any: as torch types ctx
        del ctx
        return grad, None, None, None


def straight_through(
    grad: Float[Tensor, "*shape"], x: Float[Tensor, "*shape"], scale: Float[Tensor, "*scale"]
) -> Float[Tensor, "*shape"]:
    """The gradient grad * [|v| <= 1], v = x / scale.

    Source: Hubara et al., Binarized Neural Networks, NeurIPS 2016, equation 4.
    """
    return _inside(grad, x, scale, low=-_ABOVE_ONE, high=_ABOVE_ONE)


def approx_sign(
    grad: Float[Tensor, "*shape"], x: Float[Tensor, "*shape"], scale: Float[Tensor, "*scale"]
) -> Float[Tensor, "*shape"]:
    """The gradient grad * max(0, 2 - 2 |v|), v = x / scale.

    Source: Liu et al., Bi-Real Net, ECCV 2018, equation 7.
    """
    return (x / scale).abs_().mul_(-2.0).add_(2.0).clamp_min_(0.0).mul_(grad)


def swish_sign(
    grad: Float[Tensor, "*shape"], x: Float[Tensor, "*shape"], scale: Float[Tensor, "*scale"]
) -> Float[Tensor, "*shape"]:
    """The gradient grad * b (2 - b v tanh(b v / 2)) / (1 + cosh(b v)), v = x / scale, b = 5.

    Source: Darabi et al., Regularized Binary Network Training (BNN+), arXiv 1812.11800, equation 4.
    """
    bv = (x / scale).mul_(_SWISH_BETA)
    rise = 2.0 - bv * torch.tanh(bv / 2.0)
    return rise.div_(bv.cosh_().add_(1.0)).mul_(_SWISH_BETA).mul_(grad)


def sign_quantize(
    x: Float[Tensor, "*shape"], scale: Float[Tensor, "*scale"], surrogate: Surrogate
) -> Float[Tensor, "*shape"]:
    """The value scale * sign(x) with sign(0) = +1.

        d out / d x     = surrogate(x / scale)
        d out / d scale = sign(x), which is exact

    Args:
        x: What is quantized.
        scale: > 0; broadcasts against `x`.
        surrogate: `straight_through`, `approx_sign` or `swish_sign`.
    """
    out: Tensor = _Sign.apply(x, scale, surrogate)  # type: ignore[no-untyped-call]
    return out


class _Sign(Function):
    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, scale: Tensor, surrogate: Surrogate) -> Tensor:
        out = nearest_level(x, scale, 1).mul_(scale)
        ctx.save_for_backward(x, scale, out)
        ctx.surrogate = surrogate  # type: ignore[attr-defined]
        return out

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:  # Any: as torch types ctx
        x, scale, out = ctx.saved_tensors
        grad_scale = _dot(grad, out, scale.shape) / scale if ctx.needs_input_grad[1] else None
        return ctx.surrogate(grad, x, scale), grad_scale, None


def learned_scale(
    scale: Float[Tensor, " scales"], *, floor: float, factor: Float[Tensor, " scales_or_1"]
) -> Float[Tensor, " scales"]:
    """The value max(scale, floor) with `factor` times the gradient, which also passes where the floor is in force.

    A scale that a large step drove below the floor is used as the floor and can grow again.
    """
    out: Tensor = _LearnedScale.apply(scale, floor, factor)  # type: ignore[no-untyped-call]
    return out


class _LearnedScale(Function):
    @staticmethod
    def forward(ctx: FunctionCtx, scale: Tensor, floor: float, factor: Tensor | float) -> Tensor:
        ctx.factor = factor  # type: ignore[attr-defined]
        return scale.clamp_min(floor)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:  # Any: as torch types ctx
        return grad * ctx.factor, None, None
