"""Features that another program computed: a .npy file with the image of each row in a text file beside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from farthing.base.errors import ConfigError, DataError
from farthing.discover.features import FeatureSet, unit_length
from farthing.discover.images import ImageCollection


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
        values = np.load(path)  # refuses pickles unless it is told otherwise
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
