"""From a page to what the net reads: grey, a fixed long side, its own mean and contrast taken out."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from farthing.documents.config import CANVAS_STEP
from farthing.vision.images import Pixels

# A page whose contrast is below this (of black to white, 1) is nearly blank: more would only enlarge its noise.
LEAST_CONTRAST = 0.08
LARGEST_VALUE = 4.0


def to_grey(pixels: Pixels, long_side: int) -> Pixels:
    """u8 [height, width]: luminance of an RGB page [h, w, 3], resized so that its long side is `long_side`."""
    grey = np.asarray(cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY), dtype=np.uint8)
    return resize(grey, long_side)


def resize(grey: Pixels, long_side: int) -> Pixels:
    """u8 [height, width] with the long side `long_side` and the same proportions, each side at least 1."""
    height, width = grey.shape
    scale = long_side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    if size == (width, height):
        return grey
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(grey, size, interpolation=method), dtype=np.uint8)


def canvas_of(height: int, width: int) -> tuple[int, int]:
    """The next multiples of `CANVAS_STEP`."""
    return -(-height // CANVAS_STEP) * CANVAS_STEP, -(-width // CANVAS_STEP) * CANVAS_STEP


def to_batch(pages: Sequence[Pixels]) -> tuple[Float[Tensor, "batch 1 h w"], Bool[Tensor, "batch 1 h w"]]:
    """Grey values in [0, 1] of u8 pages [height, width] on one canvas, and where each page is; it starts top left."""
    height, width = canvas_of(max(len(page) for page in pages), max(page.shape[1] for page in pages))
    images, inside = np.zeros((len(pages), 1, height, width), np.uint8), np.zeros((len(pages), 1, height, width), bool)
    for index, page in enumerate(pages):
        images[index, 0, : page.shape[0], : page.shape[1]] = page
        inside[index, 0, : page.shape[0], : page.shape[1]] = True
    return torch.from_numpy(images).float().div_(255), torch.from_numpy(inside)


def normalise(
    images: Float[Tensor, "batch 1 h w"], inside: Bool[Tensor, "batch 1 h w"]
) -> Float[Tensor, "batch 1 h w"]:
    """(x - mean) / contrast of every page, clipped to [-4, 4]; 0 outside it.

    Mean and contrast (the standard deviation, at least 0.08) are the page's own, so that paper and ink, exposure and
    fading matter less.

    Args:
        images: grey values in [0, 1].
        inside: where the page is.
    """
    axes = (1, 2, 3)
    count = inside.sum(axes, keepdim=True).clamp_min(1)
    mean = (images * inside).sum(axes, keepdim=True) / count
    centered = (images - mean) * inside
    contrast = (centered.square().sum(axes, keepdim=True) / count).sqrt().clamp_min(LEAST_CONTRAST)
    return (centered / contrast).clamp_(-LARGEST_VALUE, LARGEST_VALUE)
