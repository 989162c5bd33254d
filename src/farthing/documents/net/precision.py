"""From the bits of a `Precision` to the quantization plan of a detector, and to the quantizing detector."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from farthing.documents.config import DocumentsConfig, Precision, Width
from farthing.documents.net.architectures import build_detector
from farthing.documents.net.candidates import Detector
from farthing.lowbit.convert import prepare
from farthing.lowbit.levels import Bits
from farthing.lowbit.plan import QuantPlan, QuantRule, QuantSpec

# At 8 bits the range of the weights costs nothing and clips nothing; below, levels are too few to spend on outliers.
_QUANTIZER_OF_BITS: Mapping[Bits, str] = {8: "minmax", 4: "gaussian", 2: "gaussian"}


def quantized_model(
    config: DocumentsConfig, weights: Mapping[str, Tensor], *, device: torch.device | None = None
) -> Detector:
    """The detector with these float weights, quantizing as `config.precision` says, in training mode."""
    model = build_detector(config)
    model.load_state_dict(weights)
    prepare(model, build_plan(config.precision, model))
    return model.to(device) if device is not None else model


def build_plan(precision: Precision, model: nn.Module) -> QuantPlan:
    """One rule for every convolution, or none in float.

    Weights have a scale per output channel, inputs one per layer. The first convolution, which reads the page, and the
    heads, which speak of it, have `precision.edge` bits.
    """
    if precision.is_float:
        return QuantPlan()
    convolutions = [name for name, module in model.named_modules() if isinstance(module, nn.Conv2d)]
    rules = []
    for name in convolutions:
        is_edge = name == convolutions[0] or name.endswith("_head")
        bits = precision.edge if is_edge else precision.weight
        weight, activation = _spec(bits), _spec(precision.activation)
        rules.append(QuantRule(pattern=name, weight=weight, activation=activation))
    return QuantPlan(rules=tuple(rules))


def _spec(bits: Width) -> QuantSpec:
    assert bits != 32, "a precision is float in all its parts or in none"
    return QuantSpec(bits=bits, quantizer=_QUANTIZER_OF_BITS[bits])
