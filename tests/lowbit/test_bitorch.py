"""BITorch's layers on packed ones: what its functions give as values of a grid, and equal outputs after `convert`."""

from __future__ import annotations

import builtins
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from farthing.base.errors import ConfigError, DataError
from farthing.lowbit.bitorch import Grid, input_grid, packed_layer, register, weight_grid
from farthing.lowbit.packed import PackedConv2d, PackedLinear

SIGNS = ("sign", "approxsign", "swishsign", "steheaviside", "progressive_sign")


@pytest.mark.parametrize(
    ("name", "bit_width", "grid"),
    [
        *[(name, 1, Grid(1, 1.0)) for name in SIGNS],
        ("weightdorefa", 1, Grid(1, 1.0)),
        ("weightdorefa", 2, Grid(2, 2 / 3)),
        ("weightdorefa", 4, Grid(8, 1 / 15)),
        ("weightdorefa", 7, Grid(8, 1 / 127)),
        ("weightdorefa", 8, None),
        ("identity", 32, None),
    ],
)
def test_grid_of_a_weight(name: str, bit_width: int, grid: Grid | None) -> None:
    assert weight_grid(name, bit_width) == grid


@pytest.mark.parametrize(
    ("name", "bit_width", "grid"),
    [
        *[(name, 1, Grid(1, 1.0)) for name in SIGNS],
        ("inputdorefa", 1, Grid(8, 1.0)),
        ("inputdorefa", 4, Grid(8, 1 / 15)),
        ("inputdorefa", 8, None),
        ("identity", 32, "float"),
        ("weightdorefa", 1, None),
    ],
)
def test_grid_of_an_input(name: str, bit_width: int, grid: Grid | str | None) -> None:
    assert input_grid(name, bit_width) == grid


def test_values_of_a_grid() -> None:
    assert Grid(2, 2 / 3).holds(torch.tensor([-1.0, -1 / 3, 1 / 3, 1.0]))
    assert not Grid(2, 2 / 3).holds(torch.tensor([0.0]))
    assert Grid(1, 1.0).holds(torch.tensor([1.0, -1.0]))
    assert not Grid(1, 1.0).holds(torch.tensor([0.5]))
    assert not Grid(8, 1.0).holds(torch.tensor([float("nan")]))


def test_a_packed_layer_by_hand() -> None:
    layer = nn.Linear(3, 2)
    layer.bias = nn.Parameter(torch.tensor([0.5, -0.5]))
    values = torch.tensor([[1.0, -1.0, 1.0], [1.0, 1.0, 1.0]])
    packed = packed_layer(layer, values, Grid(1, 1.0), Grid(1, 1.0))
    # A bit says "negative"; both zeros count as positive.
    assert packed.codes.tolist() == [[0b010], [0b000]]
    assert packed(torch.tensor([[0.0, -0.0, -2.0]])).tolist() == [[-0.5, 0.5]]


def test_values_off_the_grid_are_refused() -> None:
    with pytest.raises(DataError, match=r"eval\(\)"):
        packed_layer(nn.Linear(2, 1), torch.tensor([[0.3, 1.0]]), Grid(1, 1.0), Grid(1, 1.0))
    with pytest.raises(ConfigError, match="even grid"):
        packed_layer(nn.Linear(2, 1), torch.ones(1, 2), None, "float")


