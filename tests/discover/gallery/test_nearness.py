"""Which classes look alike: against plain loops; how a class falls into two: against what it was made of."""

from __future__ import annotations

import numpy as np
import pytest

from farthing.base.errors import DataError
from farthing.discover.features import unit_length
from farthing.discover.gallery.nearness import class_similarities, halve, similarities_by_doubt
from farthing.discover.problem import Features


def random_features(seed: int, n: int = 40, dim: int = 5) -> Features:
    return unit_length(np.random.default_rng(seed).normal(size=(n, dim)))


@pytest.mark.parametrize("seed", range(3))
def test_similarity_is_the_cosine_of_class_means(seed: int) -> None:
    features = random_features(seed)
    classes = np.random.default_rng(seed).integers(-1, 4, 40).astype(np.int32)
    found = class_similarities(features, classes, 5)
    for first in range(4):
        for second in range(4):
            a, b = features[classes == first].mean(0), features[classes == second].mean(0)
            expected = -1 if first == second else float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
            assert found[first, second] == pytest.approx(expected, abs=1e-5)
    assert (found[4] == -1).all()  # a class without images is like nothing


def test_doubt_is_shared_by_both_classes() -> None:
    seconds = np.array([1, 1, -1, 0, 2, 0], dtype=np.int32)
    doubts = np.array([0.4, 0.2, 0.9, 0.3, 0.1, 0.5], dtype=np.float32)
    classes = np.array([0, 0, 0, 1, 1, -1], dtype=np.int32)
    found = similarities_by_doubt(seconds, doubts, classes, 3)
    assert found[0, 1] == found[1, 0] == pytest.approx((0.6 / 3 + 0.3 / 2) / 2)
    assert found[1, 2] == pytest.approx(0.1 / 2 / 2)
    assert found[0, 2] == found[0, 0] == -1


@pytest.mark.parametrize("num_images", [12, 5000])
def test_a_class_of_two_kinds_falls_into_them_and_the_smaller_one_is_told(num_images: int) -> None:
    rng = np.random.default_rng(0)
    is_second = rng.random(num_images) < 0.3
    is_second[0], is_second[1] = True, False
    features = np.where(is_second[:, None], [1, 0.2, 0, 0], [0.2, 1, 0, 0]) + rng.normal(0, 0.05, (num_images, 4))
    features = (features / np.linalg.norm(features, axis=1, keepdims=True)).astype(np.float32)
    assert (halve(features) == is_second).all()


def test_two_images_are_told_apart() -> None:
    assert halve(np.eye(2, dtype=np.float32)).sum() == 1


@pytest.mark.parametrize("features", [np.ones((1, 1)), np.tile([[0.6, 0.8]], (5, 1))])
def test_equal_images_do_not_fall_apart(features: Features) -> None:
    with pytest.raises(DataError, match="two different images"):
        halve(features.astype(np.float32))
