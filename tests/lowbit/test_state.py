"""A packed model taken apart and put together again, and every way in which the parts can be wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from farthing.base.errors import FormatError
from farthing.lowbit.convert import pack, prepare
from farthing.lowbit.plan import QuantPlan, QuantRule, QuantSpec
from farthing.lowbit.state import packed_state, restore
from tests.lowbit.models import Everything, batch, plan

FAR: dict[str, Any] = {"stride": [1, 1], "padding": [0, 2**40], "dilation": [1, 1], "groups": 1}  # Any: JSON


def skeleton() -> nn.Module:
    """The float model without memory for its values."""
    with torch.device("meta"):
        return Everything()


@pytest.fixture
def packed() -> nn.Module:
    model = prepare(Everything(), plan("minmax", 4, 8))
    model(batch())
    return pack(model.eval())


@pytest.mark.parametrize(("quantizer", "bits"), [("lsq", 8), ("minmax", 4), ("lsq", 2), ("sign-ste", 1)])
def test_apart_and_together_again(quantizer: str, bits: Any) -> None:
    model, inputs = prepare(Everything(), plan(quantizer, bits, 8)), batch()
    model(inputs)
    packed = pack(model.eval())
    layers, tensors = packed_state(packed)
    again = restore(skeleton(), json.loads(json.dumps(layers)), tensors)
    assert packed_state(again)[0] == layers
    assert torch.equal(again(inputs), packed(inputs))
    assert not again.training


def test_a_float_model_and_a_folded_norm_travel_too() -> None:
    def build() -> nn.Module:
        return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.LayerNorm(4))

    packed = pack(build().eval())
    layers, tensors = packed_state(packed)
    assert layers == {"1": {"type": "folded_norm"}}
    with pytest.raises(FormatError, match=r"tensor '0\.bias': missing"):
        restore(build(), layers, {name: tensor for name, tensor in tensors.items() if name != "0.bias"})
    x = torch.randn(2, 3)
    assert torch.equal(restore(build(), layers, tensors)(x), packed(x))


def test_a_model_that_is_one_layer() -> None:
    four = QuantPlan(rules=(QuantRule(pattern="*", weight=QuantSpec(bits=4)),))
    packed = pack(prepare(nn.Linear(3, 2), four))
    layers, tensors = packed_state(packed)
    x = torch.randn(2, 3)
    assert torch.equal(restore(nn.Linear(3, 2), layers, tensors)(x), packed(x))


def changed(packed: nn.Module, path: str, value: Any) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The state with one field of a description, or one tensor, replaced (or removed, by None)."""
    layers, tensors = packed_state(packed)
    layer, _, field = path.rpartition("/")
    if layer:
        layers[layer] = {**layers[layer], field: value}
    elif value is None:
        del tensors[field]
    else:
        tensors[field] = value
    return layers, tensors


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("mlp.0/type", "nothing", r"layer 'mlp\.0': Invalid value 'nothing'"),
        ("mlp.0/bits", 3, r"layer 'mlp\.0': Invalid enum value 3"),
        ("mlp.0/in_features", 0, r"layer 'mlp\.0': Expected `int` >= 1"),
        ("mlp.0/in_features", 2**62, r"layer 'mlp\.0': Expected `int` <= "),
        ("mlp.0/in_features", 23, r"tensor 'mlp\.0\.codes': the model takes torch.uint8 \[19, 12\], got"),
        ("mlp.0/code", "import os", r"layer 'mlp\.0': Object contains unknown field `code`"),
        ("mlp.0/num_scales", 7, r"tensor 'mlp\.0\.scale'"),
        ("total/granularity", "channel", "layer 'total': granularity of a table"),
        ("total/granularity", "table", "layer 'total': group_starts goes with"),
        ("total/group_starts", None, "layer 'total': group_starts goes with"),
        ("total/group_starts", [], "layer 'total': group_starts is not empty"),
        ("total/group_starts", [0, 50], "layer 'total': group_starts ascends"),
        ("total/group_starts", [0, 9, 9], "layer 'total': group_starts ascends"),
        ("total/mode", "max", "layer 'total': Invalid enum value 'max'"),
        (
            "image.0/geometry",
            FAR | {"stride": [1, 0]},
            r"layer 'image\.0': Expected `int` >= 1 - at `\$\.geometry\.stride",
        ),
        ("image.0/geometry", FAR, r"layer 'image\.0': Expected `int` <= 64 - at `\$\.geometry\.padding"),
        (
            "image.0/geometry",
            FAR | {"padding": "same", "groups": 2**64},
            r"layer 'image\.0': .* - at `\$\.geometry\.groups",
        ),
        ("mlp.0.scale", None, r"tensor 'mlp\.0\.scale': missing"),
        ("mlp.9.scale", torch.ones(1), r"tensor 'mlp\.9\.scale': the model has no place for it"),
        ("mlp.0.bias", torch.ones(19, dtype=torch.float64), r"tensor 'mlp\.0\.bias': the model takes torch.float32"),
        ("mlp.0.scale", torch.full((19,), torch.nan), r"tensor 'mlp\.0\.scale': holds NaN or infinity"),
        ("word.offset", torch.full((10,), torch.inf), r"tensor 'word\.offset': holds NaN or infinity"),
        ("mlp.0.activation_scale", torch.zeros(1), r"tensor 'mlp\.0\.activation_scale': must be positive, got 0"),
        ("word.codes", torch.full((10, 3), 255, dtype=torch.uint8), r"tensor 'word\.codes': the bits behind"),
    ],
)
def test_wrong_parts_are_refused_by_name(packed: nn.Module, path: str, value: Any, message: str) -> None:
    layers, tensors = changed(packed, path, value)
    with pytest.raises(FormatError, match=message):
        restore(skeleton(), layers, tensors)


def test_a_layer_that_the_model_does_not_have_is_refused(packed: nn.Module) -> None:
    layers, tensors = packed_state(packed)
    for name in ("head", "mlp.9", "mlp..0", "word.weight"):
        with pytest.raises(FormatError, match=f"layer '{name}': the model has no such module"):
            restore(skeleton(), {**layers, name: layers["mlp.0"]}, tensors)
