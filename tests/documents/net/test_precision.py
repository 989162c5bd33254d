from __future__ import annotations

import pytest
import torch
from torch import nn

from farthing.documents.config import Precision
from farthing.documents.net.architectures import build_detector
from farthing.documents.net.precision import build_plan, quantized_model
from farthing.lowbit.convert import pack
from tests.documents.plainpages import small_config


def test_every_convolution_has_a_rule_and_float_none() -> None:
    model = build_detector(small_config())
    convolutions = [name for name, module in model.named_modules() if isinstance(module, nn.Conv2d)]
    plan = build_plan(Precision(weight=4), model)
    assert [rule.pattern for rule in plan.rules] == convolutions
    bits = {rule.pattern: rule.weight.bits for rule in plan.rules if rule.weight}
    edges = {convolutions[0], "class_head", "box_head", "page_head"}
    assert {name for name, width in bits.items() if width == 8} == edges
    assert all(rule.activation and rule.activation.bits == 8 for rule in plan.rules)
    assert build_plan(Precision(weight=32, edge=32, activation=32), model).rules == ()


def test_a_quantized_model_has_the_float_weights() -> None:
    weights = build_detector(small_config(), seed=3).state_dict()
    model = quantized_model(small_config(), weights)
    own = model.state_dict()
    assert all(torch.equal(own[name], value) for name, value in weights.items())


@pytest.mark.parametrize("bits", [8, 4])
def test_the_packed_twin_answers_alike(bits: int) -> None:
    from dataclasses import replace

    config = replace(small_config(), precision=Precision(weight=bits))  # type: ignore[arg-type]
    model = quantized_model(config, build_detector(config).state_dict())
    for _ in range(4):
        model(torch.randn(4, 1, 64, 64))
    model.eval()
    packed = pack(model)
    page = torch.randn(2, 1, 64, 64)
    with torch.no_grad():
        expected, got = model(page), packed(page)
    # folding a normalisation rounds differently, which moves a few inputs to the next level
    assert (got.logits - expected.logits).abs().mean() < 2e-3
    assert (got.boxes - expected.boxes).abs().mean() < 0.1
