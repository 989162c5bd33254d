"""The quantizers: each turns a float tensor into codes of few bits, and trains through the rounding.

The value of a code u is `offset + scale * level(u)` (levels: `surrogates.py`; only `minmax` on embeddings has an
offset). `forward` gives these values with a surrogate gradient, `codes` and `dequantize` the two halves; in eval mode
`dequantize(codes(x))` equals `forward(x)` bit for bit.

To add one: a class here, a line in `QUANTIZERS`, a row in the value table of its test (docs/add-a-quantizer.md).
"""

from __future__ import annotations

import math
from typing import ClassVar

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn

from farthing.lowbit.granularity import Granularity, expand, extremes_per_scale, mean_per_scale, num_uses
from farthing.lowbit.surrogates import (
    HIGHEST_LEVEL,
    LOWEST_LEVEL,
    Surrogate,
    approx_sign,
    learned_scale,
    nearest_level,
    range_quantize,
    sign_quantize,
    straight_through,
    swish_sign,
    uniform_quantize,
)

# Far below any useful scale (weights are around 1e-2), far above where 1 / scale overflows.
SMALLEST_SCALE = 1e-8


def level_of_code(codes: UInt8[Tensor, "..."], bits: int) -> Float[Tensor, "..."]:
    """The level, in units of the scale, that each code stands for."""
    levels = codes.to(torch.float32)
    return levels.mul_(-2.0).add_(1.0) if bits == 1 else levels.add_(LOWEST_LEVEL[bits])


class Quantizer(nn.Module):
    """What all quantizers share: the scales, their first values, and the way from a code to its value.

    Args:
        bits: One of `offered_bits`.
        granularity: What shares a scale.
        num_scales: How many scales there are.

    Attributes:
        scale: f32 [num_scales], > 0 where it is used; a Parameter where it is learned.
        offset: f32 [num_scales] or None.
        is_initialised: bool scalar; the first data that the quantizer sees sets the scales.
    """

    offered_bits: ClassVar[tuple[int, ...]]
    scale: Tensor
    offset: Tensor | None
    is_initialised: Tensor

    def __init__(self, bits: int, granularity: Granularity, num_scales: int) -> None:
        super().__init__()
        self.bits, self.granularity, self.num_scales = bits, granularity, num_scales
        self.register_buffer("offset", None)
        self.register_buffer("is_initialised", torch.tensor(False))

    def forward(
        self, x: Float[Tensor, "*shape"], groups: Int[Tensor, "*rows"] | None = None
    ) -> Float[Tensor, "*shape"]:
        """`x` rounded to the values that codes can have.

        Args:
            x: Any float32 tensor that fits the granularity.
            groups: For granularity `group` and `row`: the scale index of each row of `x` [*rows, dim].
        """
        if self.is_due():
            self.init_from(x, groups)
        return self.fake_quantize(x, groups)

    def fake_quantize(self, x: Tensor, groups: Tensor | None) -> Tensor:
        """The differentiable value; what a subclass defines."""
        raise NotImplementedError

    def codes(self, x: Float[Tensor, "*shape"], groups: Int[Tensor, "*rows"] | None = None) -> UInt8[Tensor, "*shape"]:
        """The code in [0, 2**bits) of each element, as eval mode rounds it."""
        raise NotImplementedError

    @torch.no_grad()
    def init_from(self, x: Float[Tensor, "..."], groups: Int[Tensor, "*rows"] | None = None) -> None:
        """Sets the scales from data: a weight, a table, or the first batch of activations."""
        self.scale.copy_(self.first_scale(x, groups).clamp_min_(SMALLEST_SCALE))
        self.is_initialised.fill_(True)

    def first_scale(self, x: Tensor, groups: Tensor | None) -> Tensor:
        """The scales that `x` starts with; what a subclass defines."""
        raise NotImplementedError

    def is_due(self) -> bool:
        """Whether the scales are to be set from data before the next step."""
        return not self.is_initialised

    @torch.no_grad()
    def dequantize(
        self, codes: UInt8[Tensor, "*shape"], groups: Int[Tensor, "*rows"] | None = None
    ) -> Float[Tensor, "*shape"]:
        """The value of each code."""
        step = self._expand(self.scale.clamp_min(SMALLEST_SCALE), codes.ndim, groups)
        values = level_of_code(codes, self.bits).mul_(step)
        return values if self.offset is None else values.add_(self._expand(self.offset, codes.ndim, groups))

    def extra_repr(self) -> str:
        return f"bits={self.bits}, granularity={self.granularity!r}, num_scales={self.num_scales}"

    def _expand(self, per_scale: Tensor, ndim: int, groups: Tensor | None) -> Tensor:
        return expand(per_scale, self.granularity, ndim=ndim, groups=groups)

    def _step(self, x: Tensor, groups: Tensor | None, highest: float) -> Tensor:
        """The learned scales, broadcast against `x`, with LSQ's gradient scale 1 / sqrt(N Qp).

        N is the number of elements of `x` that use a scale: the weight's size for a weight, as in the paper, and
        the rows looked up in this batch, times dim, for a group of an embedding table.
        """
        scale = self.scale
        if torch.is_grad_enabled() and scale.requires_grad:
            uses = num_uses(x, self.granularity, num_scales=self.num_scales, groups=groups)
            factor = (uses * highest) ** -0.5 if isinstance(uses, float) else (uses * highest).clamp_min_(1.0).rsqrt_()
            scale = learned_scale(scale, floor=SMALLEST_SCALE, factor=factor)
        else:
            scale = scale.clamp_min(SMALLEST_SCALE)
        return self._expand(scale, x.ndim, groups)


