"""Optimal transport to class sizes, against the scaling of rows and columns by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.base.errors import ConfigError
from farthing.discover.folds import matched
from farthing.discover.heads.transport import TransportConfig, sort_by_transport, transport
from farthing.discover.problem import UNLABELLED, Problem
from tests.discover.problems import long_tailed, unit
from tests.reference.soft_classes import dot, sinkhorn


@given(st.integers(0, 1000))
def test_the_plan_is_sinkhorns(seed: int) -> None:
    rng = np.random.default_rng(seed)
    features, means = unit(rng.normal(size=(14, 3))), unit(rng.normal(size=(3, 3)))
    problem = Problem(features=features, labels=np.full(14, UNLABELLED), num_known=0)
    sizes = np.array([8.0, 4.0, 2.0])
    scores = [[4 * dot(image, mean) for mean in means.tolist()] for image in features.tolist()]
    plan = np.asarray(sinkhorn(scores, [1.0] * 14, sizes.tolist(), 80))
    found, _ = transport(problem, means, 4.0, sizes, offsets=np.zeros(3), num_scalings=80)
    np.testing.assert_allclose(found.mass, sizes, rtol=1e-4)
    np.testing.assert_allclose(found.sums, plan.T @ features, atol=1e-3)
    ordered = np.sort(plan, axis=1)
    clear = ordered[:, -1] - ordered[:, -2] > 1e-3
    np.testing.assert_array_equal(found.classes[clear], plan.argmax(1)[clear])


def test_labelled_images_count_for_their_class_and_are_not_moved() -> None:
    known = long_tailed(sizes=(20, 12, 8), num_known=2, noise=1.0)
    problem = known.problem
    sizes = np.array([16.0, 14.0, 10.0])
    means = unit(np.random.default_rng(2).normal(size=(3, problem.features.shape[1])))
    found, _ = transport(problem, means, 5.0, sizes, offsets=np.zeros(3), num_scalings=100)
    np.testing.assert_allclose(found.mass, sizes, rtol=1e-3)
    labelled = problem.labels != UNLABELLED
    np.testing.assert_array_equal(found.classes[labelled], problem.labels[labelled])


def test_going_on_from_offsets_is_the_same_plan_sooner() -> None:
    problem = long_tailed(num_known=0).problem
    means, sizes = problem.features[:6], np.geomspace(1, 0.05, 6)
    sizes *= len(problem.labels) / sizes.sum()
    first, offsets = transport(problem, means, 8.0, sizes, offsets=np.zeros(6), num_scalings=300)
    again, _ = transport(problem, means, 8.0, sizes, offsets=offsets, num_scalings=1)
    np.testing.assert_allclose(again.mass, first.mass, rtol=1e-3)
    np.testing.assert_allclose(again.mass, sizes, rtol=1e-3)


def test_a_class_that_its_labels_fill_gets_nearly_nothing_else() -> None:
    problem = long_tailed(sizes=(20, 12), num_known=1).problem
    sizes = np.array([10.0, 22.0])  # ten images are labelled as the first class
    found, _ = transport(problem, problem.features[:2], 5.0, sizes, offsets=np.zeros(2), num_scalings=50)
    assert np.isfinite(found.mass).all()
    assert found.mass[0] == pytest.approx(10, abs=0.01)


def test_clear_classes_are_found() -> None:
    known = long_tailed(noise=0.2)
    judged = known.problem.labels == UNLABELLED
    found = sort_by_transport(known.problem, 8, 0)
    assert matched(known.truth[judged], found.classes[judged]).mean() == 1


@pytest.mark.parametrize(
    ("field", "value"), [("max_iterations", 0), ("num_scalings", 0), ("memory", 1.0), ("memory", -0.1)]
)
def test_settings_out_of_range_are_refused(field: str, value: float) -> None:
    with pytest.raises(ConfigError, match=field):
        TransportConfig(**{field: value})  # type: ignore[arg-type]
