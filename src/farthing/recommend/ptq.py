"""Post-training rounding: a trained float model in few bits without any further training.

The baseline that quantization-aware training has to beat, done well: every scale minimises the squared error of what
it rounds (whole weights and tables, activations over calibration batches), instead of covering the range.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from farthing.lowbit.convert import prepare
from farthing.lowbit.granularity import extremes_per_scale, mean_per_scale
from farthing.lowbit.layers import QuantEmbeddingBag, QuantLinear
from farthing.lowbit.levels import HIGHEST_LEVEL
from farthing.lowbit.plan import QuantPlan
from farthing.lowbit.quantizers import SMALLEST_SCALE, Quantizer
from farthing.recommend.clicks import ClickBatch
from farthing.recommend.model import Dlrm

# Of the scale that just covers the largest value. A table with a few long rows among many short ones wants a small one.
FRACTIONS = tuple(0.01 ** (i / 47) for i in range(48))
REFINEMENTS = 3
MAX_CALIBRATION_VALUES = 1 << 18


@torch.no_grad()
def round_model(model: Dlrm, plan: QuantPlan, calibration: Iterable[ClickBatch]) -> Dlrm:
    """Puts quantizing layers into a trained `model`, in place, and fits their scales; returns it in evaluation mode.

    Args:
        model: a DLRM without quantizing layers.
        plan: the bits of every part.
        calibration: training batches whose activations set the scales of the inputs.
    """
    prepare(model, plan)
    model.eval()
    for module in model.modules():
        if isinstance(module, QuantEmbeddingBag):
            table = module.table_quantizer
            groups = table.groups_of(torch.arange(module.num_embeddings))
            fit_scales(table.quantizer, module.weight, groups)
        elif isinstance(module, QuantLinear):
            fit_scales(module.weight_quantizer, module.weight, None)
    for module, inputs in _layer_inputs(model, calibration).items():
        if module.activation_quantizer is not None:
            fit_scales(module.activation_quantizer, inputs, None)
    return model


def _layer_inputs(model: Dlrm, calibration: Iterable[ClickBatch]) -> dict[QuantLinear, Tensor]:
    """What every linear layer reads, while no activation is rounded yet."""
    layers = [module for module in model.modules() if isinstance(module, QuantLinear)]
    quantizers = [layer.activation_quantizer for layer in layers]
    seen: dict[QuantLinear, list[Tensor]] = {layer: [] for layer in layers}
    hooks = [layer.register_forward_pre_hook(lambda m, x: seen[m].append(x[0].flatten())) for layer in layers]
    for layer in layers:
        layer.activation_quantizer = None
    for batch in calibration:
        model(batch.dense, batch.indices, batch.offsets)
    for layer, quantizer, hook in zip(layers, quantizers, hooks, strict=True):
        layer.activation_quantizer = quantizer
        hook.remove()
    return {layer: _thinned(torch.cat(values)) for layer, values in seen.items()}


def _thinned(values: Tensor) -> Tensor:
    return values[:: -(-len(values) // MAX_CALIBRATION_VALUES)]


@torch.no_grad()
def fit_scales(quantizer: Quantizer, x: Tensor, groups: Tensor | None) -> None:
    """Sets each scale to one with about the least squared rounding error over `x`, by search and refinement.

    The best fraction of the covering scale, then a few steps that take turns: codes for the scale, and the scale with
    the least error for these codes, s <- s <x, q> / <q, q> with q the rounded x, which no step makes worse. At 1 bit
    that is the mean magnitude. Quantizers with an offset span the range by definition, and keep it.

    Source: the alternation is that of Lloyd, IEEE Trans. Inf. Theory 28 (1982), with levels that only scale.
    """
    quantizer.init_from(x, groups)
    if quantizer.offset is not None:
        return
    low, high = extremes_per_scale(x, quantizer.granularity, num_scales=quantizer.num_scales, groups=groups)
    widest = torch.maximum(high, -low) / HIGHEST_LEVEL[quantizer.bits]
    best, least = widest, torch.full_like(widest, torch.inf)
    for fraction in FRACTIONS:
        best, least = _better(quantizer, x, groups, best=best, least=least, candidate=widest * fraction)
    for _ in range(REFINEMENTS):
        quantizer.scale.copy_(best)
        rounded = quantizer.dequantize(quantizer.codes(x, groups), groups)
        factor = _mean(x * rounded, quantizer, groups) / _mean(rounded.square(), quantizer, groups)
        refined = torch.where(factor > 0, best * factor, best)
        best, least = _better(quantizer, x, groups, best=best, least=least, candidate=refined)
    quantizer.scale.copy_(best.clamp_min(SMALLEST_SCALE))


def _better(
    quantizer: Quantizer, x: Tensor, groups: Tensor | None, *, best: Tensor, least: Tensor, candidate: Tensor
) -> tuple[Tensor, Tensor]:
    """Per scale, the one of `best` (whose error is `least`) and `candidate` with the lesser error, and that error."""
    quantizer.scale.copy_(candidate)
    error = _mean((quantizer.dequantize(quantizer.codes(x, groups), groups) - x).square(), quantizer, groups)
    return torch.where(error < least, candidate, best), torch.minimum(error, least)


def _mean(x: Tensor, quantizer: Quantizer, groups: Tensor | None) -> Tensor:
    mean: Tensor = mean_per_scale(x, quantizer.granularity, num_scales=quantizer.num_scales, groups=groups)
    return mean
