"""What a detector pays for: quality focal loss for its scores, generalised IoU for its boxes."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

_TINY = 1e-7


def quality_focal_loss(logits: Float[Tensor, "*shape"], quality: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """|q - p|^2 (-q log p - (1 - q) log(1 - p)) with p = sigmoid(logit): cross-entropy, less of it where p is right.

    Args:
        logits: any real numbers.
        quality: the wanted p, in [0, 1]: 0 where there is nothing, else the overlap of the box with its object.

    Source: Generalized Focal Loss, https://arxiv.org/abs/2006.04388, equation 2, with beta = 2.
    """
    error = logits.sigmoid() - quality
    return error.square() * F.binary_cross_entropy_with_logits(logits, quality, reduction="none")


def pairwise_iou(first: Float[Tensor, "*#n 4"], second: Float[Tensor, "*#n 4"]) -> Float[Tensor, ...]:
    """Intersection over union of each box (x0, y0, x1, y1) with the one in the same place; broadcasts."""
    shared, union = _shared_and_union(first, second)
    return shared / union


def generalized_iou(first: Float[Tensor, "*#n 4"], second: Float[Tensor, "*#n 4"]) -> Float[Tensor, ...]:
    """IoU - (hull - union) / hull, in (-1, 1], where the hull is the smallest box around both.

    Source: Rezatofighi et al., https://arxiv.org/abs/1902.09630, algorithm 2.
    """
    shared, union = _shared_and_union(first, second)
    sides = torch.maximum(first[..., 2:], second[..., 2:]) - torch.minimum(first[..., :2], second[..., :2])
    hull = sides.prod(-1).clamp_min(_TINY)
    return shared / union - (hull - union) / hull


def _shared_and_union(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
    """Areas of the intersection and of the union, the latter above 0."""
    low = torch.maximum(first[..., :2], second[..., :2])
    shared = (torch.minimum(first[..., 2:], second[..., 2:]) - low).clamp_min(0).prod(-1)
    areas = [(boxes[..., 2:] - boxes[..., :2]).clamp_min(0).prod(-1) for boxes in (first, second)]
    return shared, (areas[0] + areas[1] - shared).clamp_min(_TINY)
