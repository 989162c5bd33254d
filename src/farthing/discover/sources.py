"""Where features come from: what `--features` may name, and how an extractor is kept for later images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any  # Any: JSON

import msgspec
import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from farthing.base.config import to_dict
from farthing.base.errors import ConfigError, DataError, FormatError
from farthing.base.files import read_json, write_bytes, write_json
from farthing.discover.builtin import DictionaryConfig, DictionaryExtractor
from farthing.discover.features import Extractor, FeatureSet, Progress, compute_features, unit_length
from farthing.discover.images import ImageCollection
from farthing.discover.pixels import read_images
from farthing.vision.images import Pixels

Function = Callable[[Sequence[Pixels]], npt.NDArray[np.floating[Any]]]  # Any: the precision of a float type

STATE_FILE, TENSORS_FILE = "extractor.json", "extractor.safetensors"


@dataclass(frozen=True, kw_only=True, slots=True)
class FeatureConfig:
    """How features are made; each source reads its own part.

    Attributes:
        dictionary: of "builtin".
    """

    dictionary: DictionaryConfig = field(default_factory=DictionaryConfig)


# Kinds of extractor that can be kept.
EXTRACTORS: dict[str, type[DictionaryExtractor]] = {"builtin": DictionaryExtractor}


def extract_features(
    collection: ImageCollection,
    source: str | Function = "builtin",
    *,
    listing: Path | None = None,
    config: FeatureConfig | None = None,
    seed: int = 0,
    progress: Progress = lambda _: None,
) -> tuple[FeatureSet, Extractor | None]:
    """The features of a collection, and the extractor for later images (None where there is none to keep).

    Args:
        collection: the images.
        source: "builtin", "FILE.npy" (f32 [n, dim], with `listing`), or a function that takes a list of
            u8 [h, w, 3] RGB images and returns [n, dim]; a function is never stored.
        listing: for FILE.npy: a text file, the image of each row, one per line.
        config: how, for the sources that learn.
        seed: of everything that is drawn.
        progress: is told what is being done.

    Raises:
        ConfigError: an unknown source, or a `listing` without FILE.npy, or the other way round.
        DataError: no image can be read, or the file of features does not fit the collection.
    """
    config = config or FeatureConfig()
    paths = [collection.path(name) for name in collection.names]
    if not isinstance(source, str):
        extractor: Extractor = FunctionExtractor(source)
        made_by: dict[str, Any] = {"source": "function"}
        return compute_features(collection.names, paths, extractor, made_by=made_by, progress=progress), None
    if source.endswith(".npy") or listing is not None:
        return read_features(Path(source), listing, collection), None
    if source != "builtin":
        raise ConfigError(f"features must be builtin, selfsup, FILE.npy or hf:FOLDER, got {source!r}")
    progress("learning a dictionary of patches")
    sample = draw_images(paths, config.dictionary.fit_images, max_side=2 * config.dictionary.side, seed=seed)
    extractor = DictionaryExtractor.fit(sample, config.dictionary, seed=seed)
    made_by = {"source": source, **to_dict(config.dictionary)}
    return compute_features(collection.names, paths, extractor, made_by=made_by, progress=progress), extractor


def draw_images(images: Sequence[Path | Pixels], count: int, *, max_side: int, seed: int) -> list[Pixels]:
    """Up to `count` of the images that can be read, drawn at random, in their order.

    Raises:
        DataError: none of them can be read.
    """
    order = np.sort(np.random.default_rng(seed).permutation(len(images))[:count])
    batches = read_images((images[index] for index in order), max_side=max_side)
    drawn = [pixels for batch in batches for pixels in batch if pixels is not None]
    if not drawn:
        raise DataError("images: at least one must be readable, got none")
    return drawn


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


def read_features(path: Path, listing: Path | None, collection: ImageCollection) -> FeatureSet:
    """The features in a .npy file, for the images of the collection that the listing names.

    Images of the collection without a row count as unreadable; rows of other images are left out.

    Args:
        path: float [n, dim].
        listing: UTF-8, the image of each row by name below the collection's folder, one per line.
        collection: the images.

    Raises:
        ConfigError: only one of the two files is given.
        DataError: a file cannot be read, they differ in length, an image has two rows, none is of the collection, or
            a value is not finite.
    """
    if listing is None or path.suffix != ".npy":
        raise ConfigError("features: FILE.npy and --images LIST (the image of each row) belong together; give both")
    try:
        values = np.load(path, allow_pickle=False)
        names = [line.strip() for line in listing.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except (OSError, EOFError, ValueError) as error:
        raise DataError(f"{path} or {listing}: cannot be read ({error})") from error
    if not isinstance(values, np.ndarray) or not np.issubdtype(values.dtype, np.floating) or values.ndim != 2:
        raise DataError(f"{path}: must hold one matrix of floats, [n, dim]")
    if len(names) != len(values):
        raise DataError(
            f"{listing}: must name the image of each of {len(values)} rows of {path.name}, got {len(names)}"
        )
    row_of = dict(zip(names, range(len(names)), strict=True))
    if len(row_of) != len(names):
        raise DataError(f"{listing}: names {len(names) - len(row_of)} images more than once")
    present = [name for name in collection.names if name in row_of]
    if not present:
        raise DataError(f"{listing}: names no image of {collection.root} (its first is {names[0]!r})")
    return FeatureSet(
        names=tuple(present),
        features=unit_length(values[[row_of[name] for name in present]]),
        unreadable=tuple(name for name in collection.names if name not in row_of),
        made_by={"source": path.name, "dim": values.shape[1]},
    )


class _Description(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `extractor.json` says."""

    kind: str
    state: dict[str, Any]  # Any: JSON


def save_extractor(extractor: Extractor, folder: Path) -> None:
    """Writes extractor.json and extractor.safetensors.

    Raises:
        ConfigError: a function, which cannot be stored.
        DataError: the folder cannot be written.
    """
    description, tensors = extractor.state()
    kind = next(kind for kind, stored in EXTRACTORS.items() if isinstance(extractor, stored))
    write_bytes(folder / TENSORS_FILE, save(tensors))
    write_json(folder / STATE_FILE, _Description(kind=kind, state=description))


def load_extractor(folder: Path) -> Extractor:
    """The extractor that `save_extractor` wrote.

    Raises:
        FormatError: a file is missing or damaged.
    """
    described = read_json(folder / STATE_FILE, _Description)
    if described.kind not in EXTRACTORS:
        raise FormatError(f"{folder / STATE_FILE}: unknown kind {described.kind!r}; a newer farthing may know it")
    try:
        tensors = load((folder / TENSORS_FILE).read_bytes())
        return EXTRACTORS[described.kind].from_state(described.state, tensors)
    except (OSError, SafetensorError, KeyError, ConfigError) as error:
        raise FormatError(f"{folder}: the extractor is damaged ({error})") from error
