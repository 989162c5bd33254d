"""Features by a vision model of the transformers library that lies in a local folder; nothing is ever downloaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any  # JSON; and transformers' classes carry no types

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from farthing.base.errors import ConfigError, DataError, FormatError
from farthing.base.files import read_json
from farthing.discover.problem import Features
from farthing.vision.images import Pixels

CONFIG_FILE, PROCESSOR_FILE = "config.json", "preprocessor_config.json"

# What most vision models were trained with (ImageNet), where the folder does not say.
_SIDE = 224
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_IMAGES_AT_ONCE = 16


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class TransformersExtractor:
    """The class token of a transformer, or the mean of the last map of a convolutional net.

    Attributes:
        folder: of config.json, model.safetensors and, where there is one, preprocessor_config.json.
        model: in evaluation mode, on the device that it runs on.
        side: that images are stretched to, px.
        mean: taken from each channel in [0, 1].
        std: that each channel is divided by then.
    """

    folder: Path
    model: nn.Module
    side: int
    mean: tuple[float, ...]
    std: tuple[float, ...]

    @classmethod
    def open(cls, folder: Path) -> TransformersExtractor:
        """The model in a folder. No code of the folder runs, and its weights must be safetensors.

        Raises:
            ConfigError: transformers is not installed.
            DataError: the folder holds no such model.
        """
        try:
            from transformers import AutoModel
        except ImportError as error:
            raise ConfigError("features: hf:FOLDER needs transformers; install farthing[accurate]") from error
        if not (folder / CONFIG_FILE).is_file():
            raise DataError(f"{folder}: must hold a transformers model, has no {CONFIG_FILE}")
        try:
            model = AutoModel.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False, use_safetensors=True
            )
        except (OSError, ValueError, KeyError) as error:
            raise DataError(f"{folder}: holds no vision model that transformers can load ({error})") from error
        processor = read_json(folder / PROCESSOR_FILE, dict[str, Any]) if (folder / PROCESSOR_FILE).is_file() else {}
        device = "cuda" if torch.cuda.is_available() else "cpu"
        return cls(
            folder=folder,
            model=model.eval().to(device),
            side=_side(processor, getattr(model.config, "image_size", None)),
            mean=tuple(processor.get("image_mean", _MEAN)),
            std=tuple(processor.get("image_std", _STD)),
        )

    @property
    def max_side(self) -> int:
        """Long side in pixels beyond which detail of an image is not used."""
        return 2 * self.side

    @torch.no_grad()
    def transform(self, images: Sequence[Pixels]) -> Features:
        """f32 [n, dim] features of RGB images of any sizes, of any length."""
        device = next(self.model.parameters()).device
        mean, std = (torch.tensor(values).view(3, 1, 1) for values in (self.mean, self.std))
        parts = []
        for start in range(0, len(images), _IMAGES_AT_ONCE):
            batch = torch.stack([self._resized(image) for image in images[start : start + _IMAGES_AT_ONCE]])
            output = self.model(pixel_values=((batch / 255 - mean) / std).to(device))
            parts.append(_pooled(output.last_hidden_state).float().cpu())
        features: Features = torch.cat(parts).numpy()
        return features

    def _resized(self, image: Pixels) -> Tensor:
        size = (self.side, self.side)
        resized = Image.fromarray(image).resize(size, Image.Resampling.BICUBIC)
        return torch.from_numpy(np.array(resized)).permute(2, 0, 1).to(torch.float32)

    def state(self) -> tuple[dict[str, Any], dict[str, Tensor]]:  # Any: JSON
        """Where the model lies: its weights stay the user's."""
        return {"folder": str(self.folder.resolve())}, {}

    @classmethod
    def from_state(cls, description: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> TransformersExtractor:
        """The extractor that `state` described.

        Raises:
            FormatError: its folder is no longer there.
        """
        folder = Path(description["folder"])
        if tensors or not folder.is_dir():
            raise FormatError(f"{folder}: the features were made by the model in this folder; put it back")
        return cls.open(folder)


def _pooled(hidden: Tensor) -> Tensor:
    """[n, dim] of [n, tokens, dim] (the first token) or [n, dim, h, w] (the mean over places)."""
    return hidden[:, 0] if hidden.ndim == 3 else hidden.mean((2, 3))


def _side(processor: Mapping[str, Any], of_model: object) -> int:
    """The side in pixels that the folder names, in one of the forms that it has had."""
    for named in (processor.get("crop_size"), processor.get("size"), of_model):
        side = named.get("height", named.get("shortest_edge")) if isinstance(named, Mapping) else named
        if isinstance(side, int) and side > 0:
            return side
    return _SIDE
