"""A small residual convolutional backbone: 3x3 convolutions, batch normalisation and ReLU, nothing else.

Every convolution stands with its normalisation in an nn.Sequential, so that `lowbit.convert` can quantize the one and
fold the other into it.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn


class ConvNorm(nn.Sequential):
    """relu(norm(conv(x))): [batch, inputs, h, w] -> [batch, outputs, ceil(h / stride), ceil(w / stride)].

    Args:
        inputs: channels, >= 1.
        outputs: channels, >= 1.
        kernel: side of the kernel in pixels, odd.
        stride: >= 1.
        has_relu: False leaves out the ReLU, for what is added to something first.
    """

    def __init__(self, inputs: int, outputs: int, *, kernel: int = 3, stride: int = 1, has_relu: bool = True) -> None:
        conv = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)
        nn.init.kaiming_normal_(conv.weight, mode="fan_out", nonlinearity="relu")
        super().__init__(conv, nn.BatchNorm2d(outputs), *([nn.ReLU(inplace=True)] if has_relu else []))


class ResidualBlock(nn.Module):
    """relu(x + norm(conv(relu(norm(conv(x)))))), the shape unchanged.

    Source: He et al., Deep Residual Learning, https://arxiv.org/abs/1512.03385, figure 2. Difference: the second
    normalisation starts at zero, so that a block starts as the identity (Goyal et al., arXiv 1706.02677, 5.1).
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = ConvNorm(channels, channels)
        self.second = ConvNorm(channels, channels, has_relu=False)
        norm = self.second[1]
        assert isinstance(norm, nn.BatchNorm2d), "a ConvNorm is a convolution, then a normalisation"
        nn.init.zeros_(norm.weight)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Float[Tensor, "batch channels h w"]) -> Float[Tensor, "batch channels h w"]:
        """The block's output."""
        out: Tensor = self.relu(self.second(self.first(x)) + x)
        return out


class SquaresAsChannels(nn.Module):
    """Squares of 2 x 2 pixels as channels: [batch, channels, 2 h, 2 w] -> [batch, 4 channels, h, w].

    What nn.PixelUnshuffle(2) gives, faster, and with channels last in memory: the layout of one channel is that of
    either kind, and everything behind would otherwise have its channels first.
    """

    def forward(self, x: Float[Tensor, "batch channels h2 w2"]) -> Float[Tensor, "batch channels4 h w"]:
        """The pixels of each square from left to right, the upper ones first."""
        squares = torch.stack([x[..., row::2, column::2] for row in (0, 1) for column in (0, 1)], -1)
        return squares.permute(0, 2, 3, 1, 4).flatten(3).permute(0, 3, 1, 2)


class Backbone(nn.Module):
    """Feature maps at strides 4, 8, 16, ... of an image: one stage each, a strided ConvNorm and residual blocks.

    The first stage reads squares of 2 x 2 pixels as channels and has a second ConvNorm: maps at stride 2 would take
    half of the time, for their size alone, and most of the memory.

    Args:
        inputs: channels of the image.
        widths: channels of each stage.
        blocks: residual blocks of each stage, >= 0.
    """

    def __init__(self, inputs: int, widths: Sequence[int], blocks: Sequence[int]) -> None:
        super().__init__()
        self.stages = nn.ModuleList()
        for width, num_blocks in zip(widths, blocks, strict=True):
            residual = [ResidualBlock(width) for _ in range(num_blocks)]
            if len(self.stages) == 0:
                entry = [SquaresAsChannels(), ConvNorm(4 * inputs, width, stride=2), ConvNorm(width, width)]
            else:
                entry = [ConvNorm(inputs, width, stride=2)]
            self.stages.append(nn.Sequential(*entry, *residual))
            inputs = width

    def forward(self, x: Float[Tensor, "batch inputs h w"]) -> list[Tensor]:
        """The maps [batch, widths[i], h / 2**(i + 2), w / 2**(i + 2)] of all stages."""
        maps = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps
