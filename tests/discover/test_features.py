"""Features have length 1 whatever came in, and images that cannot be read are listed, not lost."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch import Tensor

from farthing.base.errors import DataError
from farthing.discover.features import FeatureSet, compute_features, unit_length
from farthing.discover.problem import Features
from farthing.vision.images import Pixels
from tests.discover.pictures import make_collection


class Brightness:
    """Mean and spread of the pixels."""

    max_side = 64

    def transform(self, images: Sequence[Pixels]) -> Features:
        return np.array([[image.mean(), image.std()] for image in images], np.float32)

    def state(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        return {}, {}


def test_unreadable_images_are_listed(tmp_path: Path) -> None:
    collection = make_collection(tmp_path / "in", unreadable=True)
    told: list[str] = []
    features = compute_features(
        collection.names,
        [collection.path(name) for name in collection.names],
        Brightness(),
        made_by={"source": "brightness"},
        progress=told.append,
    )
    assert features.unreadable == ("000-broken.png",)
    assert set(features.names) | {"000-broken.png"} == set(collection.names)
    assert len(features.features) == 24
    assert features.made_by == {"source": "brightness", "dim": 2}
    assert told == ["features of 25 of 25 images"]


def test_nothing_readable_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("no")
    with pytest.raises(DataError, match="at least one must be readable"):
        compute_features(["a.png"], [tmp_path / "a.png"], Brightness(), made_by={})


@given(arrays(np.float64, st.tuples(st.integers(0, 5), st.integers(1, 4)), elements=st.floats(-1e300, 1e300)))
def test_every_finite_vector_gets_length_one(values: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> None:
    units = unit_length(values)
    assert units.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(units, axis=1), 1, atol=1e-5)


def test_the_direction_stays() -> None:
    units = unit_length(np.array([[3.0, 4.0], [-30.0, 0.0]]))
    np.testing.assert_allclose(units, np.array([[0.6, 0.8], [-1.0, 0.0]]), rtol=1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_must_be_finite(bad: float) -> None:
    with pytest.raises(DataError, match="1 rows are not, the first is row 1"):
        unit_length(np.array([[1.0, 2.0], [bad, 1.0]]))


def test_shapes_must_fit() -> None:
    with pytest.raises(DataError, match="dim >= 1"):
        unit_length(np.zeros((3, 0)))
    with pytest.raises(DataError, match="one row per name"):
        FeatureSet(names=("a",), features=np.ones((2, 1), np.float32), unreadable=(), made_by={})
    with pytest.raises(DataError, match="each image must be there once"):
        FeatureSet(names=("a", "a"), features=np.ones((2, 1), np.float32), unreadable=(), made_by={})