def test_without_bitorch_register_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    original = builtins.__import__

    def refuse(name: str, *args: Any, **kwargs: Any) -> Any:  # Any: as builtins.__import__
        if name.startswith("bitorch"):
            raise ImportError(f"No module named {name!r}")
        return original(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(ConfigError, match=r"pip install 'farthing\[bitorch\]'"):
        register()


# What follows needs BITorch itself: GPL-3, optional, installed by `make bitorch`.


def bitorch() -> Any:  # Any: BITorch carries no types
    module = pytest.importorskip("bitorch", reason="BITorch is not installed: make bitorch")
    register()
    return module


def converted(module: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
    """What BITorch gives for `x`, and what it gives after `convert`."""
    library = bitorch()
    with torch.no_grad():
        before = module.eval()(x)
        return before, library.layers.convert(module, library.RuntimeMode.CPU)(x)


def test_importing_registers_nothing_and_registering_twice_is_once() -> None:
    library = bitorch()
    register()
    for registry in (library.layers.register.q_linear_registry, library.layers.register.q_conv2d_registry):
        assert sum("Farthing" in kind.class_name for kind in registry.layer_implementations) == 1


@given(st.integers(1, 70), st.integers(1, 9), st.integers(0, 5), st.sampled_from(SIGNS), st.sampled_from(SIGNS))
def test_signs_give_equal_products(in_features: int, out_features: int, num_rows: int, weight: str, input: str) -> None:
    bitorch()
    from bitorch.layers import QLinear

    layer = QLinear(in_features, out_features, bias=False, weight_quantization=weight, input_quantization=input)
    x = torch.randn(num_rows, in_features).round(decimals=0)  # with zeros of both signs
    before, after = converted(nn.Sequential(layer), x)
    assert torch.equal(before, after)


@pytest.mark.parametrize("input", [*SIGNS, "inputdorefa", "identity"])
@pytest.mark.parametrize("weight", [*SIGNS, "weightdorefa"])
def test_every_supported_pair_of_functions(weight: str, input: str) -> None:
    bitorch()
    from bitorch.layers import QLinear

    torch.manual_seed(0)
    model = nn.Sequential(QLinear(40, 7, weight_quantization=weight, input_quantization=input))
    before, after = converted(model, torch.randn(6, 40))
    assert isinstance(model[0].packed, PackedLinear)
    # One rounding for each of the 40 terms and the bias, none of which exceeds 4.
    assert float((before - after).abs().max()) <= 41 * 2**-24 * 40 * 4


@pytest.mark.parametrize("bits", range(1, 8))
def test_dorefa_of_more_bits(bits: int) -> None:
    bitorch()
    from bitorch.layers import QLinear
    from bitorch.quantizations import InputDoReFa, WeightDoReFa

    torch.manual_seed(bits)
    layer = QLinear(33, 5, weight_quantization=WeightDoReFa(bits), input_quantization=InputDoReFa(bits))
    before, after = converted(nn.Sequential(layer), torch.randn(64, 33))
    assert float((before - after).abs().max()) <= 34 * 2**-24 * 33
    assert layer.packed.description.bits == {1: 1, 2: 2}.get(bits, 8)


@pytest.mark.parametrize("input", ["sign", "steheaviside", "inputdorefa", "identity"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"padding": 1},
        {"padding": "same", "dilation": 2},
        {"padding": (2, 1), "stride": 2, "groups": 2, "pad_value": 1.0},
    ],
)
def test_convolutions_with_bitorchs_border(input: str, options: dict[str, Any]) -> None:
    bitorch()
    from bitorch.layers import QConv2d

    torch.manual_seed(0)
    model = nn.Sequential(QConv2d(4, 6, 3, input_quantization=input, **options))
    before, after = converted(model, torch.randn(2, 4, 9, 8))
    assert isinstance(model[0].packed, PackedConv2d)
    # Sums of signs are exact; a float input has one rounding for each of 36 terms, none above 5.
    bound = 36 * 2**-24 * 36 * 5 if input == "identity" else 0.0
    assert float((before - after).abs().max()) <= bound


@pytest.mark.slow
def test_a_model_of_bitorch_runs_on_packed_layers_that_hold_one_bit_per_weight() -> None:
    bitorch()
    from bitorch.layers import QConv2dBase
    from bitorch.models import ResnetE18

    torch.manual_seed(0)
    model = ResnetE18(input_shape=[1, 3, 32, 32], num_classes=10).eval()
    x = torch.randn(2, 3, 32, 32)
    weights = sum(layer.weight.numel() for layer in model.modules() if isinstance(layer, QConv2dBase))
    before, after = converted(model, x)
    packed = [layer for layer in model.modules() if isinstance(layer, PackedConv2d)]
    assert weights
    assert sum(layer.codes.numel() for layer in packed) * 8 == weights
    assert torch.equal(before, after)


def test_what_cannot_be_packed_is_refused_with_its_reason() -> None:
    library = bitorch()
    from bitorch.layers import QConv2d, QLinear

    for layer, reason in (
        (QLinear(4, 2, weight_quantization="identity"), "not from 'identity'"),
        (QLinear(4, 2, input_quantization=library.quantizations.InputDoReFa(8)), "not of 'inputdorefa'"),
        (QConv2d(4, 2, 3, padding=1, pad_value=0.5), "pad_value 0.5"),
    ):
        with pytest.raises(RuntimeError, match=reason):
            converted(nn.Sequential(layer), torch.ones(1, 4, 4, 4))


def test_a_second_conversion_is_refused() -> None:
    bitorch()
    from bitorch.layers import QLinear

    model = nn.Sequential(QLinear(4, 2))
    converted(model, torch.ones(1, 4))
    with pytest.raises(RuntimeError, match="only once"):
        converted(model, torch.ones(1, 4))
