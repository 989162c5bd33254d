"""Post-training rounding: a trained float model in few bits without any further training.

The baseline that quantization-aware training has to beat, done well: every scale minimises the squared error of what
it rounds (weights and tables exactly, activations over calibration batches), instead of covering the range.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from farthing.lowbit.convert import prepare
from farthing.lowbit.layers import QuantEmbeddingBag, QuantLinear
from farthing.lowbit.levels import HIGHEST_LEVEL
from farthing.lowbit.plan import QuantPlan
from farthing.lowbit.quantizers import SMALLEST_SCALE, Quantizer
from farthing.recommend.clicks import ClickBatch
from farthing.recommend.model import Dlrm

# Fractions of the scale that just covers the largest value; below 0.2 clipping always costs more than it saves.
CANDIDATES = torch.linspace(0.2, 1.0, 41)
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


def fit_scales(quantizer: Quantizer, x: Tensor, groups: Tensor | None) -> None:
    """Sets each scale to the candidate with the least sum of squared rounding errors over `x`."""
    quantizer.init_from(x, groups)
    widest = _covering_scale(quantizer, x, groups)
    best = torch.full_like(widest, torch.inf)
    chosen = widest.clone()
    for fraction in CANDIDATES:
        quantizer.scale.copy_(widest * fraction)
        error = _sum_per_scale(
            (quantizer.dequantize(quantizer.codes(x, groups), groups) - x).square(), quantizer, groups
        )
        better = error < best
        best, chosen = torch.where(better, error, best), torch.where(better, quantizer.scale, chosen)
    quantizer.scale.copy_(chosen)


def _covering_scale(quantizer: Quantizer, x: Tensor, groups: Tensor | None) -> Tensor:
    """The scale at which the largest magnitude just meets the highest level."""
    if groups is not None:
        largest = torch.zeros(quantizer.num_scales).scatter_reduce_(0, groups, x.abs().amax(1), "amax")
    elif quantizer.num_scales > 1:
        largest = x.abs().flatten(1).amax(1)
    else:
        largest = x.abs().amax().reshape(1)
    return largest.clamp_min(SMALLEST_SCALE) / HIGHEST_LEVEL[quantizer.bits]


def _sum_per_scale(error: Tensor, quantizer: Quantizer, groups: Tensor | None) -> Tensor:
    if groups is not None:
        return torch.zeros(quantizer.num_scales).index_add_(0, groups, error.sum(1))
    total: Tensor = error.flatten(1).sum(1) if quantizer.num_scales > 1 else error.sum().reshape(1)
    return total
