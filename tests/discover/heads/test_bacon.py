"""BaCon's prior: the sizes of clusters, and what they change."""

from __future__ import annotations

import numpy as np
import pytest

from farthing.discover.folds import matched
from farthing.discover.heads.bacon import estimate_prior, sort_by_bacon
from farthing.discover.heads.prototypes import PrototypeConfig
from farthing.discover.problem import UNLABELLED
from farthing.discover.trials import whiten
from tests.discover.problems import long_tailed


def test_new_classes_take_the_size_of_the_cluster_that_they_share_most_images_with() -> None:
    clusters = np.array([0, 0, 0, 1, 1, 1, 1, 1, 2])
    classes = np.array([0, 0, 0, 2, 2, 2, 2, 0, 1])
    prior = estimate_prior(clusters, classes, num_known=1, num_classes=3)
    np.testing.assert_allclose(prior, np.array([4, 2, 6]) / 12)


def test_known_classes_are_their_own_clusters_whatever_is_predicted() -> None:
    clusters = np.array([0, 0, 0, 0, 1, 2, 2])
    classes = np.array([1, 1, 1, 1, 0, 2, 2])
    prior = estimate_prior(clusters, classes, num_known=2, num_classes=3)
    np.testing.assert_allclose(prior, np.array([5, 2, 3]) / 10)


def test_an_empty_cluster_leaves_a_prior_above_nothing() -> None:
    prior = estimate_prior(np.zeros(3, np.int64), np.zeros(3, np.int64), num_known=0, num_classes=2)
    assert (prior > 0).all()
    assert prior.sum() == pytest.approx(1)


def test_long_tailed_classes_are_found() -> None:
    known = long_tailed(sizes=(200, 40, 12, 10), num_known=2, noise=0.2)
    problem = whiten(known.problem, 0.3).problem
    judged = problem.labels == UNLABELLED
    found = sort_by_bacon(problem, 4, 0, config=PrototypeConfig(num_steps=150, batch_size=128, balance=1.0))
    assert matched(known.truth[judged], found.classes[judged]).mean() >= 0.9
