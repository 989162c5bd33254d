"""Settling: images go to the class whose others they are like; labels, unsorted images and class counts stay."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.discover.problem import UNLABELLED, UNSORTED, Assignment, Features, Labels, Problem
from farthing.discover.settle import settle
from tests.discover.problems import long_tailed, unit


def test_lost_images_find_their_class() -> None:
    known = long_tailed(noise=0.05)
    start = known.truth.copy()
    is_free = known.problem.labels == UNLABELLED
    start[np.flatnonzero((known.truth == 7) & is_free)[0]] = 0
    start[np.flatnonzero((known.truth == 1) & is_free)[0]] = 6
    found = settle(known.problem, Assignment(classes=start, num_classes=8), between_new=True)
    np.testing.assert_array_equal(found.classes, known.truth)


def test_only_moves_from_and_to_known_classes() -> None:
    known = long_tailed(noise=0.05)
    start = known.truth.copy()
    between_new, to_known = (np.flatnonzero((known.truth == one) & (known.problem.labels < 0))[0] for one in (7, 1))
    start[[between_new, to_known]] = 6
    classes = settle(known.problem, Assignment(classes=start, num_classes=8), between_new=False).classes
    assert (classes[between_new], classes[to_known]) == (6, 1)


def test_labelled_and_unsorted_images_stay() -> None:
    problem = long_tailed().problem
    start = np.where(problem.labels == UNLABELLED, UNSORTED, problem.labels)
    found = settle(problem, Assignment(classes=start, num_classes=4), between_new=True)
    np.testing.assert_array_equal(found.classes, start)


@given(
    seed=st.integers(0, 50),
    num_classes=st.integers(4, 30),
    between_new=st.booleans(),
    margin=st.sampled_from([0.0, 2.0]),
)
def test_one_step_is_that_of_the_definition_and_no_class_is_lost(
    seed: int, num_classes: int, between_new: bool, margin: float
) -> None:
    problem = long_tailed(sizes=(9, 8, 7, 6, 5, 4), num_known=2, seed=seed).problem
    rng = np.random.default_rng(seed)
    classes = np.where(problem.labels >= 0, problem.labels, rng.integers(num_classes, size=len(problem.labels)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("farthing.discover.settle._MAX_ITERATIONS", 1)
        start = Assignment(classes=classes, num_classes=num_classes)
        found = settle(problem, start, between_new=between_new, margin=margin).classes
    assert set(found) == set(classes)
    expected = slow_step(problem, classes, num_classes, between_new=between_new, margin=margin)
    stays = np.array([not (expected[classes == one] == one).any() for one in classes])
    np.testing.assert_array_equal(found[~stays], expected[~stays])


def slow_step(problem: Problem, classes: Labels, num_classes: int, *, between_new: bool, margin: float) -> Labels:
    """Image by image, with the mean of the others written out."""
    moved = classes.copy()
    for image, feature in enumerate(problem.features):
        logits = np.full(num_classes, -np.inf)
        for one in np.unique(classes):
            members = np.flatnonzero(classes == one)
            likeness = cosine(problem.features, feature, members[members != image])
            logits[one] = 20 * likeness + 0.25 * np.log(len(members)) + (margin if one == classes[image] else 0)
        best = int(logits.argmax())
        is_known = min(classes[image], best) < problem.num_known
        if problem.labels[image] == UNLABELLED and (between_new or is_known):
            moved[image] = best
    return moved


def cosine(features: Features, feature: Features, members: Labels) -> float:
    if not len(members):
        return 0.0
    return float(unit(features[members].astype(np.float64).sum(0, keepdims=True))[0] @ feature)
