"""Every source of features by its name, and what is kept for later images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from farthing.base.config import apply_overrides
from farthing.base.errors import ConfigError, DataError
from farthing.discover.features import compute_features
from farthing.discover.modelfolder import put_together, take_apart
from farthing.discover.sources import (
    FeatureConfig,
    extract_features,
)
from farthing.vision.images import Pixels
from tests.discover.pictures import make_collection

SMALL = apply_overrides(
    FeatureConfig(),
    [
        *(f"dictionary.{value}" for value in ("side=16", "patch=4", "atoms=8", "views=1", "dim=8", "fit_images=20")),
        *(f"selfsup.{value}" for value in ("side=16", "widths=8,8", "blocks=0,0", "epochs=1", "batch_size=8")),
    ],
)


def mean_colour(images: Sequence[Pixels]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.array([[image.mean(), image.std() + 1] for image in images])


@pytest.mark.parametrize("source", ["builtin", "selfsup"])
def test_what_is_learned_serves_later_images(tmp_path: Path, source: str) -> None:
    collection = make_collection(tmp_path / "in", unreadable=True)
    features, extractor = extract_features(collection, source, config=SMALL, seed=1)
    assert len(features.names) == 24
    assert features.unreadable == ("000-broken.png",)
    assert features.made_by["source"] == source
    assert extractor is not None
    stored = take_apart(extractor)
    paths = [collection.path(name) for name in features.names]
    again = compute_features(features.names, paths, put_together(*stored), made_by={})
    np.testing.assert_allclose(again.features, features.features, atol=1e-5)


@pytest.mark.parametrize("source", ["builtin", "selfsup"])
def test_the_seed_decides(tmp_path: Path, source: str) -> None:
    collection = make_collection(tmp_path / "in", per_shape=3)
    first, second, other = (extract_features(collection, source, config=SMALL, seed=seed)[0] for seed in (0, 0, 1))
    assert np.array_equal(first.features, second.features)
    assert not np.array_equal(first.features, other.features)


def test_a_function_is_used_and_never_stored(tmp_path: Path) -> None:
    collection = make_collection(tmp_path / "in")
    features, extractor = extract_features(collection, mean_colour)
    assert features.features.shape == (24, 2)
    assert features.made_by == {"source": "function", "dim": 2}
    assert extractor is not None
    with pytest.raises(ConfigError, match="cannot be stored"):
        take_apart(extractor)
    with pytest.raises(DataError, match=r"must return \[24, dim\]"):
        extract_features(collection, lambda images: mean_colour(images)[1:])


def test_a_file_of_features_has_no_extractor(tmp_path: Path) -> None:
    collection = make_collection(tmp_path / "in", per_shape=1)
    np.save(tmp_path / "f.npy", np.eye(4, dtype=np.float32))
    (tmp_path / "list.txt").write_text("\n".join(collection.names))
    features, extractor = extract_features(collection, str(tmp_path / "f.npy"), listing=tmp_path / "list.txt")
    assert extractor is None
    assert np.array_equal(features.features, np.eye(4))


def test_unknown_sources_and_empty_collections(tmp_path: Path) -> None:
    collection = make_collection(tmp_path / "in", per_shape=1)
    with pytest.raises(ConfigError, match=r"builtin, selfsup, FILE\.npy or hf:FOLDER, got 'dino'"):
        extract_features(collection, "dino")
    for name in collection.names:
        collection.path(name).write_text("no image any more")
    with pytest.raises(DataError, match="at least one image must be readable"):
        extract_features(collection, "builtin")


def test_an_extractor_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    collection = make_collection(tmp_path / "in", per_shape=1)
    _, extractor = extract_features(collection, "builtin", config=SMALL)
    assert extractor is not None
    kind, description, tensors = take_apart(extractor)
    with pytest.raises(ConfigError, match="got 'future'"):
        put_together("future", description, tensors)
    with pytest.raises(KeyError):
        put_together(kind, description, {})
