"""From a float model to one that trains with few bits (`prepare`), and from there to the packed one (`pack`)."""

from __future__ import annotations

import copy

from torch import nn

from farthing.base.errors import ConfigError
from farthing.lowbit.folding import foldable_norms, folded_float
from farthing.lowbit.layers import QuantConv2d, QuantEmbedding, QuantEmbeddingBag, QuantLinear
from farthing.lowbit.packed import FoldedNorm
from farthing.lowbit.plan import QuantPlan, QuantRule
from farthing.lowbit.twins import packed_twin

_QUANTIZABLE = (nn.Linear, nn.Conv2d, nn.Embedding, nn.EmbeddingBag)


def prepare(model: nn.Module, plan: QuantPlan) -> nn.Module:
    """`model` with quantizing layers in the places that `plan` names.

    Works in place, so that large tables are not copied: the parameters stay the same objects (an optimizer made before
    still holds the weights, but not the new scales). A module that occurs twice stays shared.

    Args:
        model: Any module; its Linear, Conv2d, Embedding and EmbeddingBag can be quantized.
        plan: The first rule that matches a module's dotted name decides.

    Returns:
        `model` itself, or its replacement if `model` is such a layer and named "" by the plan.

    Raises:
        ConfigError: a rule asks for what a layer cannot do, or matches no layer; the model stays as it was.
    """
    names = [
        (name, module, rule)
        for name, module in model.named_modules(remove_duplicate=False)
        if type(module) in _QUANTIZABLE and (rule := plan.rule_for(name)) is not None
    ]
    unused = [rule.pattern for rule in plan.rules if all(rule is not used for _, _, used in names)]
    if unused:
        raise ConfigError(f"quantization plan: no Linear, Conv2d or embedding matches {', '.join(unused)}")
    twins: dict[int, nn.Module] = {}
    for name, module, rule in names:
        if rule.weight is not None and id(module) not in twins:
            twins[id(module)] = _quantizing(name, module, rule)
    for name, module, _ in names:  # only now, so that an error above leaves the model as it was
        if name and id(module) in twins:
            model.set_submodule(name, twins[id(module)])
    return twins.get(id(model), model)


def pack(model: nn.Module) -> nn.Module:
    """The packed twin of a prepared model, for inference; `model` itself stays as it is.

    Each quantizing layer becomes its packed twin, everything else is copied. A BatchNorm1d or BatchNorm2d that directly
    follows a Linear or Conv2d in an nn.Sequential is folded into it: exact up to the rounding of float32. Without
    such a fold the twin gives what `model` gives in eval mode without gradients, bit for bit.

    Raises:
        ConfigError: an input quantizer has seen no data, so that it has no scale.
        DataError: a weight holds NaN or infinity.
    """
    norms = foldable_norms(model)
    twins: dict[int, nn.Module] = {}
    for name, module in model.named_modules():
        norm = norms.get(id(module))
        if isinstance(module, QuantLinear | QuantConv2d | QuantEmbedding | QuantEmbeddingBag):
            twins[id(module)] = packed_twin(name, module, norm=norm)
        elif norm is not None:
            twins[id(module)] = folded_float(module, norm)
        if norm is not None:
            twins[id(norm)] = FoldedNorm()
    # deepcopy takes what its memo holds as already copied: the twins stand in, and no quantized weight is copied.
    packed = copy.deepcopy(model, dict[int, object](twins))
    return packed.eval().requires_grad_(requires_grad=False)


def _quantizing(name: str, module: nn.Module, rule: QuantRule) -> nn.Module:
    """The quantizing twin of a layer, with the layer's name in any error."""
    assert rule.weight is not None, "a rule without a weight leaves the module as it is"
    if isinstance(module, nn.Embedding | nn.EmbeddingBag) and rule.activation is not None:
        raise ConfigError(
            f"module {name!r}: the input of an embedding is indices; the rule must not name an activation"
        )
    try:
        match module:
            case nn.Linear():
                return QuantLinear.from_float(module, weight=rule.weight, activation=rule.activation)
            case nn.Conv2d():
                return QuantConv2d.from_float(module, weight=rule.weight, activation=rule.activation)
            case nn.Embedding():
                return QuantEmbedding.from_float(module, weight=rule.weight)
            case nn.EmbeddingBag():
                return QuantEmbeddingBag.from_float(module, weight=rule.weight)
    except ConfigError as error:
        raise ConfigError(f"module {name!r}: {error}") from error
    raise AssertionError(type(module))  # prepare hands over only these four
