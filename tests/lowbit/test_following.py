"""The quantizers whose scales follow the data: what they take from it, and when."""

from __future__ import annotations

import pytest
import torch

from farthing.lowbit.levels import Bits, nearest_level
from farthing.lowbit.quantizers import QUANTIZERS, Gaussian, MinMax


def test_minmax_spans_its_data() -> None:
    quantizer = MinMax(2, "table", 1)
    x = torch.tensor([[-1.0, 0.2], [0.9, 2.0]])
    assert quantizer(x).flatten().tolist() == pytest.approx([-1, 0, 1, 2])


@pytest.mark.parametrize("name", ["minmax", "gaussian"])
def test_scales_follow_the_data_often_at_first_and_never_in_eval_mode(name: str) -> None:
    quantizer = QUANTIZERS[name](4, "tensor", 1)
    taken = []
    for step in range(200):
        before = quantizer.scale.clone()
        quantizer(torch.randn(50) * (step + 1))
        if not torch.equal(before, quantizer.scale):
            taken.append(step)
    assert taken == [0, 1, 2, 4, 8, 16, 32, 64, 128, 192]
    quantizer.eval()
    last = quantizer.scale.clone()
    for _ in range(70):
        quantizer(torch.randn(50))
    assert torch.equal(quantizer.scale, last)


@pytest.mark.parametrize("bits", Gaussian.offered_bits)
def test_gaussian_steps_have_the_least_squared_error(bits: Bits) -> None:
    """Of a million draws: neither a smaller nor a larger step does better."""
    z = torch.randn(1_000_000)
    quantizer = Gaussian(bits, "tensor", 1)
    quantizer(z)
    assert quantizer.scale.item() == pytest.approx(Gaussian.STEP[bits], rel=0.01)
    errors = [
        (nearest_level(z, torch.tensor(Gaussian.STEP[bits] * factor), bits) * Gaussian.STEP[bits] * factor - z)
        .square()
        .mean()
        .item()
        for factor in (0.9, 1.0, 1.1)
    ]
    assert errors[1] == min(errors)


def test_symmetric_minmax_reaches_the_largest_magnitude() -> None:
    quantizer = MinMax(4, "channel", 2)
    out = quantizer(torch.tensor([[-14.0, 3.0], [0.7, 0.1]]))
    assert quantizer.offset is None
    assert out.tolist() == [pytest.approx([-14, 4]), pytest.approx([0.7, 0.1])]
