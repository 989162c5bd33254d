"""Means of classes against sums by hand, and images without themselves."""

from __future__ import annotations

import numpy as np

from farthing.discover.means import class_means, nearest_mean, own_likeness, without_itself
from farthing.discover.problem import UNSORTED, Assignment
from tests.discover.problems import long_tailed


def test_means_are_unit_sums() -> None:
    features = np.array([[1, 0], [0, 1], [0, 1], [-1, 0]], np.float32)
    assignment = Assignment(classes=np.array([0, 0, 1, UNSORTED]), num_classes=3)
    half = 0.5**0.5
    np.testing.assert_allclose(class_means(features, assignment), [[half, half], [0, 1], [0, 0]], atol=1e-6)


def test_the_nearest_mean_over_many_blocks() -> None:
    rng = np.random.default_rng(0)
    features, means = rng.normal(size=(40_000, 3)).astype(np.float32), rng.normal(size=(5, 3)).astype(np.float32)
    classes, likeness = nearest_mean(features, means)
    np.testing.assert_array_equal(classes, (features @ means.T).argmax(1))
    np.testing.assert_allclose(likeness, (features @ means.T).max(1), rtol=1e-5)


def test_an_image_is_compared_with_the_others_of_its_class() -> None:
    known = long_tailed(outliers=3)
    features, classes = known.problem.features, known.truth
    assignment = Assignment(classes=classes, num_classes=8)
    alone = without_itself(own_likeness(features, class_means(features, assignment), classes), classes)
    for image in range(40):
        others = (classes == classes[image]) & (np.arange(len(classes)) != image)
        mean = features[others].sum(0)
        expected = 0.0 if classes[image] == UNSORTED else features[image] @ mean / np.linalg.norm(mean)
        assert abs(alone[image] - expected) < 1e-4


def test_the_only_image_of_a_class_is_like_nothing() -> None:
    assert without_itself(np.ones(1, np.float32), np.array([0]))[0] == 0
    assert len(without_itself(np.zeros(0, np.float32), np.zeros(0, np.int64))) == 0
