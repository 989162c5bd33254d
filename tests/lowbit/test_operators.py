"""Operators of packed layers: checked by torch itself, traced, and equal to the layers that they stand for."""

from __future__ import annotations

import gc
from typing import Any

import pytest
import torch
from torch import nn

from farthing.lowbit.convert import pack, prepare
from farthing.lowbit.levels import Bits
from farthing.lowbit.operators import TracedLayer, _layers, traceable
from farthing.lowbit.plan import QuantPlan, QuantRule, QuantSpec
from tests.lowbit.models import Everything, batch


def packed(bits: Bits, activation_bits: Bits | None) -> nn.Module:
    """A model with every kind of layer, rounded but not trained."""
    torch.manual_seed(0)
    kind = {True: "sign-ste", False: "lsq"}
    weight = QuantSpec(bits=bits, quantizer=kind[bits == 1])
    inputs = None if activation_bits is None else QuantSpec(bits=activation_bits, quantizer=kind[activation_bits == 1])
    products = [QuantRule(pattern=pattern, weight=weight, activation=inputs) for pattern in ("mlp.*", "image.*")]
    model = Everything()
    prepare(model, QuantPlan(rules=(*products, QuantRule(pattern="*", weight=weight))))
    model(batch())  # sets the scales of the inputs
    return pack(model)


@pytest.mark.parametrize(("bits", "activation_bits"), [(8, 8), (4, 8), (2, None), (1, 1)])
def test_traced_layers_give_what_packed_ones_give(bits: Bits, activation_bits: Bits | None) -> None:
    model, inputs = packed(bits, activation_bits), batch()
    twin = traceable(model)
    assert torch.equal(twin(inputs), model(inputs))
    assert twin.state_dict().keys() == model.state_dict().keys()


@pytest.mark.slow
def test_an_exported_program_gives_the_same_for_other_batches() -> None:
    model, dim = packed(4, 8), torch.export.Dim("rows", min=2)
    names = {"indices": None, "weights": None, "words": {0: dim}, "images": {0: dim}, "offsets": {0: dim + 1}}
    inputs = batch(20)
    program = torch.export.export(
        traceable(model), (inputs,), dynamic_shapes=({name: names[name] for name in inputs},), strict=False
    )
    called = {str(node.target) for node in program.graph.nodes if node.op == "call_function"}
    assert {f"farthing.{name}.default" for name in ("linear", "conv2d", "embedding", "embedding_bag")} <= called
    assert all(weight.dtype == torch.uint8 for name, weight in program.state_dict.items() if name.endswith("codes"))
    other = batch(7)
    assert torch.equal(program.module()(other), model(other))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "operator"),
    [
        ("mlp.0", "linear"),
        ("image.0", "conv2d"),
        ("word", "embedding"),
        ("total", "embedding_bag"),
        ("average", "embedding_bag"),
    ],
)
def test_torch_finds_nothing_wrong_with_an_operator(name: str, operator: str) -> None:
    layer, inputs = packed(4, 8).get_submodule(name), batch()
    arguments: dict[str, tuple[Any, ...]] = {
        "mlp.0": (torch.randn(3, 21),),
        "image.0": (inputs["images"],),
        "word": (inputs["words"],),
        "total": (inputs["indices"], inputs["offsets"], inputs["weights"]),
        "average": (torch.randint(0, 50, (4, 3)), None, None),
    }
    traced = traceable(layer)
    assert isinstance(traced, TracedLayer)
    tensors = [getattr(traced, part) for part in traced.names]
    checked = getattr(torch.ops.farthing, operator).default
    result = torch.library.opcheck(checked, (*arguments[name], *tensors, traced.description))
    assert set(result.values()) == {"SUCCESS"}


def test_what_an_operator_prepared_goes_with_its_codes() -> None:
    gc.collect()
    before = len(_layers)
    twin = traceable(packed(8, 8).get_submodule("mlp.0"))
    twin(torch.randn(2, 21))
    assert len(_layers) == before + 1
    twin(torch.randn(2, 21))
    assert len(_layers) == before + 1
    del twin
    gc.collect()
    assert len(_layers) == before