class Lsq(Quantizer):
    """Learned step size: out = s nearest(clip(x / s, Qn, Qp)), 2 to 8 bits.

    Gradients: `uniform_quantize`; the one to s is multiplied by 1 / sqrt(N Qp). First scale: 2 mean|x| / sqrt(Qp).

    Source: Esser et al., arXiv 1902.08153, equations 1 to 5 and section 2.2. Differences: at 2 bits the levels are
    -1.5, -.5, .5, 1.5 instead of -2, -1, 0, 1, and s is kept above `SMALLEST_SCALE`.
    """

    offered_bits = (8, 4, 2)

    def __init__(self, bits: int, granularity: Granularity, num_scales: int) -> None:
        super().__init__(bits, granularity, num_scales)
        self.scale = nn.Parameter(torch.ones(num_scales))

    def fake_quantize(self, x: Tensor, groups: Tensor | None) -> Tensor:
        step = self._step(x, groups, HIGHEST_LEVEL[self.bits])
        return uniform_quantize(x, step, self.bits, noise=self._has_noise())

    @torch.no_grad()
    def codes(self, x: Float[Tensor, "*shape"], groups: Int[Tensor, "*rows"] | None = None) -> UInt8[Tensor, "*shape"]:
        v = x / self._step(x, groups, HIGHEST_LEVEL[self.bits])
        return nearest_level(v, self.bits).sub_(LOWEST_LEVEL[self.bits]).to(torch.uint8)

    def first_scale(self, x: Tensor, groups: Tensor | None) -> Tensor:
        mean = mean_per_scale(x.abs(), self.granularity, num_scales=self.num_scales, groups=groups)
        return mean * 2.0 / math.sqrt(HIGHEST_LEVEL[self.bits])

    def _has_noise(self) -> bool:
        return False


class Stochastic(Lsq):
    """LSQ that rounds up with the probability of the fractional part while training: s floor(clip(x / s) + u).

    u ~ U(0, 1) per element, so the rounding is right on average; eval mode rounds to the nearest.

    Source: ALPT, arXiv 2212.05735, equation 3. Difference: the FP32 latent weight is kept and trained.
    """

    def _has_noise(self) -> bool:
        return self.training


