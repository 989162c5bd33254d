"""Seeded EM, against one of plain numbers."""

from __future__ import annotations

import numpy as np
import pytest

from farthing.base.errors import ConfigError
from farthing.discover.folds import matched
from farthing.discover.heads.em import EMConfig, fit_mixture, sort_by_em, sort_by_linkage_em
from farthing.discover.heads.head import Head
from farthing.discover.problem import UNLABELLED, Assignment, Problem
from farthing.discover.trials import whiten
from tests.discover.problems import long_tailed
from tests.reference.soft_classes import maximise, responsibilities

STARTS = [sort_by_em, sort_by_linkage_em]


@pytest.mark.parametrize("passes", [1, 3])
def test_passes_are_those_of_the_slow_mixture(passes: int) -> None:
    known = long_tailed(sizes=(12, 9, 6, 5), num_known=2, noise=0.8)
    problem = known.problem
    rng = np.random.default_rng(1)
    start = np.where(problem.labels == UNLABELLED, rng.integers(0, 4, len(known.truth)), problem.labels)
    table = np.eye(4)[start].tolist()
    for _ in range(passes):
        means, kappa, prior = maximise(problem.features.tolist(), table)
        table = responsibilities(problem.features.tolist(), problem.labels.tolist(), means, kappa, prior)
    config = EMConfig(max_iterations=passes, tolerance=0)
    found = fit_mixture(problem, Assignment(classes=start, num_classes=4), config)
    np.testing.assert_array_equal(found.classes, np.asarray(table).argmax(1))


@pytest.mark.parametrize("head", STARTS)
def test_clear_classes_are_found(head: Head) -> None:
    known = long_tailed(noise=0.2)
    problem = whiten(known.problem, 0.3).problem
    judged = problem.labels == UNLABELLED
    assert matched(known.truth[judged], head(problem, 8, 0).classes[judged]).mean() == 1


@pytest.mark.parametrize("head", STARTS)
def test_images_that_are_the_same_are_sorted(head: Head) -> None:
    features = np.tile(np.eye(1, 5, dtype=np.float32), (6, 1))
    problem = Problem(features=features, labels=np.full(6, UNLABELLED), num_known=0)
    assert set(head(problem, 3, 0).classes.tolist()) <= {0, 1, 2}


def test_order_does_not_matter_from_linkage_on() -> None:
    problem = whiten(long_tailed(noise=0.7).problem, 0.3).problem
    order = np.random.default_rng(0).permutation(len(problem.labels))
    other = Problem(features=problem.features[order], labels=problem.labels[order], num_known=problem.num_known)
    found, again = sort_by_linkage_em(problem, 10, 0).classes[order], sort_by_linkage_em(other, 10, 0).classes
    pairs = set(zip(found.tolist(), again.tolist(), strict=True))
    assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs}) == 10


@pytest.mark.parametrize(("field", "value"), [("max_iterations", 0), ("tolerance", -1.0), ("tolerance", float("nan"))])
def test_settings_out_of_range_are_refused(field: str, value: float) -> None:
    with pytest.raises(ConfigError, match=field):
        EMConfig(**{field: value})  # type: ignore[arg-type]
