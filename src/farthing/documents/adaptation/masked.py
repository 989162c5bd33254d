"""Self-supervision of a backbone: squares of a page are hidden, and what they showed is to be told from the rest.

Source: Masked Autoencoders, https://arxiv.org/abs/2111.06377, for a convolutional net as in SimMIM,
    https://arxiv.org/abs/2111.09886: hidden squares are blank, and only they are paid for. Difference: what is told
    is a quarter of the resolution, each square with its own mean and contrast taken out, so that paper costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from farthing.documents.adaptation.views import placed
from farthing.documents.config import AugmentConfig
from farthing.documents.net.transforms import normalise
from farthing.documents.training.data import PageBatch
from farthing.train.optim import decay_groups
from farthing.vision.backbones import Backbone

SQUARE = 32  # pixels: the side of a hidden square, the coarsest stride of the backbone
SHRUNK = 4  # pixels per told value, along each side
HIDDEN = 64

_TINY = 1e-2


class MaskedNet(nn.Module):
    """A backbone, and what tells hidden squares from its maps.

    Args:
        backbone: the net to train.
        widths: channels of its maps.
    """

    def __init__(self, backbone: Backbone, widths: Sequence[int]) -> None:
        super().__init__()
        self.backbone = backbone
        self.laterals = nn.ModuleList(nn.Conv2d(width, HIDDEN, 1) for width in widths[-3:])
        self.tell = nn.Sequential(nn.ReLU(), nn.Conv2d(HIDDEN, (8 // SHRUNK) ** 2, 3, padding=1))

    def forward(self, images: Float[Tensor, "batch 1 height width"]) -> Float[Tensor, "batch 1 h w"]:
        """What is told of every square; h and w are height and width over `SHRUNK`."""
        maps = self.backbone(images)[-3:]
        size = maps[0].shape[-2:]
        levels = [lateral(level) for lateral, level in zip(self.laterals, maps, strict=True)]
        joined = sum(F.interpolate(level, size=size) for level in levels)
        return F.pixel_shuffle(self.tell(joined), 8 // SHRUNK)


class MaskedTask:
    """Trains a `MaskedNet` on pages without labels.

    Args:
        model: on its device.
        held_out: batches to measure on.
        augment: how pages are placed; their light is left as it is.
        share: of the squares that are hidden, in (0, 1).
        lr: of AdamW.
        weight_decay: of AdamW, on matrices.
    """

    def __init__(
        self,
        model: MaskedNet,
        *,
        held_out: Sequence[PageBatch],
        augment: AugmentConfig,
        share: float,
        lr: float,
        weight_decay: float,
    ) -> None:
        self.model: nn.Module = model
        self._held_out, self._augment, self._share = held_out, augment, share
        self._device = next(model.parameters()).device
        self.optimizers: list[Optimizer] = [AdamW(decay_groups(model, weight_decay=weight_decay), lr=lr)]

    def loss(self, batch: PageBatch) -> Tensor:
        """Mean squared error of hidden squares, in units of their own variance."""
        with torch.no_grad():
            images, inside, _, _ = placed(batch, self._augment, self._device)
            images = normalise(images, inside).contiguous(memory_format=torch.channels_last)
            hidden = draw_squares(images.shape[-2:], len(images), self._share, seed=batch.seed).to(self._device)
            wanted = contrast_in_squares(images)
            counted = (F.interpolate(hidden.float(), scale_factor=SQUARE // SHRUNK) > 0) & _shrunk(inside)
        told = self.model(images * ~hidden.repeat_interleave(SQUARE, 2).repeat_interleave(SQUARE, 3))
        error = (told - wanted).square() * counted
        loss: Tensor = error.sum() / counted.sum().clamp_min(1)
        return loss

    def after_step(self, step: int) -> None:
        """Nothing: there is no teacher."""

    def evaluate(self) -> dict[str, float]:
        """`told`: the share of the variance of hidden squares that is told right, of held-out pages; 1 is all."""
        return {"told": 1 - sum(float(self.loss(batch)) for batch in self._held_out) / len(self._held_out)}

    def state_dict(self) -> dict[str, Any]:  # Any: see Task
        """Nothing beyond model and optimizers."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Nothing beyond model and optimizers."""


def draw_squares(canvas: Sequence[int], batch: int, share: float, *, seed: int) -> Bool[Tensor, "batch 1 rows columns"]:
    """Which squares of each page are hidden: the same number on every page, at least one.

    Args:
        canvas: (height, width), multiples of `SQUARE`.
        batch: pages.
        share: of the squares.
        seed: of the draw.
    """
    rows, columns = canvas[0] // SQUARE, canvas[1] // SQUARE
    generator = torch.Generator().manual_seed(seed)
    order = torch.rand(batch, rows * columns, generator=generator).argsort(1)
    return (order < max(1, round(share * rows * columns))).view(batch, 1, rows, columns)


def contrast_in_squares(images: Float[Tensor, "batch 1 height width"]) -> Float[Tensor, "batch 1 h w"]:
    """The page at 1 / `SHRUNK` of its size, each square with mean 0 and variance at most 1.

    (x - mean) / sqrt(variance + 0.01), so that bare paper stays near 0 and costs little.
    """
    small = F.avg_pool2d(images, SHRUNK)
    side = SQUARE // SHRUNK
    mean = F.avg_pool2d(small, side)
    variance = (F.avg_pool2d(small.square(), side) - mean.square()).clamp_min(0)
    mean, deviation = (F.interpolate(value, scale_factor=side) for value in (mean, (variance + _TINY).sqrt()))
    return (small - mean) / deviation


def _shrunk(inside: Bool[Tensor, "batch 1 height width"]) -> Bool[Tensor, "batch 1 h w"]:
    """The cells that lie wholly inside their page."""
    return F.avg_pool2d(inside.float(), SHRUNK) == 1
