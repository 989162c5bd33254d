"""Groups are of images that are almost the same, of about the number asked for, and none is empty."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.cluster import KMeans

from farthing.discover.heads.microclusters import gather
from tests.discover.problems import long_tailed


@pytest.mark.parametrize("num_groups", [1, 2, 30, 100])
def test_groups_are_numbered_without_gaps(num_groups: int) -> None:
    problem = long_tailed(sizes=(200, 100, 50), num_known=0, noise=0.75).problem
    groups = gather(problem.features, num_groups, seed=0)
    used = np.unique(groups)
    np.testing.assert_array_equal(used, np.arange(len(used)))
    assert 0.7 * num_groups <= len(used) <= num_groups


def test_as_many_groups_as_images_keep_each_apart() -> None:
    problem = long_tailed(sizes=(20,) * 4, num_known=2, noise=0.15).problem
    np.testing.assert_array_equal(gather(problem.features, len(problem.features), seed=0), np.arange(80))
    assert gather(problem.features[:0], 5, seed=0).shape == (0,)


def test_groups_do_not_mix_classes() -> None:
    known = long_tailed(sizes=(500, 200, 50, 10), num_known=0, noise=0.15)
    problem, truth = known.problem, known.truth
    groups = gather(problem.features, 60, seed=0)
    for group in np.unique(groups):
        assert len(np.unique(truth[groups == group])) == 1


def test_groups_are_nearly_as_dense_as_those_of_k_means() -> None:
    problem = long_tailed(sizes=(300,) * 10, num_known=0, noise=0.45).problem
    groups = gather(problem.features, 100, seed=0)
    sums = np.zeros((groups.max() + 1, 16))
    np.add.at(sums, groups, problem.features)
    means = sums / np.bincount(groups)[:, None]
    inertia = np.square(problem.features - means[groups]).sum()
    assert inertia < 1.2 * KMeans(len(sums), n_init=1, random_state=0).fit(problem.features).inertia_


def test_the_same_seed_gives_the_same_groups() -> None:
    problem = long_tailed(sizes=(200, 200), num_known=2, noise=0.75).problem
    first, again, other = (gather(problem.features, 40, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_copies_are_one_group() -> None:
    copies = np.tile(np.eye(1, 4, dtype=np.float32), (50, 1))
    assert (gather(copies, 10, seed=0) == 0).all()
