"""Folded normalisations give what the unfolded ones give, up to float32 rounding."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from farthing.lowbit import native
from farthing.lowbit.convert import pack, prepare
from farthing.lowbit.folding import fold_relus, foldable_norms
from farthing.lowbit.packed import FoldedNorm, PackedConv2d, PackedLinear
from farthing.lowbit.plan import QuantPlan, QuantRule, QuantSpec

EIGHT = QuantSpec(bits=8)


def used(norm: nn.BatchNorm1d | nn.BatchNorm2d) -> nn.Module:
    """A norm that has seen data, with a negative gain among its own."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    nn.init.normal_(norm.running_mean)
    nn.init.uniform_(norm.running_var, 0.5, 2.0)
    if norm.affine:
        nn.init.normal_(norm.weight)
        nn.init.normal_(norm.bias)
    return norm


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("spec", [None, QuantSpec(bits=4), QuantSpec(bits=8, granularity="tensor")])
@pytest.mark.parametrize("kind", ["linear", "conv"])
def test_a_folded_norm_changes_nothing(affine: bool, bias: bool, spec: QuantSpec | None, kind: str) -> None:
    layer: Any = nn.Linear(5, 7, bias=bias) if kind == "linear" else nn.Conv2d(5, 7, 3, bias=bias)
    norm = nn.BatchNorm1d(7, affine=affine) if kind == "linear" else nn.BatchNorm2d(7, affine=affine)
    model: Any = nn.Sequential(layer, used(norm), nn.ReLU())
    if spec is not None:
        rule = QuantRule(pattern="0", weight=spec, activation=QuantSpec(bits=8))
        model = prepare(model, QuantPlan(rules=(rule,)))
    x = torch.randn(4, 5) if kind == "linear" else torch.randn(4, 5, 6, 6)
    with torch.no_grad():
        model.eval()(x)
        packed: Any = pack(model)
        assert isinstance(packed[1], FoldedNorm)
        # The same exact integers, scaled by a product of two float32 factors instead of one after the other.
        assert torch.allclose(packed(x), model(x), rtol=1e-5, atol=1e-5)


def test_what_is_not_foldable_stays() -> None:
    shared = nn.BatchNorm1d(3)
    model = nn.ModuleList(
        [
            nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.BatchNorm1d(3)),
            nn.Sequential(nn.Linear(2, 4), nn.Unflatten(1, (2, 2)), nn.BatchNorm1d(2)),
            nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3, track_running_stats=False)),
            nn.Sequential(nn.Linear(2, 3), shared),
            nn.Sequential(nn.Linear(2, 3), shared),
            nn.Sequential(nn.Conv2d(2, 3, 1), nn.BatchNorm1d(3)),
        ]
    )
    assert foldable_norms(model) == {}
    assert not any(isinstance(module, FoldedNorm) for module in pack(model).modules())


def test_a_fold_gives_every_channel_a_scale_of_its_own() -> None:
    model = nn.Sequential(nn.Linear(2, 3), used(nn.BatchNorm1d(3)))
    spec = QuantSpec(bits=4, granularity="tensor")
    packed: Any = pack(prepare(model, QuantPlan(rules=(QuantRule(pattern="0", weight=spec),))).eval())
    assert isinstance(packed[0], PackedLinear)
    assert packed[0].scale.shape == (3,)


def packed_convs(*layers: nn.Module) -> Any:  # Any: an nn.Sequential, indexed
    """The layers packed, every convolution with 8 bits; the input quantizers have seen data."""
    model = prepare(nn.Sequential(*layers), QuantPlan(rules=(QuantRule(pattern="*", weight=EIGHT, activation=EIGHT),)))
    model(torch.randn(2, 3, 8, 8))
    return pack(model.eval())


@pytest.mark.parametrize("has_extension", [True, False])
def test_a_folded_relu_changes_nothing(has_extension: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not has_extension:
        monkeypatch.setattr(native, "extension", lambda: None)
    packed = packed_convs(nn.Conv2d(3, 9, 3), nn.BatchNorm2d(9), nn.ReLU(), nn.Conv2d(9, 8, 1), nn.ReLU(inplace=True))
    x = torch.randn(2, 3, 8, 8)
    expected = packed(x)
    names = packed.state_dict().keys()
    folded = fold_relus(packed)
    assert torch.equal(folded(x), expected)
    assert not any(isinstance(layer, nn.ReLU) for layer in folded.modules())
    assert folded.state_dict().keys() == names


def test_a_relu_that_does_not_follow_its_convolution_alone_stays() -> None:
    relu, conv = nn.ReLU(), nn.Conv2d(3, 3, 1)
    packed = packed_convs(conv, relu, nn.Conv2d(3, 3, 1), relu, nn.Conv2d(3, 3, 1), nn.Dropout(), nn.ReLU())
    folded: Any = fold_relus(packed)
    assert folded is packed
    assert [isinstance(layer, nn.ReLU) for layer in folded] == [False, True, False, True, False, False, True]
    assert not any(layer.has_relu for layer in folded if isinstance(layer, PackedConv2d))
