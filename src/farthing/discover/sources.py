"""Where features come from: what `--features` may name, and which extractors can be kept for later images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any  # Any: JSON

import numpy as np
import numpy.typing as npt
from torch import Tensor

from farthing.base.config import to_dict
from farthing.base.errors import ConfigError, DataError
from farthing.discover.builtin import DictionaryConfig, DictionaryExtractor
from farthing.discover.featurefile import read_features
from farthing.discover.features import Extractor, FeatureSet, Progress, compute_features
from farthing.discover.images import ImageCollection
from farthing.discover.pixels import read_images
from farthing.discover.problem import UNLABELLED
from farthing.discover.selfsup import SelfsupConfig
from farthing.discover.selfsupextractor import SelfsupExtractor
from farthing.discover.transformersextractor import TransformersExtractor
from farthing.vision.images import Pixels

Function = Callable[[Sequence[Pixels]], npt.NDArray[np.floating[Any]]]  # Any: the precision of a float type


@dataclass(frozen=True, kw_only=True, slots=True)
class FeatureConfig:
    """How features are made; each source reads its own part.

    Attributes:
        dictionary: of "builtin".
        selfsup: of "selfsup".
    """

    dictionary: DictionaryConfig = field(default_factory=DictionaryConfig)
    selfsup: SelfsupConfig = field(default_factory=SelfsupConfig)


# Kinds of extractor that can be kept.
EXTRACTORS: dict[str, type[DictionaryExtractor] | type[SelfsupExtractor] | type[TransformersExtractor]] = {
    "builtin": DictionaryExtractor,
    "selfsup": SelfsupExtractor,
    "transformers": TransformersExtractor,
}
HF_PREFIX = "hf:"

# Sides of the canvas that are read of an image: no side of it is longer.
_DETAIL = 2


def extract_features(
    collection: ImageCollection,
    source: str | Function = "builtin",
    *,
    listing: Path | None = None,
    config: FeatureConfig | None = None,
    seed: int = 0,
    folder: Path | None = None,
    progress: Progress = lambda _: None,
) -> tuple[FeatureSet, Extractor | None]:
    """The features of a collection, and the extractor for later images (None where the features came as a file).

    Args:
        collection: the images.
        source: "builtin" (a dictionary of patches), "selfsup" (a net trained on the collection), "FILE.npy"
            (f32 [n, dim], with `listing`), "hf:FOLDER" (a transformers vision model), or a function that takes a list
            of u8 [h, w, 3] RGB images and returns [n, dim]; a function is never stored.
        listing: for FILE.npy: a text file, the image of each row, one per line.
        config: how, for the sources that learn.
        seed: of everything that is drawn.
        folder: of the training of "selfsup", which is gone on with where it was cut off; None keeps none.
        progress: is told what is being done.

    Raises:
        ConfigError: an unknown source, or a `listing` without FILE.npy, or the other way round.
        DataError: no image can be read, or the file of features does not fit the collection.
    """
    if isinstance(source, str) and (source.endswith(".npy") or listing is not None):
        return read_features(Path(source), listing, collection), None
    learner = _Learner(collection, config or FeatureConfig(), seed, folder, progress)
    extractor, made_by = learner.learn(source)
    paths = [collection.path(name) for name in collection.names]
    return compute_features(collection.names, paths, extractor, made_by=made_by, progress=progress), extractor


@dataclass(frozen=True, slots=True)
class _Learner:
    """What makes an extractor from the name of its source."""

    collection: ImageCollection
    config: FeatureConfig
    seed: int
    folder: Path | None
    progress: Progress

    def learn(self, source: str | Function) -> tuple[Extractor, dict[str, Any]]:  # Any: JSON
        """The extractor, and what to say about it."""
        if not isinstance(source, str):
            return FunctionExtractor(source), {"source": "function"}
        if source == "builtin":
            return self._builtin(), {"source": source, **to_dict(self.config.dictionary)}
        if source == "selfsup":
            return self._selfsup(), {"source": source, **to_dict(self.config.selfsup)}
        if source.startswith(HF_PREFIX):
            folder = Path(source.removeprefix(HF_PREFIX))
            return TransformersExtractor.open(folder), {"source": source}
        raise ConfigError(f"features must be builtin, selfsup, FILE.npy or hf:FOLDER, got {source!r}")

    def _builtin(self) -> Extractor:
        self.progress("learning a dictionary of patches")
        config = self.config.dictionary
        _, images = self._draw(config.fit_images, side=config.side)
        return DictionaryExtractor.fit(images, config, seed=self.seed)

    def _selfsup(self) -> Extractor:
        self.progress("training a small net without labels")
        config = self.config.selfsup
        names, images = self._draw(config.max_images, side=config.side)
        label_of = dict(zip(self.collection.names, self.collection.labels, strict=True))
        classes = {label: number for number, label in enumerate(sorted({*label_of.values()} - {None}, key=str))}
        labels = np.array([classes.get(label_of[name], UNLABELLED) for name in names], dtype=np.int64)
        return SelfsupExtractor.fit(images, labels, config, seed=self.seed, folder=self.folder)

    def _draw(self, count: int, *, side: int) -> tuple[list[str], list[Pixels]]:
        """Names and pixels of up to `count` readable images, drawn at random, in the collection's order."""
        names = self.collection.names
        chosen = [names[i] for i in np.sort(np.random.default_rng(self.seed).permutation(len(names))[:count])]
        batches = read_images((self.collection.path(name) for name in chosen), max_side=_DETAIL * side)
        images = [image for batch in batches for image in batch]
        drawn = [(name, image) for name, image in zip(chosen, images, strict=True) if image is not None]
        if not drawn:
            raise DataError(f"{self.collection.root}: at least one image must be readable, got none")
        return [name for name, _ in drawn], [image for _, image in drawn]


@dataclass(frozen=True, slots=True)
class FunctionExtractor:
    """Features by a function of the caller's; it cannot be kept."""

    function: Function

    @property
    def max_side(self) -> int:
        """Everything is read: the function may want it."""
        return 1 << 16

    def transform(self, images: Sequence[Pixels]) -> npt.NDArray[np.float32]:
        """What the function returns for the images.

        Raises:
            DataError: not one row per image.
        """
        features = np.asarray(self.function(images), dtype=np.float32)
        if features.ndim != 2 or len(features) != len(images):
            raise DataError(f"features: the function must return [{len(images)}, dim], got {features.shape}")
        return features

    def state(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """Nothing can be kept.

        Raises:
            ConfigError: always.
        """
        raise ConfigError("features: a function cannot be stored; pass it again for later images")
