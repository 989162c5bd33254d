"""Features of another program find their images by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from farthing.base.errors import ConfigError, DataError
from farthing.discover.featurefile import read_features
from farthing.discover.images import ImageCollection
from tests.discover.pictures import make_collection


@pytest.fixture
def collection(tmp_path: Path) -> ImageCollection:
    return make_collection(tmp_path / "in", per_shape=1)


def write(folder: Path, names: list[str], values: object) -> tuple[Path, Path]:
    np.save(folder / "f.npy", np.asarray(values))
    (folder / "list.txt").write_text("\n".join(names) + "\n")
    return folder / "f.npy", folder / "list.txt"


def test_rows_find_their_images(tmp_path: Path, collection: ImageCollection) -> None:
    names = [collection.names[2], "elsewhere.png", collection.names[0]]
    features = read_features(*write(tmp_path, names, [[0.0, 2.0], [5.0, 5.0], [3.0, 0.0]]), collection)
    assert features.names == (collection.names[0], collection.names[2])
    assert features.features.tolist() == [[1, 0], [0, 1]]
    assert features.unreadable == (collection.names[1], collection.names[3])


def test_what_does_not_fit(tmp_path: Path, collection: ImageCollection) -> None:
    first, second = collection.names[:2]
    for names, values, message in (
        ([first], [[1.0], [2.0]], "each of 2 rows of f.npy, got 1"),
        ([first, first], [[1.0], [2.0]], "names 1 images more than once"),
        (["elsewhere.png"], [[1.0]], "names no image of"),
        ([first, second], [[1.0], [np.nan]], "must be finite"),
        ([first], [[1]], "one matrix of floats"),
        ([first], [1.0], "one matrix of floats"),
    ):
        with pytest.raises(DataError, match=message):
            read_features(*write(tmp_path, names, values), collection)
    (tmp_path / "f.npy").write_bytes(b"\x93NUMPY no")
    with pytest.raises(DataError, match="cannot be read"):
        read_features(tmp_path / "f.npy", tmp_path / "list.txt", collection)


def test_objects_are_not_unpickled(tmp_path: Path, collection: ImageCollection) -> None:
    np.save(tmp_path / "f.npy", np.array([{"a": 1}], object), allow_pickle=True)
    (tmp_path / "list.txt").write_text(collection.names[0])
    with pytest.raises(DataError, match="cannot be read"):
        read_features(tmp_path / "f.npy", tmp_path / "list.txt", collection)


def test_both_files_are_needed(tmp_path: Path, collection: ImageCollection) -> None:
    with pytest.raises(ConfigError, match="give both"):
        read_features(tmp_path / "f.npy", None, collection)
    with pytest.raises(ConfigError, match="give both"):
        read_features(Path("builtin"), tmp_path / "list.txt", collection)
