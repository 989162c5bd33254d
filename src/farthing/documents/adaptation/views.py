"""A stored batch as a net sees it in training: placed, shaded, normalised."""

from __future__ import annotations

from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from farthing.documents.config import AugmentConfig
from farthing.documents.net.transforms import normalise
from farthing.documents.training.augment import Augmenter
from farthing.documents.training.data import PageBatch
from farthing.documents.training.targets import Objects


@torch.no_grad()
def varied(
    batch: PageBatch, augment: AugmentConfig, device: torch.device
) -> tuple[Float[Tensor, "batch 1 height width"], Objects]:
    """The pages of a batch, varied, and where their objects are then.

    Args:
        batch: as it is stored.
        augment: how pages are varied; all chance comes from the batch's seed.
        device: to compute on.
    """
    images, inside, objects, augmenter = placed(batch, augment, device)
    images = normalise(augmenter.shade(images), inside)
    return images.contiguous(memory_format=torch.channels_last), objects


def placed(batch: PageBatch, augment: AugmentConfig, device: torch.device) -> tuple[Tensor, Tensor, Objects, Augmenter]:
    """Grey values in [0, 1] at random sizes and places, where the pages are, their objects, and what shades them."""
    pixels = batch.pixels.to(device, non_blocking=True).float().div_(255)
    augmenter = Augmenter(augment, batch.seed)
    images, inside, objects = augmenter.place(
        pixels, batch.sizes.to(device), on_device(batch.objects, device), batch.canvas
    )
    return images, inside, objects, augmenter


def on_device(objects: Objects, device: torch.device) -> Objects:
    """The same objects on a device."""
    return replace(
        objects,
        boxes=objects.boxes.to(device),
        labels=objects.labels.to(device),
        is_real=objects.is_real.to(device),
        is_known=objects.is_known.to(device),
    )
