"""What a fold hides and keeps, and how it is scored."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.discover.config import FoldConfig
from farthing.discover.folds import Fold, draw_folds, matched, thin
from farthing.discover.problem import UNLABELLED, UNSORTED, Problem
from tests.discover.problems import long_tailed

CONFIG = FoldConfig(num_folds=4)


def test_what_is_left_and_what_is_hidden_together_are_the_labels() -> None:
    problem = long_tailed().problem
    folds = draw_folds(problem, CONFIG, seed=0)
    assert len(folds) == 4
    for fold in folds:
        assert len(fold.truth) == len(problem.labels)
        np.testing.assert_array_equal(fold.judged | (fold.problem.labels != UNLABELLED), problem.labels != UNLABELLED)
        assert not (fold.judged & (fold.problem.labels != UNLABELLED)).any()


def test_some_classes_are_hidden_whole_and_others_in_part() -> None:
    problem = long_tailed().problem
    for fold in draw_folds(problem, CONFIG, seed=1):
        labels = np.where(fold.judged, fold.truth, fold.problem.labels)
        assert (fold.problem.num_known, labels.max()) == (2, 3)
        for one in range(4):
            members = labels == one
            original = np.unique(problem.labels[members])
            assert len(original) == 1  # a class keeps together under its new number
            assert np.count_nonzero(members) == np.count_nonzero(problem.labels == original[0])
            hidden = np.count_nonzero(fold.judged[members])
            assert hidden == (members.sum() if one >= 2 else members.sum() // 2)


def test_hidden_classes_differ_between_folds_and_repeat_with_the_seed() -> None:
    problem = long_tailed().problem
    first, again = draw_folds(problem, CONFIG, seed=0), draw_folds(problem, CONFIG, seed=0)
    assert all(np.array_equal(one.truth, other.truth) for one, other in zip(first, again, strict=True))
    assert any(not np.array_equal(first[0].truth, other.truth) for other in first[1:])


@pytest.mark.parametrize("num_known", [0, 1])
def test_too_few_known_classes_give_no_folds(num_known: int) -> None:
    assert draw_folds(long_tailed(num_known=num_known).problem, CONFIG, seed=0) == ()


def test_a_large_collection_is_sampled_with_its_labels() -> None:
    known = long_tailed()
    part = thin(known.problem, 100, seed=0)
    assert len(part.labels) == 100
    place = {feature.tobytes(): place for place, feature in enumerate(known.problem.features)}
    places = np.array([place[feature.tobytes()] for feature in part.features])
    np.testing.assert_array_equal(part.labels, known.problem.labels[places])
    assert thin(known.problem, len(known.truth), seed=0) is known.problem


def test_a_class_that_loses_its_labels_to_the_sample_is_not_known_any_more() -> None:
    labels = np.append(np.arange(40), np.full(40, UNLABELLED))
    problem = Problem(features=np.eye(80, dtype=np.float32), labels=labels, num_known=40)
    part = thin(problem, 30, seed=0)
    chosen = part.features.argmax(1)
    assert part.num_known == np.count_nonzero(chosen < 40)
    np.testing.assert_array_equal(np.unique(part.labels), np.arange(-1, part.num_known))
    np.testing.assert_array_equal(part.labels == UNLABELLED, chosen >= 40)


def test_one_labelled_image_each_is_enough() -> None:
    problem = long_tailed(num_known=2).problem
    labels = np.full(len(problem.labels), UNLABELLED)
    for one in range(2):
        labels[np.flatnonzero(problem.labels == one)[0]] = one
    folds = draw_folds(Problem(features=problem.features, labels=labels, num_known=2), CONFIG, seed=0)
    assert all(fold.judged.sum() == 1 and fold.score(np.zeros(len(fold.truth), int)) == 100 for fold in folds)


def test_score_by_hand() -> None:
    problem = Problem(features=np.eye(6, dtype=np.float32), labels=np.array([0, -1, -1, -1, -1, -1]), num_known=1)
    fold = Fold(problem=problem, truth=np.array([-1, 0, 1, 1, 1, -1]))
    # class 1 is matched with class 7, two of three; class 0 is right: 3 of 4 images, (1 + 2 / 3) / 2 of classes
    assert fold.score(np.array([0, 0, 7, 7, UNSORTED, 3])) == pytest.approx(50 * (3 / 4 + 5 / 6))


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(-1, 3)), min_size=1, max_size=12))
def test_matching_is_the_best_of_all(pairs: Sequence[tuple[int, int]]) -> None:
    truth, found = np.array(pairs).T
    best = max(
        sum(order[one] == other for one, other in zip(truth, found, strict=True)) for order in permutations(range(4))
    )
    right = matched(truth, found)
    assert right.sum() == best
    assert not right[found == UNSORTED].any()
