"""What follows a layer and folds into it: a normalisation with fixed statistics, and a ReLU.

Such a normalisation is a scale and a shift per channel:

norm(y) = (y - mean) / sqrt(variance + eps) * weight + bias = gain * y + shift
"""

from __future__ import annotations

import copy
from collections import Counter
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from farthing.lowbit.packed import FoldedNorm, PackedConv2d

Norm = nn.BatchNorm1d | nn.BatchNorm2d


def gain_and_shift(norm: Norm) -> tuple[Float[Tensor, " channels"], Float[Tensor, " channels"]]:
    """What the normalisation multiplies each channel by in eval mode, and what it adds then."""
    assert norm.running_mean is not None, "a norm without statistics is not foldable"
    assert norm.running_var is not None, "a norm without statistics is not foldable"
    gain = (norm.running_var + norm.eps).rsqrt()
    if norm.affine:
        gain = gain * norm.weight.detach()
    shift = -norm.running_mean * gain
    return gain, shift + norm.bias.detach() if norm.affine else shift


def foldable_norms(model: nn.Module) -> dict[int, Norm]:
    """The normalisation that can be folded into each layer, by the layer's id().

    A pair counts if both stand next to each other in an nn.Sequential, fit in kind and size, and occur only once.
    """
    uses = Counter(id(module) for _, module in model.named_modules(remove_duplicate=False))
    norms: dict[int, Norm] = {}
    for module in model.modules():
        if not isinstance(module, nn.Sequential):
            continue
        for layer, norm in pairwise(module):
            if isinstance(norm, Norm) and _fits(layer, norm) and uses[id(layer)] == uses[id(norm)] == 1:
                norms[id(layer)] = norm
    return norms


def _fits(layer: nn.Module, norm: Norm) -> bool:
    if isinstance(layer, nn.Linear) and isinstance(norm, nn.BatchNorm1d):
        return norm.track_running_stats and norm.num_features == layer.out_features
    if isinstance(layer, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
        return norm.track_running_stats and norm.num_features == layer.out_channels
    return False


@torch.no_grad()
def folded_float(layer: nn.Module, norm: Norm) -> nn.Module:
    """A copy of a float Linear or Conv2d with the normalisation in its weight and bias."""
    assert isinstance(layer, nn.Linear | nn.Conv2d), "only these are foldable"
    gain, shift = gain_and_shift(norm)
    folded = copy.deepcopy(layer)
    folded.weight.mul_(gain.view(-1, *[1] * (folded.weight.ndim - 1)))
    folded.bias = nn.Parameter(shift if layer.bias is None else layer.bias * gain + shift)
    return folded


def fold_relus(model: nn.Module) -> nn.Module:
    """A packed model, each of whose convolutions applies the ReLU that follows it itself; works in place.

    A pair counts if the ReLU stands next to the convolution in an nn.Sequential, or next to the norm that was folded
    into it, and both occur only once. It saves a pass over the maps, which costs as much as some convolutions.
    """
    uses = Counter(id(module) for _, module in model.named_modules(remove_duplicate=False))
    for sequence in [module for module in model.modules() if isinstance(module, nn.Sequential)]:
        places = [place for place, layer in enumerate(sequence) if not isinstance(layer, FoldedNorm)]
        for place, after in pairwise(places):
            conv, relu = sequence[place], sequence[after]
            is_once = uses[id(conv)] == uses[id(relu)] == 1
            if is_once and isinstance(conv, PackedConv2d) and isinstance(relu, nn.ReLU):
                conv.add_relu()
                sequence[after] = nn.Identity()
    return model
