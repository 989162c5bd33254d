from __future__ import annotations

import pytest
import torch

from farthing.lowbit.convert import pack
from farthing.vision.backbones import Backbone, ConvNorm, ResidualBlock, SquaresAsChannels


def test_maps_are_at_strides_4_8_and_so_on() -> None:
    maps = Backbone(1, (4, 6, 8), (0, 1, 2))(torch.zeros(2, 1, 48, 32))
    assert [tuple(level.shape) for level in maps] == [(2, 4, 12, 8), (2, 6, 6, 4), (2, 8, 3, 2)]


def test_a_fresh_residual_block_changes_nothing() -> None:
    x = torch.rand(2, 4, 5, 5)
    torch.testing.assert_close(ResidualBlock(4)(x), x)


@pytest.mark.parametrize("has_relu", [True, False])
def test_a_conv_norm_folds_into_one_convolution(*, has_relu: bool) -> None:
    layer = ConvNorm(2, 3, stride=2, has_relu=has_relu)
    for _ in range(3):
        layer(torch.randn(4, 2, 8, 8))
    layer.eval()
    x = torch.randn(2, 2, 8, 8)
    folded = pack(layer)
    assert type(folded[1]).__name__ == "FoldedNorm"  # type: ignore[index]
    torch.testing.assert_close(folded(x), layer(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("channels", [1, 3])
def test_squares_become_channels(channels: int) -> None:
    x = torch.randn(2, channels, 6, 8)
    squares = SquaresAsChannels()(x)
    assert torch.equal(squares, torch.nn.functional.pixel_unshuffle(x, 2))
    assert squares.is_contiguous(memory_format=torch.channels_last)
