"""The quantizers: each turns a float tensor into codes of few bits, and trains through the rounding.

The value of a code u is `offset + scale * level(u)` (levels: `levels.py`; only `minmax` on embeddings has an offset).
`forward` gives these values with a surrogate gradient, `codes` and `dequantize` are its two halves; in eval mode
`dequantize(codes(x))` equals `forward(x)` bit for bit.

To add one: a class here, a line in `QUANTIZERS`, a row in the value table of its test (docs/add-a-quantizer.md).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn

from farthing.lowbit.granularity import Granularity, expand, extremes_per_scale, mean_per_scale, num_uses
from farthing.lowbit.levels import HIGHEST_LEVEL, LOWEST_LEVEL, Bits, code_of_level, level_of_code, nearest_level
from farthing.lowbit.surrogates import (
    Surrogate,
    approx_sign,
    learned_scale,
    range_quantize,
    sign_quantize,
    straight_through,
    swish_sign,
    uniform_quantize,
)

# Far below any useful scale (weights are around 1e-2), far above where 1 / scale overflows.
SMALLEST_SCALE = 1e-8


class Quantizer(nn.Module, ABC):
    """What all quantizers share: the scales, their first values, and the way from a value to its code and back.

    Args:
        bits: One of `offered_bits`.
        granularity: What shares a scale.
        num_scales: How many scales there are.

    Attributes:
        scale: f32 [num_scales]; a Parameter where it is learned. Read it through `positive_scale`.
        offset: f32 [num_scales], or None for 0.
        is_initialised: bool scalar; the first data that the quantizer sees sets the scales.
    """

    offered_bits: ClassVar[tuple[Bits, ...]]
    scale: Tensor
    offset: Tensor | None
    is_initialised: Tensor

    def __init__(self, bits: Bits, granularity: Granularity, num_scales: int) -> None:
        super().__init__()
        self.bits, self.granularity, self.num_scales = bits, granularity, num_scales
        self.register_buffer("offset", None)
        self.register_buffer("is_initialised", torch.zeros((), dtype=torch.bool))

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
        return self._fake_quantize(x, groups)

    @abstractmethod
    def _fake_quantize(self, x: Tensor, groups: Tensor | None) -> Tensor:
        """The differentiable value of `forward`."""

    @abstractmethod
    def _first_scale(self, x: Tensor, groups: Tensor | None) -> Tensor:
        """The scales [num_scales] that training on `x` starts with."""

    @torch.no_grad()
    def init_from(self, x: Float[Tensor, "*shape"], groups: Int[Tensor, "*rows"] | None = None) -> None:
        """Sets the scales from data: a weight, a table, or the first batch of activations."""
        self.scale.copy_(self._first_scale(x, groups).clamp_min(SMALLEST_SCALE))
        self.is_initialised.fill_(value=True)

    def is_due(self) -> bool:
        """Whether the scales are to be set from data before the next step."""
        return not self.is_initialised

    def positive_scale(self) -> Float[Tensor, " scales"]:
        """The scales as they are used: at least `SMALLEST_SCALE`."""
        return self.scale.detach().clamp_min(SMALLEST_SCALE)

    @torch.no_grad()
    def codes(self, x: Float[Tensor, "*shape"], groups: Int[Tensor, "*rows"] | None = None) -> UInt8[Tensor, "*shape"]:
        """The code in [0, 2**bits) of each element, as eval mode rounds it."""
        shifted = x if self.offset is None else x - self._expand(self.offset, x.ndim, groups)
        scale = self._expand(self.positive_scale(), x.ndim, groups)
        return code_of_level(nearest_level(shifted, scale, self.bits), self.bits)

    @torch.no_grad()
    def dequantize(
        self, codes: UInt8[Tensor, "*shape"], groups: Int[Tensor, "*rows"] | None = None
    ) -> Float[Tensor, "*shape"]:
        """The value of each code."""
        values = level_of_code(codes, self.bits).mul_(self._expand(self.positive_scale(), codes.ndim, groups))
        return values if self.offset is None else values.add_(self._expand(self.offset, codes.ndim, groups))

    def extra_repr(self) -> str:
        """What `print(model)` shows."""
        return f"bits={self.bits}, granularity={self.granularity!r}, num_scales={self.num_scales}"

    def _expand(self, per_scale: Tensor, ndim: int, groups: Tensor | None) -> Tensor:
        return expand(per_scale, self.granularity, ndim=ndim, groups=groups)


class LearnedQuantizer(Quantizer):
    """A quantizer whose scales are parameters, with LSQ's gradient scale 1 / sqrt(N Qp).

    N is the number of elements of `x` that use a scale: all that share it for a weight, as in the paper, and for a
    group of embedding rows those looked up in this batch (rows times dim), the ones whose gradients are summed.
    """

    def __init__(self, bits: Bits, granularity: Granularity, num_scales: int) -> None:
        super().__init__(bits, granularity, num_scales)
        self.scale = nn.Parameter(torch.ones(num_scales))

    def _step(self, x: Tensor, groups: Tensor | None) -> Tensor:
        """The scales, broadcast against `x`."""
        if not torch.is_grad_enabled():
            return self._expand(self.positive_scale(), x.ndim, groups)
        uses = num_uses(x, self.granularity, num_scales=self.num_scales, groups=groups)
        factor = (uses * HIGHEST_LEVEL[self.bits]).clamp_min(1.0).rsqrt()
        scale = learned_scale(self.scale, floor=SMALLEST_SCALE, factor=factor)
        return self._expand(scale, x.ndim, groups)


class Lsq(LearnedQuantizer):
    """Learned step size: out = s nearest(clip(x / s, Qn, Qp)).

    Gradients: `uniform_quantize`, the one to s times 1 / sqrt(N Qp). First scale: 2 mean|x| / sqrt(Qp).

    Source: Esser et al., arXiv 1902.08153, equations 1 to 5 and section 2.2. Differences: at 2 bits the levels are
    -1.5, -.5, .5, 1.5 instead of -2, -1, 0, 1, and s is kept above `SMALLEST_SCALE`.
    """

    offered_bits = (8, 4, 2)

    def _fake_quantize(self, x: Tensor, groups: Tensor | None) -> Tensor:
        return uniform_quantize(x, self._step(x, groups), self.bits)

    def _first_scale(self, x: Tensor, groups: Tensor | None) -> Tensor:
        mean: Tensor = mean_per_scale(x.abs(), self.granularity, num_scales=self.num_scales, groups=groups)
        return mean * (2.0 / math.sqrt(HIGHEST_LEVEL[self.bits]))


class Stochastic(Lsq):
    """LSQ that rounds up with the probability of the fractional part while training: s floor(clip(x / s) + u).

    u ~ U(0, 1) per element, so the rounding is right on average; eval mode rounds to the nearest.

    Source: ALPT, arXiv 2212.05735, equation 3. Difference: the FP32 latent weight is kept and trained.
    """

    def _fake_quantize(self, x: Tensor, groups: Tensor | None) -> Tensor:
        return uniform_quantize(x, self._step(x, groups), self.bits, noise=self.training)


class FollowingQuantizer(Quantizer):
    """A quantizer whose scales follow from the data: taken anew after 1, 2, 4, ... training steps, then every 64.

    Nothing is learned, so that a scale can neither lag behind weights that grow tenfold in their first steps nor wander
    where its gradient is mostly noise, as for rows that are rarely looked up. Gradient: `range_quantize`.
    """

    REFRESH_STEPS: ClassVar[int] = 64
    steps: Tensor

    def __init__(self, bits: Bits, granularity: Granularity, num_scales: int) -> None:
        super().__init__(bits, granularity, num_scales)
        self.register_buffer("scale", torch.ones(num_scales))
        self.register_buffer("steps", torch.zeros((), dtype=torch.int64))

    def is_due(self) -> bool:
        """Whether there are no scales yet, or the next training step takes new ones."""
        steps = int(self.steps)
        is_refresh = steps % self.REFRESH_STEPS == 0 or (steps < self.REFRESH_STEPS and steps.bit_count() == 1)
        return super().is_due() or (self.training and is_refresh)

    def _fake_quantize(self, x: Tensor, groups: Tensor | None) -> Tensor:
        if self.training:
            self.steps += 1
        offset = None if self.offset is None else self._expand(self.offset, x.ndim, groups)
        return range_quantize(x, self._expand(self.scale, x.ndim, groups), offset, self.bits)


class MinMax(FollowingQuantizer):
    """Levels spread evenly from the smallest to the largest value.

    Embeddings: scale = (max - min) / (2**bits - 1), and an offset that puts the lowest level at min.
    Linear, Conv2d and activations: symmetric, scale = max|x| / Qp, so that a product stays a plain integer sum.

    Source: DQRM, arXiv 2410.20046, section 3 (embeddings asymmetric per table). Difference: the ranges are taken anew
    as in `FollowingQuantizer`, there every 200 steps.
    """

    offered_bits = (8, 4, 2)

    def __init__(self, bits: Bits, granularity: Granularity, num_scales: int) -> None:
        super().__init__(bits, granularity, num_scales)
        if granularity not in ("tensor", "channel"):
            self.offset = torch.zeros(num_scales)

    @torch.no_grad()
    def init_from(self, x: Float[Tensor, "*shape"], groups: Int[Tensor, "*rows"] | None = None) -> None:
        """Sets scales and offsets to span `x`."""
        super().init_from(x, groups)
        if self.offset is not None:
            low, _ = extremes_per_scale(x, self.granularity, num_scales=self.num_scales, groups=groups)
            self.offset.copy_(low - self.scale * LOWEST_LEVEL[self.bits])

    def _first_scale(self, x: Tensor, groups: Tensor | None) -> Tensor:
        low, high = extremes_per_scale(x, self.granularity, num_scales=self.num_scales, groups=groups)
        if self.offset is None:
            return torch.maximum(high, -low) / HIGHEST_LEVEL[self.bits]
        return (high - low).div(2**self.bits - 1)


class Gaussian(FollowingQuantizer):
    """The step that rounds a normal distribution of the data's mean magnitude with the least squared error.

    scale = STEP[bits] sigma, sigma = sqrt(pi / 2) mean|x|, which is the standard deviation of a centred normal.
    STEP minimises E[(nearest(clip(z / s, Qn, Qp)) s - z)^2] over s for z ~ N(0, 1).

    Source: Max, Quantizing for Minimum Distortion, IRE Transactions on Information Theory 1960, table 2 (equally
    spaced levels); for networks ACIQ, Banner et al., arXiv 1810.05723, section 3. Differences: sigma from the mean
    magnitude, which large values move less than they move the second moment; the steps are those of our levels
    (-8 .. 7 at 4 bits).
    """

    offered_bits = (8, 4, 2)
    STEP: ClassVar[dict[Bits, float]] = {8: 0.0308, 4: 0.3386, 2: 0.9956}

    def _first_scale(self, x: Tensor, groups: Tensor | None) -> Tensor:
        mean: Tensor = mean_per_scale(x.abs(), self.granularity, num_scales=self.num_scales, groups=groups)
        return mean * (math.sqrt(math.pi / 2) * self.STEP[self.bits])


class SignSte(LearnedQuantizer):
    """One bit: out = s sign(x) with sign(0) = +1 and a learned s; the gradient to x passes where |x / s| <= 1.

    Gradient to s: sum of grad sign(x), which is exact, times 1 / sqrt(N) as in LSQ with Qp = 1. First scale: mean|x|,
    which is nearest to x in squared error (XNOR-Net, arXiv 1603.05279, equation 6).

    Source: Hubara et al., Binarized Neural Networks, NeurIPS 2016. Difference: the window is in units of s.
    """

    offered_bits = (1,)
    surrogate: ClassVar[Surrogate] = straight_through

    def _fake_quantize(self, x: Tensor, groups: Tensor | None) -> Tensor:
        return sign_quantize(x, self._step(x, groups), type(self).surrogate)

    def _first_scale(self, x: Tensor, groups: Tensor | None) -> Tensor:
        return mean_per_scale(x.abs(), self.granularity, num_scales=self.num_scales, groups=groups)


class SignApprox(SignSte):
    """As `SignSte` with the gradient 2 - 2 |v| for |v| < 1, v = x / s (`approx_sign`)."""

    surrogate: ClassVar[Surrogate] = approx_sign


class SignSwish(SignSte):
    """As `SignSte` with the gradient of a swish of slope 5 in v = x / s (`swish_sign`)."""

    surrogate: ClassVar[Surrogate] = swish_sign


QUANTIZERS: dict[str, type[Quantizer]] = {
    "lsq": Lsq,
    "minmax": MinMax,
    "gaussian": Gaussian,
    "sign-ste": SignSte,
    "sign-approx": SignApprox,
    "sign-swish": SignSwish,
    "stochastic": Stochastic,
}
