"""Features by the self-supervised net: trained on a collection, kept for later images."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any  # JSON

import torch
from torch import Tensor

from farthing.base.config import from_dict, to_dict
from farthing.discover.pixels import Canvas, choose_canvas, to_tensor
from farthing.discover.problem import Features, Labels
from farthing.discover.selfsup import ContrastBatch, ContrastBatches, ContrastNet, ContrastTask, SelfsupConfig
from farthing.train.loop import FitConfig, fit
from farthing.train.task import Progress
from farthing.vision.images import Pixels

_HELD_OUT = 256
_CLIP_NORM = 5.0
_IMAGES_AT_ONCE = 256
# Sides of the canvas are multiples of it, so that squares of pixels become channels.
_MULTIPLE = 4


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class SelfsupExtractor:
    """Features of images by a trained net; a feature depends on its image alone.

    Attributes:
        canvas: the shape that images are brought to.
        net: in evaluation mode, on the device that it runs on.
        config: what it was built and trained with.
    """

    canvas: Canvas
    net: ContrastNet
    config: SelfsupConfig

    @classmethod
    def fit(
        cls,
        images: Sequence[Pixels],
        labels: Labels,
        config: SelfsupConfig,
        *,
        seed: int,
        folder: Path | None = None,
        progress: Progress | None = None,
    ) -> SelfsupExtractor:
        """Trains the net, on a GPU where there is one.

        Args:
            images: u8 [h, w, 3] RGB of any sizes, at least two.
            labels: i64 [n], `UNLABELLED` where there is none.
            config: of net and training.
            seed: of initial weights, order and views.
            folder: of the training run, which is gone on with where it was cut off; None keeps none.
            progress: the training's display.

        Raises:
            ConfigError: `folder` holds a training with other settings.
        """
        canvas = choose_canvas(images, side=config.side, multiple=_MULTIPLE)
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.manual_seed(seed)
        net = ContrastNet(canvas.channels, config.widths, config.blocks, config.projected).to(device)
        pixels, numbers = to_tensor(images, canvas), torch.from_numpy(labels)
        batches = ContrastBatches(
            images=pixels, labels=numbers, batch_size=min(config.batch_size, len(images)), seed=seed
        )
        held_out = ContrastBatch(images=pixels[:_HELD_OUT], labels=numbers[:_HELD_OUT], seed=seed)
        task = ContrastTask(net, held_out=held_out, config=config)
        epochs = FitConfig(max_epochs=config.epochs, monitor="found", clip_norm=_CLIP_NORM, warmup_steps=20)
        with nullcontext(folder) if folder else tempfile.TemporaryDirectory() as place:
            fit(
                task,
                batches,
                epochs,
                folder=Path(place),
                seed=seed,
                resume=True,
                progress=progress,
                settings={"selfsup": to_dict(config)},
            )
        return cls(canvas=canvas, net=net.eval(), config=config)

    @property
    def max_side(self) -> int:
        """Long side in pixels beyond which detail of an image is not used."""
        return 2 * max(self.canvas.height, self.canvas.width)

    @torch.no_grad()
    def transform(self, images: Sequence[Pixels]) -> Features:
        """f32 [n, dim] features of RGB images of any sizes, of any length."""
        device = next(self.net.parameters()).device
        placed = to_tensor(images, self.canvas)
        parts = [self.net.features(part.to(device, torch.float32)).cpu() for part in placed.split(_IMAGES_AT_ONCE)]
        features: Features = torch.cat(parts).numpy()
        return features

    def state(self) -> tuple[dict[str, Any], dict[str, Tensor]]:  # Any: JSON
        """All of it as JSON and tensors, for `from_state`; the head, which only training sees, is left out."""
        weights = self.net.backbone.state_dict()
        tensors = {name: value.detach().cpu().contiguous() for name, value in weights.items()}
        return {"canvas": asdict(self.canvas), "config": to_dict(self.config)}, tensors

    @classmethod
    def from_state(cls, description: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> SelfsupExtractor:
        """The extractor that `state` took apart, on the CPU.

        Raises:
            RuntimeError: the tensors are not those of the net.
        """
        canvas, config = from_dict(Canvas, description["canvas"]), from_dict(SelfsupConfig, description["config"])
        net = ContrastNet(canvas.channels, config.widths, config.blocks, config.projected)
        net.backbone.load_state_dict(dict(tensors))
        return cls(canvas=canvas, net=net.eval(), config=config)
