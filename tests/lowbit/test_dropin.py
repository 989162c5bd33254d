"""Single layers, rounded without training: the call of torch.nn, and values within half a step."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from farthing.base.errors import ConfigError
from farthing.lowbit.dropin import from_float
from farthing.lowbit.levels import Bits
from farthing.lowbit.packed import PackedConv2d, PackedEmbedding, PackedEmbeddingBag, PackedLinear


@pytest.mark.parametrize("bits", [8, 4, 2])
@pytest.mark.parametrize("mode", ["sum", "mean"])
def test_a_bag_is_within_half_a_step_of_every_row(bits: Bits, mode: str) -> None:
    layer = nn.EmbeddingBag(20, 6, mode=mode).requires_grad_(requires_grad=False)
    packed = from_float(layer, bits=bits)
    assert isinstance(packed, PackedEmbeddingBag)
    indices, offsets = torch.tensor([3, 4, 19, 3]), torch.tensor([0, 3, 4])
    step = (layer.weight.amax(1) - layer.weight.amin(1)).max() / (2**bits - 1)
    assert float((packed(indices, offsets) - layer(indices, offsets)).abs().max()) <= 3 * (0.5 * float(step) + 1e-6)
    if mode == "sum":
        weights = torch.rand(4)
        assert packed(indices, offsets, per_sample_weights=weights).shape == (3, 6)


def test_one_bit_keeps_sign_and_mean_magnitude() -> None:
    layer = nn.Embedding.from_pretrained(torch.tensor([[1.0, -3.0], [0.5, 0.5]]))
    packed = from_float(layer, bits=1)
    assert isinstance(packed, PackedEmbedding)
    assert packed(torch.tensor([0, 1])).tolist() == [[2.0, -2.0], [0.5, 0.5]]


def test_products_with_float_and_rounded_inputs() -> None:
    linear, conv = (layer.requires_grad_(requires_grad=False) for layer in (nn.Linear(30, 7), nn.Conv2d(3, 5, 3)))
    x, image = torch.randn(64, 30), torch.randn(4, 3, 9, 9)
    for layer, inputs, kind in ((linear, x, PackedLinear), (conv, image, PackedConv2d)):
        for packed in (from_float(layer, bits=8), from_float(layer, bits=8, activation_bits=8, inputs=inputs)):
            assert isinstance(packed, kind)
            # Half a step of 1/127 of the largest weight and of the largest input, times the terms of a sum.
            assert float((packed(inputs) - layer(inputs)).abs().max()) <= 30 * float(inputs.abs().max()) / 127 * 0.3


def test_the_float_layer_stays_as_it_is() -> None:
    layer = nn.Linear(4, 2)
    before = {name: value.clone() for name, value in layer.state_dict().items()}
    from_float(layer.eval(), bits=1, activation_bits=1, inputs=torch.randn(3, 4))
    assert type(layer) is nn.Linear
    assert not layer.training
    assert all(torch.equal(value, before[name]) for name, value in layer.state_dict().items())
    assert layer.weight.requires_grad


def test_what_cannot_be_rounded_is_said() -> None:
    with pytest.raises(ConfigError, match="go with activation_bits"):
        from_float(nn.Linear(2, 2), bits=8, activation_bits=8)
    with pytest.raises(ConfigError, match="go with activation_bits"):
        from_float(nn.Linear(2, 2), bits=8, inputs=torch.ones(1, 2))
    with pytest.raises(ConfigError, match="no Linear, Conv2d or embedding"):
        from_float(nn.LayerNorm(2), bits=8)
    with pytest.raises(ConfigError, match="indices"):
        from_float(nn.EmbeddingBag(2, 2), bits=8, activation_bits=8, inputs=torch.ones(1, 2))
