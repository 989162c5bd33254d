"""Detector training as a `train.Task`: focal, overlap and page losses, page AP and AP50 on held-out pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from farthing.documents.config import AugmentConfig
from farthing.documents.judging.metrics import evaluate_pages, mean_metrics
from farthing.documents.net.candidates import Detector
from farthing.documents.net.inference import detect_greys
from farthing.documents.net.transforms import normalise
from farthing.documents.training.augment import Augmenter
from farthing.documents.training.cache import PageCache
from farthing.documents.training.data import PageBatch
from farthing.documents.training.targets import Objects


class DetectTask:
    """Trains a (prepared) detector on labelled pages.

    Args:
        model: on its device.
        cache: the pages.
        held_out: those of them to measure on.
        classes: what is looked for.
        long_side: of a page as the net sees it.
        augment: how pages are varied.
        optimizer: of the model's parameters.
        in_bfloat16: whether convolutions are computed in bfloat16.
    """

    def __init__(
        self,
        model: Detector,
        *,
        cache: PageCache,
        held_out: Sequence[int],
        classes: tuple[str, ...],
        long_side: int,
        augment: AugmentConfig,
        optimizer: Optimizer,
        in_bfloat16: bool = False,
    ) -> None:
        self.model: nn.Module = model
        self._detector = model
        self._cache, self._held_out, self._classes = cache, held_out, classes
        self._long_side, self._augment = long_side, augment
        self._device = next(model.parameters()).device
        self._in_bfloat16 = in_bfloat16
        self.optimizers: list[Optimizer] = [optimizer]

    def loss(self, batch: PageBatch) -> Tensor:
        """What the detector pays for a varied batch."""
        images, objects = self._varied(batch)
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._in_bfloat16):
            return self._detector.loss(images, objects)

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
