"""From images to a `FeatureSet`: every readable image as one vector of length 1, normalised here and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol  # Any: JSON

import numpy as np
import numpy.typing as npt
from torch import Tensor

from farthing.base.errors import DataError
from farthing.discover.pixels import read_images
from farthing.discover.problem import Features
from farthing.vision.images import Pixels

Progress = Callable[[str], None]


class Extractor(Protocol):
    """What turns images into features; a feature depends on its image alone."""

    @property
    def max_side(self) -> int:
        """Long side in pixels beyond which detail of an image is not used."""

    def transform(self, images: Sequence[Pixels]) -> Features:
        """f32 [n, dim] features of u8 [h, w, 3] RGB images of any sizes; of any length."""

    def state(self) -> tuple[dict[str, Any], dict[str, Tensor]]:  # Any: JSON
        """All of it as JSON and tensors."""


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class FeatureSet:
    """The features of a collection.

    Attributes:
        names: of the images that have one, in the collection's order.
        features: f32 [n, dim], each of length 1.
        unreadable: names of the images that could not be read.
        made_by: what made them, for the summary.
    """

    names: tuple[str, ...]
    features: Features
    unreadable: tuple[str, ...]
    made_by: Mapping[str, Any]  # Any: JSON

    def __post_init__(self) -> None:
        if self.features.ndim != 2 or len(self.features) != len(self.names):
            raise DataError(f"features must be [{len(self.names)}, dim], one row per name, got {self.features.shape}")
        if len(set(self.names)) != len(self.names):
            raise DataError("names: each image must be there once")


def compute_features(
    names: Sequence[str],
    images: Sequence[Path | Pixels],
    extractor: Extractor,
    *,
    made_by: Mapping[str, Any],  # Any: JSON
    progress: Progress = lambda _: None,
) -> FeatureSet:
    """The features of all images that can be read, a batch of images in memory at a time.

    Args:
        names: of the images.
        images: files, or u8 [h, w, 3] RGB pixels.
        extractor: makes the features.
        made_by: what to say about it.
        progress: is told how far it is.

    Raises:
        DataError: no image can be read, or the extractor's features are not finite.
    """
    parts: list[Features] = []
    readable: list[bool] = []
    for batch in read_images(images, max_side=extractor.max_side):
        pixels = [image for image in batch if image is not None]
        readable += [image is not None for image in batch]
        if pixels:
            parts.append(extractor.transform(pixels))
        progress(f"features of {len(readable):,} of {len(images):,} images")
    if not parts:
        raise DataError("images: at least one must be readable, got none")
    features = unit_length(np.concatenate(parts))
    return FeatureSet(
        names=tuple(name for name, is_there in zip(names, readable, strict=True) if is_there),
        features=features,
        unreadable=tuple(name for name, is_there in zip(names, readable, strict=True) if not is_there),
        made_by={**made_by, "dim": features.shape[1]},
    )


def unit_length(features: npt.NDArray[np.floating[Any]]) -> Features:  # Any: the precision of a float type
    """f32 [n, dim] features divided by their length; one of length 0 becomes the direction (1, ..., 1) / sqrt(dim).

    Raises:
        DataError: not a matrix of at least one column, or a value that is not finite.
    """
    if features.ndim != 2 or features.shape[1] == 0:
        raise DataError(f"features must be [n, dim] with dim >= 1, got {features.shape}")
    bad = np.flatnonzero(~np.isfinite(features).all(axis=1))
    if len(bad):
        raise DataError(f"features must be finite; {len(bad)} rows are not, the first is row {bad[0]} (from 0)")
    # Divided by the largest magnitude first: squares neither overflow nor vanish.
    wide = features.astype(np.float64)
    wide /= np.maximum(np.abs(wide).max(axis=1, keepdims=True), np.finfo(np.float64).tiny)
    wide[~wide.any(axis=1)] = 1.0
    units: Features = (wide / np.linalg.norm(wide, axis=1, keepdims=True)).astype(np.float32)
    return units
