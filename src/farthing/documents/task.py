"""Detector training as a `train.Task`: focal, overlap and page losses, AdamW, page AP and AP50 on held-out pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from farthing.documents.augment import Augmenter
from farthing.documents.cache import PageCache
from farthing.documents.config import AugmentConfig
from farthing.documents.data import PageBatch
from farthing.documents.detector import Candidates, PageNet
from farthing.documents.inference import detect_greys
from farthing.documents.losses import generalized_iou, quality_focal_loss
from farthing.documents.metrics import evaluate_pages, mean_metrics
from farthing.documents.targets import Objects, assign
from farthing.documents.transforms import normalise
from farthing.train.optim import decay_groups

BOX_WEIGHT, PAGE_WEIGHT = 2.0, 0.2


class DetectTask:
    """Trains a (prepared) detector on labelled pages.

    Args:
        model: on its device.
        cache: the pages.
        held_out: those of them to measure on.
        classes: what is looked for.
        long_side: of a page as the net sees it.
        augment: how pages are varied.
        lr: of AdamW.
        weight_decay: of AdamW, on matrices.
    """

    def __init__(
        self,
        model: PageNet,
        *,
        cache: PageCache,
        held_out: Sequence[int],
        classes: tuple[str, ...],
        long_side: int,
        augment: AugmentConfig,
        lr: float,
        weight_decay: float,
    ) -> None:
        self.model: nn.Module = model
        self._cache, self._held_out, self._classes = cache, held_out, classes
        self._long_side, self._augment = long_side, augment
        self._device = next(model.parameters()).device
        self.optimizers: list[Optimizer] = [AdamW(decay_groups(model, weight_decay=weight_decay), lr=lr)]

    def loss(self, batch: PageBatch) -> Tensor:
        """What the detector pays for a varied batch."""
        images, objects = self._varied(batch)
        candidates: Candidates = self.model(images)
        return detection_loss(candidates, objects)

    def after_step(self, step: int) -> None:
        """Nothing: there is no teacher."""

    def evaluate(self) -> dict[str, float]:
        """`score`, `page_ap`, `ap50` of the held-out pages, and page AP and AP50 of each class."""
        greys = [self._cache.pixels(index) for index in self._held_out]
        truth = [self._cache.pages[index].labels for index in self._held_out]
        sizes = [(page.height, page.width) for page in truth]
        found = detect_greys(
            self.model, greys, sizes, classes=self._classes, long_side=self._long_side, device=self._device
        )
        results = evaluate_pages(found, truth)
        named = {f"{rate}/{name}": values[rate] for name, values in results.items() for rate in ("page_ap", "ap50")}
        return mean_metrics(results) | named

    def state_dict(self) -> dict[str, Any]:  # Any: see Task
        """Nothing beyond model and optimizers."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Nothing beyond model and optimizers."""

    @torch.no_grad()
    def _varied(self, batch: PageBatch) -> tuple[Tensor, Objects]:
        """The batch as the net sees it."""
        device = self._device
        pixels = batch.pixels.to(device, non_blocking=True).float().div_(255)
        objects = Objects(
            boxes=batch.objects.boxes.to(device),
            labels=batch.objects.labels.to(device),
            is_real=batch.objects.is_real.to(device),
            is_known=batch.objects.is_known.to(device),
        )
        augmenter = Augmenter(self._augment, batch.seed)
        images, inside, objects = augmenter.place(pixels, batch.sizes.to(device), objects, batch.canvas)
        images = normalise(augmenter.shade(images), inside)
        return images.contiguous(memory_format=torch.channels_last), objects


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