class MinMax(Quantizer):
    """Levels spread evenly from the smallest to the largest value, taken anew every `REFRESH_STEPS` training steps.

    Embeddings: scale = (max - min) / (2**bits - 1), and an offset that puts the lowest level at min.
    Linear, Conv2d and activations: symmetric, scale = max|x| / Qp, so that a product stays a plain integer sum.
    Gradient: `range_quantize`.

    Source: DQRM, arXiv 2410.20046, section 3 (embeddings asymmetric per table, refreshed every 200 steps).
    """

    offered_bits = (8, 4, 2)
    REFRESH_STEPS: ClassVar[int] = 200
    steps: Tensor

    def __init__(self, bits: int, granularity: Granularity, num_scales: int) -> None:
        super().__init__(bits, granularity, num_scales)
        self.register_buffer("scale", torch.ones(num_scales))
        self.register_buffer("steps", torch.tensor(0))
        if granularity not in ("tensor", "channel"):
            self.offset = torch.zeros(num_scales)

    def is_due(self) -> bool:
        return super().is_due() or (self.training and int(self.steps) >= self.REFRESH_STEPS)

    @torch.no_grad()
    def init_from(self, x: Float[Tensor, "..."], groups: Int[Tensor, "*rows"] | None = None) -> None:
        super().init_from(x, groups)
        self.steps.zero_()
        if self.offset is not None:
            low, _ = extremes_per_scale(x, self.granularity, num_scales=self.num_scales, groups=groups)
            self.offset.copy_(low - self.scale * LOWEST_LEVEL[self.bits])

    def first_scale(self, x: Tensor, groups: Tensor | None) -> Tensor:
        low, high = extremes_per_scale(x, self.granularity, num_scales=self.num_scales, groups=groups)
        if self.offset is None:
            return torch.maximum(high, -low) / HIGHEST_LEVEL[self.bits]
        return (high - low).div_(2**self.bits - 1)

    def fake_quantize(self, x: Tensor, groups: Tensor | None) -> Tensor:
        if self.training:
            self.steps += 1
        offset = None if self.offset is None else self._expand(self.offset, x.ndim, groups)
        return range_quantize(x, self._expand(self.scale, x.ndim, groups), offset, self.bits)

    @torch.no_grad()
    def codes(self, x: Float[Tensor, "*shape"], groups: Int[Tensor, "*rows"] | None = None) -> UInt8[Tensor, "*shape"]:
        shifted = x if self.offset is None else x - self._expand(self.offset, x.ndim, groups)
        v = shifted / self._expand(self.scale, x.ndim, groups)
        return nearest_level(v, self.bits).sub_(LOWEST_LEVEL[self.bits]).to(torch.uint8)


class SignSte(Quantizer):
    """One bit: out = s sign(x) with sign(0) = +1 and a learned s; the gradient to x passes where |x / s| <= 1.

    First scale: mean|x|, which is nearest to x in squared error (XNOR-Net, arXiv 1603.05279, equation 6).
    Gradient to s: sum of grad sign(x), which is exact, times 1 / sqrt(N) as in LSQ with Qp = 1.
    """

    offered_bits = (1,)
    surrogate: ClassVar[Surrogate] = staticmethod(straight_through)

    def __init__(self, bits: int, granularity: Granularity, num_scales: int) -> None:
        super().__init__(bits, granularity, num_scales)
        self.scale = nn.Parameter(torch.ones(num_scales))

    def fake_quantize(self, x: Tensor, groups: Tensor | None) -> Tensor:
        return sign_quantize(x, self._step(x, groups, 1.0), type(self).surrogate)

    def codes(self, x: Float[Tensor, "*shape"], groups: Int[Tensor, "*rows"] | None = None) -> UInt8[Tensor, "*shape"]:
        return (x < 0).to(torch.uint8)

    def first_scale(self, x: Tensor, groups: Tensor | None) -> Tensor:
        return mean_per_scale(x.abs(), self.granularity, num_scales=self.num_scales, groups=groups)


class SignApprox(SignSte):
    """As `SignSte` with the gradient 2 - 2 |v| for |v| < 1, v = x / s (`approx_sign`)."""

    surrogate: ClassVar[Surrogate] = staticmethod(approx_sign)


class SignSwish(SignSte):
    """As `SignSte` with the gradient of a swish of slope 5 in v = x / s (`swish_sign`)."""

    surrogate: ClassVar[Surrogate] = staticmethod(swish_sign)


QUANTIZERS: dict[str, type[Quantizer]] = {
    "lsq": Lsq,
    "minmax": MinMax,
    "sign-ste": SignSte,
    "sign-approx": SignApprox,
    "sign-swish": SignSwish,
    "stochastic": Stochastic,
}
