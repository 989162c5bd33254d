"""From a float model to one that trains with few bits (`prepare`), and from there to the packed one (`pack`)."""

from __future__ import annotations

from torch import nn

from farthing.base.errors import ConfigError
from farthing.lowbit.layers import QuantConv2d, QuantEmbedding, QuantEmbeddingBag, QuantLinear
from farthing.lowbit.plan import QuantPlan, QuantRule


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
        ConfigError: a rule asks for what a layer cannot do, or a rule matches no layer.
    """
    replaced: dict[int, nn.Module] = {}
    used: set[QuantRule] = set()
    for name, module in list(model.named_modules(remove_duplicate=False)):
        rule = plan.rule_for(name)
        if rule is None or type(module) not in (nn.Linear, nn.Conv2d, nn.Embedding, nn.EmbeddingBag):
            continue
        used.add(rule)
        if rule.weight is None:
            continue
        if id(module) not in replaced:
            replaced[id(module)] = _quantizing(name, module, rule)
        if name == "":
            return replaced[id(module)]
        model.set_submodule(name, replaced[id(module)])
    unused = [rule.pattern for rule in plan.rules if rule not in used]
    if unused:
        raise ConfigError(f"quantization plan: no Linear, Conv2d or embedding matches {', '.join(unused)}")
    return model


def _quantizing(name: str, module: nn.Module, rule: QuantRule) -> nn.Module:
    """The quantizing twin of a layer, with the layer's name in any error."""
    assert rule.weight is not None, "a rule without a weight leaves the module as it is"
    try:
        if isinstance(module, nn.Linear):
            return QuantLinear.from_float(module, weight=rule.weight, activation=rule.activation)
        if isinstance(module, nn.Conv2d):
            return QuantConv2d.from_float(module, weight=rule.weight, activation=rule.activation)
        if rule.activation is not None:
            raise ConfigError("activation: the input of an embedding is indices; leave it out")
        if isinstance(module, nn.Embedding):
            return QuantEmbedding.from_float(module, weight=rule.weight)
        assert isinstance(module, nn.EmbeddingBag), "prepare hands over only these four"
        return QuantEmbeddingBag.from_float(module, weight=rule.weight)
    except ConfigError as error:
        raise ConfigError(f"module {name!r}: {error}") from error
