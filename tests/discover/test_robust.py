"""Cuts that outliers do not use up."""

from __future__ import annotations

import numpy as np
import pytest

from farthing.discover.folds import matched
from farthing.discover.heads.linkage import build_dendrogram
from farthing.discover.problem import UNLABELLED, UNSORTED, Assignment, Problem
from farthing.discover.robust import (
    TREE_HEADS,
    absorb,
    cut_robustly,
    drop_small,
    heads_with,
    keep_largest,
    place_cuts,
    smallest_class,
)
from farthing.discover.trials import whiten
from tests.discover.problems import long_tailed


def assignment(*classes: int) -> Assignment:
    return Assignment(classes=np.array(classes), num_classes=max(classes) + 1)


def test_small_new_classes_dissolve_and_known_ones_stay() -> None:
    found = drop_small(assignment(0, 1, 1, 2, 3, 3, UNSORTED), num_known=1, least=2)
    assert found.classes.tolist() == [0, 1, 1, UNSORTED, 2, 2, UNSORTED]
    assert found.num_classes == 3


def test_the_largest_new_classes_are_kept() -> None:
    found = keep_largest(assignment(0, 1, 2, 2, 2, 3, 3), 3, num_known=1)
    assert found.classes.tolist() == [0, UNSORTED, 1, 1, 1, 2, 2]
    assert found.num_classes == 3


def test_unsorted_images_join_what_they_are_like() -> None:
    features = np.array([[1, 0], [0, 1], [0.8, 0.6], [-1, 0]], np.float32)
    problem = Problem(features=features, labels=np.full(4, UNLABELLED), num_known=0)
    start = assignment(0, 1, UNSORTED, UNSORTED)
    assert absorb(problem, start).classes.tolist() == [0, 1, 0, 1]
    assert absorb(problem, start, least_likeness=0.5).classes.tolist() == [0, 1, 0, UNSORTED]


@pytest.mark.parametrize(("sizes", "num_known", "least"), [((20, 9), 0, 2), ((20, 9), 1, 2), ((20, 9, 16), 2, 4)])
def test_few_known_classes_tell_little_of_how_small_others_are(
    sizes: tuple[int, ...], num_known: int, least: int
) -> None:
    assert smallest_class(long_tailed(sizes=sizes, num_known=num_known).problem) == least


def test_outliers_cost_linkage_classes_and_a_robust_cut_none() -> None:
    known = long_tailed(outliers=20, seed=3)
    problem = whiten(known.problem, 0.3).problem
    judged = (known.truth >= 0) & (problem.labels == UNLABELLED)
    dendrogram = build_dendrogram(problem, seed=0)
    plain = matched(known.truth[judged], dendrogram.cut(8).classes[judged]).mean()
    robust = cut_robustly(dendrogram, problem, 8, least=smallest_class(problem))
    assert robust.num_classes == 8
    assert (robust.classes != UNSORTED).all()
    assert matched(known.truth[judged], robust.classes[judged]).mean() >= max(0.95, plain + 0.05)


@pytest.mark.parametrize("name", [*TREE_HEADS, "simgcd+kmeans"])
@pytest.mark.parametrize("num_known", [0, 1, 4])
def test_labels_are_kept_and_the_number_of_classes_is_exact(name: str, num_known: int) -> None:
    problem = whiten(long_tailed(num_known=num_known, outliers=5).problem, 0.3).problem
    found = heads_with(2)[name](problem, 9, 0)
    assert found.num_classes == 9
    assert set(found.classes.tolist()) <= set(range(9))
    labelled = problem.labels != UNLABELLED
    np.testing.assert_array_equal(found.classes[labelled], problem.labels[labelled])


def test_cuts_go_from_the_known_classes_to_most_images() -> None:
    problem = whiten(long_tailed().problem, 0.3).problem
    cuts = place_cuts(build_dendrogram(problem, seed=0), problem, least=3, num_cuts=12)
    assert cuts[0].num_groups == cuts[0].num_classes == 4
    assert [cut.num_groups for cut in cuts] == sorted({cut.num_groups for cut in cuts})
    assert all(4 <= cut.num_classes <= cut.num_groups for cut in cuts)
