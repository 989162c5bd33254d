"""What a detector with a place for every point pays: for its scores, its boxes, and its word on the page."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from farthing.documents.net.candidates import Candidates
from farthing.documents.training.losses import generalized_iou, quality_focal_loss
from farthing.documents.training.targets import Objects, assign

BOX_WEIGHT, PAGE_WEIGHT = 2.0, 0.2


def detection_loss(candidates: Candidates, objects: Objects) -> Tensor:
    """Focal loss of all points + 2 (1 - GIoU) of those with an object + 0.2 cross-entropy of the page logits.

    The first two are sums over the batch, divided by the sum of the wanted scores (at least 1); each point's overlap
    counts as much as its wanted score. Classes that a page's data does not know cost nothing.
    """
    scores, boxes = candidates.logits.detach().sigmoid(), candidates.boxes.detach()
    assigned = assign(scores, boxes, candidates.centers, objects)
    weight = assigned.quality.sum(2)
    total = weight.sum().clamp_min(1.0)
    focal = quality_focal_loss(candidates.logits, assigned.quality) * objects.is_known[:, None]
    overlap = 1 - generalized_iou(candidates.boxes, assigned.boxes)
    return (
        focal.sum() / total
        + BOX_WEIGHT * (overlap * weight).sum() / total
        + PAGE_WEIGHT * _page_loss(candidates.page_logits, objects)
    )


def _page_loss(page_logits: Tensor, objects: Objects) -> Tensor:
    """Mean cross-entropy of whether each known class is on the page."""
    shown = F.one_hot(objects.labels, page_logits.shape[1]) * objects.is_real[:, :, None]
    target = shown.amax(1).to(page_logits.dtype) if shown.shape[1] else torch.zeros_like(page_logits)
    loss = F.binary_cross_entropy_with_logits(page_logits, target, reduction="none")
    return (loss * objects.is_known).sum() / objects.is_known.sum().clamp_min(1)
