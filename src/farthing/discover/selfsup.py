"""A small net trained to see two distorted views of an image, and images with the same label, as the same.

loss = (1 - l) InfoNCE + l SupCon: the first over all images, the second over those with a label.

Source: Vaze et al., Generalized Category Discovery, CVPR 2022, https://arxiv.org/abs/2201.02609, equation 3.
Differences: a small convolutional net trained from nothing instead of a pretrained transformer, and the distortions of
`vision.views` with changes of light, which leave characters readable, instead of crops and flips.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any  # JSON

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from farthing.base.errors import ConfigError
from farthing.discover.problem import UNLABELLED
from farthing.train.optim import decay_groups
from farthing.vision.backbones import Backbone
from farthing.vision.contrastive import info_nce, supervised_contrastive
from farthing.vision.views import draw_warps, warp

# Largest change of contrast and brightness of a view.
_LIGHT = 0.3


@dataclass(frozen=True, kw_only=True, slots=True)
class SelfsupConfig:
    """The net and its training.

    Attributes:
        side: of the square with the area that images are brought to, px, >= 16.
        widths: channels of the maps at strides 4, 8, 16, ...; the last is the dimension of the features.
        blocks: residual blocks of each stage.
        projected: dimension that the losses see, >= 1.
        epochs: passes over the images, >= 1.
        batch_size: images per step, >= 2.
        lr: of AdamW, > 0; falls to 0 along a cosine.
        weight_decay: of AdamW, >= 0.
        strength: of the distortions, > 0.
        supervised: l, the weight of labels, in [0, 1].
        temperature: of InfoNCE, > 0.
        supervised_temperature: of SupCon, > 0.
        max_images: trained on at most, drawn at random, >= 2.
    """

    side: int = 32
    widths: tuple[int, ...] = (48, 96, 192)
    blocks: tuple[int, ...] = (1, 1, 1)
    projected: int = 128
    epochs: int = 60
    batch_size: int = 128
    lr: float = 2e-3
    weight_decay: float = 1e-2
    strength: float = 1.5
    supervised: float = 0.35
    temperature: float = 1.0
    supervised_temperature: float = 0.07
    max_images: int = 50_000

    def __post_init__(self) -> None:
        least = {"side": 16, "projected": 1, "epochs": 1, "batch_size": 2, "max_images": 2, "weight_decay": 0}
        for name, lowest in least.items():
            if getattr(self, name) < lowest:
                raise ConfigError(f"{name} must be >= {lowest}, got {getattr(self, name)}")
        for name in ("lr", "strength", "temperature", "supervised_temperature"):
            if not getattr(self, name) > 0:
                raise ConfigError(f"{name} must be > 0, got {getattr(self, name)}")
        if not 0 <= self.supervised <= 1:
            raise ConfigError(f"supervised must be in [0, 1], got {self.supervised}")
        if not self.widths or len(self.widths) != len(self.blocks):
            raise ConfigError(f"widths and blocks must name the same stages, got {self.widths} and {self.blocks}")


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class ContrastBatch:
    """Images to be seen twice.

    Attributes:
        images: u8 [batch, channels, h, w].
        labels: i64 [batch], `UNLABELLED` where there is none.
        seed: of the views.
    """

    images: UInt8[Tensor, "batch channels h w"]
    labels: Int[Tensor, " batch"]
    seed: int

    @property
    def num_rows(self) -> int:
        """Images."""
        return len(self.images)


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class ContrastBatches:
    """All images once an epoch, shuffled by seed and epoch; what does not fill a batch waits for the next epoch.

    Attributes:
        images: u8 [n, channels, h, w].
        labels: i64 [n].
        batch_size: at most n.
        seed: of order and views.
    """

    images: Tensor
    labels: Tensor
    batch_size: int
    seed: int

    @property
    def num_batches(self) -> int:
        """Of an epoch."""
        return len(self.images) // self.batch_size

    def epoch(self, epoch: int, start_batch: int) -> Iterator[ContrastBatch]:
        """The batches of an epoch from `start_batch` on."""
        order = torch.from_numpy(np.random.default_rng((self.seed, epoch)).permutation(len(self.images)))
        for batch in range(start_batch, self.num_batches):
            chosen = order[batch * self.batch_size : (batch + 1) * self.batch_size]
            seed = int(np.random.default_rng((self.seed, epoch, batch)).integers(2**62))
            yield ContrastBatch(images=self.images[chosen], labels=self.labels[chosen], seed=seed)


class ContrastNet(nn.Module):
    """A backbone whose last map is averaged over places, and the head that only training sees.

    Args:
        channels: of the images, 1 or 3.
        widths: of the backbone's stages.
        blocks: likewise.
        projected: outputs of the head.
    """

    def __init__(self, channels: int, widths: Sequence[int], blocks: Sequence[int], projected: int) -> None:
        super().__init__()
        self.backbone = Backbone(channels, widths, blocks)
        self.head = nn.Sequential(
            nn.Linear(widths[-1], widths[-1]), nn.ReLU(inplace=True), nn.Linear(widths[-1], projected)
        )

    def features(self, images: Float[Tensor, "batch channels h w"]) -> Float[Tensor, "batch dim"]:
        """The features of images with values in [0, 255]."""
        maps: list[Tensor] = self.backbone(images / 127.5 - 1)
        return maps[-1].mean((2, 3))

    def forward(self, images: Float[Tensor, "batch channels h w"]) -> Float[Tensor, "batch projected"]:
        """What the losses see, of length 1."""
        return F.normalize(self.head(self.features(images)), dim=1)


class ContrastTask:
    """Trains a `ContrastNet`.

    Args:
        model: on its device.
        held_out: one batch to measure on.
        config: weights and temperatures.
    """

    def __init__(self, model: ContrastNet, *, held_out: ContrastBatch, config: SelfsupConfig) -> None:
        self.model: nn.Module = model
        self._held_out, self._config = held_out, config
        self._device = next(model.parameters()).device
        self.optimizers: list[Optimizer] = [AdamW(decay_groups(model, weight_decay=config.weight_decay), lr=config.lr)]

    def loss(self, batch: ContrastBatch) -> Tensor:
        """(1 - l) InfoNCE + l SupCon."""
        config = self._config
        first, second = self._projected(batch)
        unsupervised = info_nce(first, second, temperature=config.temperature)
        labelled = (batch.labels != UNLABELLED).to(self._device)
        labels = batch.labels.to(self._device)[labelled]
        supervised = supervised_contrastive(
            torch.cat([first[labelled], second[labelled]]),
            torch.cat([labels, labels]),
            temperature=config.supervised_temperature,
        )
        loss: Tensor = (1 - config.supervised) * unsupervised + config.supervised * supervised
        return loss

    def after_step(self, step: int) -> None:
        """Nothing: there is no teacher."""

    def evaluate(self) -> dict[str, float]:
        """`found`: the share of held-out images whose other view is the nearest among the other views of all."""
        first, second = self._projected(self._held_out)
        nearest = (first @ second.T).argmax(1)
        return {"found": float((nearest == torch.arange(len(first), device=nearest.device)).float().mean())}

    def state_dict(self) -> dict[str, Any]:  # Any: see Task
        """Nothing beyond model and optimizers."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Nothing beyond model and optimizers."""

    def _projected(self, batch: ContrastBatch) -> tuple[Tensor, Tensor]:
        """Two views of each image through the net, [batch, projected] each."""
        generator = torch.Generator().manual_seed(batch.seed)
        images = batch.images.to(self._device, torch.float32)
        views = [seen(images, self._config.strength, generator) for _ in range(2)]
        first, second = self.model(torch.cat(views)).chunk(2)
        return first, second


def seen(
    images: Float[Tensor, "batch channels h w"], strength: float, generator: torch.Generator
) -> Float[Tensor, "batch channels h w"]:
    """A random view of each image: distorted, its contrast and brightness changed.

    Args:
        images: values in [0, 255]; so are the view's.
        strength: of the distortions.
        generator: of all that is drawn, on the CPU.
    """
    grids = draw_warps(len(images), (images.shape[2], images.shape[3]), strength=strength, generator=generator)
    light = (torch.rand(2, len(images), 1, 1, 1, generator=generator) * 2 - 1) * _LIGHT
    contrast, brightness = 1 + light.to(images.device)
    centred = warp(images, grids.to(images.device)) - 127.5
    view: Tensor = (centred * contrast + 127.5 * brightness).clamp_(0, 255)
    return view
