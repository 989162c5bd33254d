"""Average linkage equals scipy's, and with labels a search over all pairs; cuts keep known classes apart."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage
from sklearn.metrics import adjusted_rand_score

from farthing.base.errors import ConfigError
from farthing.discover.heads.linkage import Dendrogram, LinkageConfig, build_dendrogram, sort_by_linkage
from farthing.discover.problem import UNLABELLED, Labels, Problem
from tests.discover.problems import long_tailed, unit


def greedily(problem: Problem, num_classes: int) -> tuple[list[set[int]], list[float]]:
    """Groups of images and the similarities of all merges, by looking at all pairs of groups before each."""
    features = problem.features.astype(np.float64)
    groups = [set(np.flatnonzero(problem.labels == known).tolist()) for known in range(problem.num_known)]
    groups += [{int(image)} for image in np.flatnonzero(problem.labels == UNLABELLED)]

    def similarity(first: set[int], second: set[int]) -> float:
        if all((problem.labels[list(group)] != UNLABELLED).any() for group in (first, second)):
            return -np.inf
        return float(np.mean([features[i] @ features[j] for i in first for j in second]))

    heights = []
    while len(groups) > num_classes:
        pairs = [(similarity(a, b), i, j) for i, a in enumerate(groups) for j, b in enumerate(groups) if i < j]
        height, i, j = max(pairs)
        groups[i] |= groups.pop(j)
        heights.append(height)
    return groups, heights


def as_labels(groups: list[set[int]]) -> Labels:
    labels = np.empty(sum(map(len, groups)), np.int64)
    for number, group in enumerate(groups):
        labels[list(group)] = number
    return labels


@pytest.mark.parametrize("num_classes", [1, 2, 7, 40])
def test_without_labels_it_is_average_linkage_of_scipy(num_classes: int) -> None:
    problem = long_tailed(sizes=(10,) * 4, num_known=0, noise=0.75).problem
    tree = build_dendrogram(problem, seed=0)
    expected = linkage(1 - np.asarray(condensed(problem.features)), "average")
    np.testing.assert_allclose(1 - tree.similarities, expected[:, 2], atol=1e-5)
    found = tree.cut(num_classes)
    assert found.num_classes == num_classes
    assert adjusted_rand_score(found.classes, fcluster(expected, num_classes, "maxclust")) == 1


def condensed(features: np.ndarray) -> np.ndarray:
    cosines = features.astype(np.float64) @ features.T.astype(np.float64)
    return cosines[np.triu_indices(len(features), 1)]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("num_classes", [3, 5, 9])
def test_with_labels_it_joins_the_most_similar_pair_that_may_be_joined(num_classes: int, seed: int) -> None:
    problem = long_tailed(sizes=(7, 5, 4, 3, 2), num_known=3, noise=0.9, seed=seed).problem
    tree = build_dendrogram(problem, seed=0)
    groups, heights = greedily(problem, num_classes)
    np.testing.assert_allclose(tree.similarities[: len(heights)], heights, atol=1e-5)
    found = tree.cut(num_classes)
    assert found.num_classes == num_classes
    assert adjusted_rand_score(found.classes, as_labels(groups)) == 1


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 30), st.integers(0, 5), st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_any_cut_keeps_labels_and_has_as_many_classes_as_asked_for(n: int, known: int, dim: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    num_known = min(n, known)
    labels = np.where(rng.random(n) < 0.5, UNLABELLED, rng.integers(0, max(1, num_known), n))
    labels = np.where(np.arange(n) < num_known, np.arange(n), labels if num_known else UNLABELLED)
    # Few directions: most images are copies of each other, so that nearly all similarities are tied.
    features = np.eye(3, dtype=np.float32)[rng.integers(0, dim, n)]
    tree = build_dendrogram(Problem(features=features, labels=labels, num_known=num_known), seed=0)
    for num_classes in range(max(1, num_known), tree.num_leaves + 1):
        found = tree.cut(num_classes)
        assert np.array_equal(np.unique(found.classes), np.arange(num_classes))
        assert (found.classes[labels != UNLABELLED] == labels[labels != UNLABELLED]).all()
    assert (np.diff(tree.similarities) <= 0).all()


def test_copies_that_differ_by_rounding_end() -> None:
    rng = np.random.default_rng(0)
    copies = np.repeat(unit(rng.standard_normal((3, 200))), 100, axis=0)
    problem = Problem(features=copies, labels=np.full(300, UNLABELLED), num_known=0)
    assert adjusted_rand_score(build_dendrogram(problem, seed=0).cut(3).classes, np.repeat(np.arange(3), 100)) == 1


def test_cuts_are_nested() -> None:
    problem = long_tailed(sizes=(12, 9, 6, 3), num_known=2, noise=0.75).problem
    tree = build_dendrogram(problem, seed=0)
    for num_classes in range(2, tree.num_leaves):
        coarse, fine = tree.cut(num_classes).classes, tree.cut(num_classes + 1).classes
        assert len(np.unique(np.stack([coarse, fine]), axis=1).T) == num_classes + 1


def test_more_classes_than_leaves_are_as_many_as_leaves() -> None:
    problem = long_tailed(sizes=(20,) * 4, num_known=2, noise=0.15).problem
    tree = build_dendrogram(problem, seed=0)
    assert tree.num_leaves == 62  # two known classes with ten labels each, and sixty images without
    assert tree.cut(70).num_classes == 62


def test_fewer_classes_than_known_are_refused() -> None:
    problem = long_tailed(sizes=(20,) * 4, num_known=2, noise=0.15).problem
    with pytest.raises(ConfigError, match="num_classes must be >= 2, the known classes, got 1"):
        build_dendrogram(problem, seed=0).cut(1)
    with pytest.raises(ConfigError, match="num_classes must be from 2, the known classes, to 80, the images, got 81"):
        sort_by_linkage(problem, 81, 0)


def test_images_of_all_classes_are_found_whatever_their_size() -> None:
    known = long_tailed(sizes=(200, 60, 20, 5), num_known=2, noise=0.075)
    problem, truth = known.problem, known.truth
    found = sort_by_linkage(problem, 4, 0)
    assert adjusted_rand_score(found.classes, truth) == 1
    assert (found.classes[truth < 2] == truth[truth < 2]).all()


def test_many_images_are_gathered_into_leaves_first() -> None:
    known = long_tailed(sizes=(400, 300, 200, 100), num_known=2, noise=0.075)
    problem, truth = known.problem, known.truth
    tree = build_dendrogram(problem, seed=0, config=LinkageConfig(max_leaves=50))
    assert 30 <= tree.num_leaves <= 52
    assert adjusted_rand_score(tree.cut(4).classes, truth) == 1


def test_the_same_seed_gives_the_same_tree() -> None:
    problem = long_tailed(sizes=(300, 200), num_known=2, noise=0.75).problem
    first, second = (build_dendrogram(problem, seed=3, config=LinkageConfig(max_leaves=60)) for _ in range(2))
    for name in Dendrogram.__slots__:
        assert np.array_equal(getattr(first, name), getattr(second, name))


def test_all_images_labelled_leave_nothing_to_join() -> None:
    problem = Problem(features=np.eye(3, dtype=np.float32), labels=np.arange(3), num_known=3)
    tree = build_dendrogram(problem, seed=0)
    assert tree.merges.shape == (0, 2)
    assert tree.cut(3).classes.tolist() == [0, 1, 2]


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(ConfigError, match="max_leaves must be >= 1, got 0"):
        LinkageConfig(max_leaves=0)
