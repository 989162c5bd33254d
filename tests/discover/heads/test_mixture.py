"""A mixture of directions, against a slow one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.discover.heads import mixture
from farthing.discover.heads.mixture import directions, divide, estimate_concentration
from farthing.discover.means import class_sums
from farthing.discover.problem import UNLABELLED, Features, Problem
from tests.discover.problems import long_tailed, unit
from tests.reference.soft_classes import maximise, responsibilities


def small(seed: int, *, num_known: int = 2) -> tuple[Problem, Features]:
    """Sixteen images in four dimensions, and three directions."""
    rng = np.random.default_rng(seed)
    features = unit(rng.normal(size=(16, 4)))
    labels = np.full(16, UNLABELLED)
    labels[: 2 * num_known] = np.arange(2 * num_known) % max(1, num_known)
    return Problem(features=features, labels=labels, num_known=num_known), unit(rng.normal(size=(3, 4)))


@given(st.integers(0, 1000), st.sampled_from([0, 1, 2]))
def test_one_pass_is_that_of_the_slow_mixture(seed: int, num_known: int) -> None:
    problem, means = small(seed, num_known=num_known)
    prior = np.array([0.6, 0.3, 0.1])
    table = responsibilities(problem.features.tolist(), problem.labels.tolist(), means.tolist(), 7.0, prior.tolist())
    slow_means, slow_kappa, slow_prior = maximise(problem.features.tolist(), table)
    found = divide(problem, means, 7.0, np.log(prior))
    np.testing.assert_allclose(found.mass / 16, slow_prior, atol=1e-5)
    np.testing.assert_allclose(directions(found.sums, means), slow_means, atol=1e-4)
    assert estimate_concentration(found.sums, 16) == pytest.approx(slow_kappa, rel=1e-4)
    likeliest = np.asarray(table).argmax(1)
    np.testing.assert_array_equal(found.classes, likeliest)


def test_likelihoods_are_logarithms_of_sums_and_of_the_label_where_there_is_one() -> None:
    features = np.array([[1, 0], [0, 1], [0.6, 0.8]], np.float32)
    problem = Problem(features=features, labels=np.array([0, UNLABELLED, UNLABELLED]), num_known=1)
    found = divide(problem, np.eye(2, dtype=np.float32), 2.0, np.log([0.25, 0.75]))
    by_hand = [
        2 + np.log(0.25),
        np.log(0.25 + 0.75 * np.exp(2)),
        np.log(0.25 * np.exp(1.2) + 0.75 * np.exp(1.6)),
    ]
    np.testing.assert_allclose(found.likelihoods, by_hand, rtol=1e-6)


def test_the_prior_decides_where_similarity_does_not() -> None:
    half_way = Problem(features=unit(np.ones((1, 2))), labels=np.array([UNLABELLED]), num_known=0)
    for prior, likelier in (([0.75, 0.25], 0), ([0.25, 0.75], 1)):
        found = divide(half_way, np.eye(2, dtype=np.float32), 5.0, np.log(prior))
        np.testing.assert_allclose(found.mass, prior, rtol=1e-6)
        assert found.classes.tolist() == [likelier]


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = long_tailed().problem
    means = problem.features[:9]
    whole = divide(problem, means, 20.0, np.zeros(9))
    monkeypatch.setattr(mixture, "BLOCK", 7)
    parts = divide(problem, means, 20.0, np.zeros(9))
    np.testing.assert_array_equal(parts.classes, whole.classes)
    np.testing.assert_allclose(parts.mass, whole.mass, rtol=1e-5)
    np.testing.assert_allclose(parts.sums, whole.sums, atol=1e-4)


def test_large_scores_do_not_overflow() -> None:
    problem, means = small(3)
    found = divide(problem, means, 1e6, np.array([0.0, -1e3, 1e3]))
    assert np.isfinite(found.mass).all()
    assert found.mass.sum() == pytest.approx(16)


def test_a_class_without_images_keeps_its_direction() -> None:
    sums, before = np.array([[3, 4], [0, 0]], np.float32), np.array([[1, 0], [0, 1]], np.float32)
    np.testing.assert_allclose(directions(sums, before), np.array([[0.6, 0.8], [0, 1]]), rtol=1e-6)


def test_concentration_is_recovered() -> None:
    """Of directions drawn around one mean in three dimensions, where the distribution has a closed form."""
    rng = np.random.default_rng(0)
    kappa, count = 9.0, 20_000
    cosine = 1 + np.log(rng.random(count) * (1 - np.exp(-2 * kappa)) + np.exp(-2 * kappa)) / kappa
    angle = rng.random(count) * 2 * np.pi
    across = np.sqrt(1 - cosine**2)
    features = np.stack([across * np.cos(angle), across * np.sin(angle), cosine], 1).astype(np.float32)
    sums = class_sums(features, np.zeros(count, np.int64), 1)
    assert estimate_concentration(sums, count) == pytest.approx(
        kappa, rel=0.06
    )  # the approximation alone is off by 4 %


def test_copies_of_each_other_have_a_finite_concentration() -> None:
    assert np.isfinite(estimate_concentration(np.array([[5, 0]], np.float32), 5))
