"""Whitening equals the formula written out class by class, and changes nothing where nothing is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import sqrtm
from sklearn.covariance import shrunk_covariance

from farthing.base.errors import ConfigError
from farthing.discover.metric import Whitening, covariance_within
from farthing.discover.problem import UNLABELLED, Problem
from tests.discover.problems import long_tailed, unit


def by_definition(problem: Problem, shrinkage: float) -> np.ndarray:
    """C^-1/2, with numpy's covariance, scikit-learn's shrinkage and scipy's root."""
    features = problem.features.astype(np.float64)
    classes = [features[problem.labels == known] for known in range(problem.num_known)]
    several = [members for members in classes if len(members) > 1]
    weights = np.array([len(members) ** 0.5 for members in several])
    within = np.average([np.cov(members.T) for members in several], axis=0, weights=weights)
    shrunk = shrunk_covariance(within, shrinkage) * len(within) / np.trace(within)
    root = np.linalg.inv(sqrtm(shrunk))
    assert isinstance(root, np.ndarray)
    return root.real


@pytest.mark.parametrize("shrinkage", [0.05, 0.3, 1.0])
def test_whitening_equals_its_definition(shrinkage: float) -> None:
    problem = long_tailed(
        sizes=(30, 2, 20, 10, 3), num_known=4, noise=0.45
    ).problem  # the fourth class has one labelled image
    whitening = Whitening.fit(problem, shrinkage)
    expected = by_definition(problem, shrinkage)
    np.testing.assert_allclose(whitening.matrix, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(whitening.mean, problem.features.mean(0), atol=1e-6)
    images = (problem.features - problem.features.mean(0)) @ expected
    np.testing.assert_allclose(whitening.transform(problem.features), unit(images), atol=1e-4)


def test_covariance_of_two_classes_by_hand() -> None:
    # Class 0: four images, variance 4/3 x .01 along the first axis; class 1: two, variance 2 x .09 along the second.
    # Weights 2 and sqrt 2. Features need not have length 1 here: only differences count.
    points = np.array([[1, 0.1], [1, -0.1], [1, 0.1], [1, -0.1], [0.3, 1], [-0.3, 1]])
    problem = Problem(features=unit(points), labels=np.array([0, 0, 0, 0, 1, 1]), num_known=2)
    within = covariance_within(problem)
    a, b = 0.1 / np.hypot(1, 0.1), 0.3 / np.hypot(1, 0.3)
    expected = np.diag([np.sqrt(2) * 2 * b**2, 2 * 4 / 3 * a**2]) / (2 + np.sqrt(2))
    np.testing.assert_allclose(within, expected, atol=1e-7)


def test_classes_whiten_to_the_identity_without_shrinkage() -> None:
    problem = long_tailed(sizes=(400,), num_known=1, noise=0.3).problem
    whitening = Whitening.fit(problem, 1e-9)
    labelled = problem.features[problem.labels == 0].astype(np.float64)
    covariance = np.cov((labelled @ whitening.matrix).T)
    np.testing.assert_allclose(covariance / np.trace(covariance) * 16, np.eye(16), atol=1e-3)


def test_directions_within_classes_count_less() -> None:
    # Two classes apart along one axis, spread along another that is three times as wide.
    rng = np.random.default_rng(0)
    truth = np.repeat([0, 1], 100)
    points = (
        rng.standard_normal((200, 3)) * [0.1, 0.6, 0.1] + np.array([0, 0, 2]) + 0.4 * (truth - 0.5)[:, None] * [1, 0, 0]
    )
    labels = np.where(np.arange(200) % 2 == 0, truth, UNLABELLED)
    problem = Problem(features=unit(points), labels=labels, num_known=2)
    whitened = Whitening.fit(problem, 0.1).transform(problem.features)

    def accuracy(features: np.ndarray) -> float:
        means = np.stack([features[labels == known].mean(0) for known in range(2)])
        nearest = np.linalg.norm(features[:, None] - means, axis=2).argmin(1)
        return float((nearest == truth).mean())

    assert np.linalg.norm(whitened, axis=1) == pytest.approx(np.ones(200), abs=1e-5)
    assert accuracy(whitened) > 0.95


@pytest.mark.parametrize("labels", [[UNLABELLED] * 4, [0, 1, UNLABELLED, UNLABELLED], [0, 0, UNLABELLED, UNLABELLED]])
def test_nothing_changes_where_no_class_has_two_that_differ(labels: list[int]) -> None:
    features = unit(np.array([[1, 0], [1, 0], [0, 1], [1, 1]], np.float64))
    problem = Problem(features=features, labels=np.array(labels), num_known=max(labels) + 1)
    whitening = Whitening.fit(problem, 0.3)
    np.testing.assert_allclose(whitening.transform(features), features, atol=1e-6)


def test_the_mean_itself_gets_a_direction() -> None:
    features = unit(np.array([[1, 0.5], [1, -0.5], [1, 0], [1, 0]], np.float64))
    whitening = Whitening(mean=features[2], matrix=np.eye(2, dtype=np.float32))
    np.testing.assert_allclose(whitening.transform(features)[2], [1, 0])


def test_state_gives_the_same_whitening() -> None:
    problem = long_tailed(sizes=(20,) * 4, num_known=2, noise=0.45).problem
    whitening = Whitening.fit(problem, 0.3)
    again = Whitening.from_state(whitening.state())
    assert again.transform(problem.features).tobytes() == whitening.transform(problem.features).tobytes()


def test_parts_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"mean and matrix must be \[dim\] and \[dim, dim\], got \(2,\) and \(3, 3\)"):
        Whitening(mean=np.zeros(2, np.float32), matrix=np.eye(3, dtype=np.float32))


@pytest.mark.parametrize("shrinkage", [0.0, 1.1, float("nan")])
def test_shrinkage_out_of_range_is_refused(shrinkage: float) -> None:
    with pytest.raises(ConfigError, match=r"shrinkage must be in \(0, 1\], got"):
        Whitening.fit(long_tailed(sizes=(20,) * 4, num_known=2, noise=0.15).problem, shrinkage)
