"""Pseudo-novel folds: known classes whose labels are hidden, so that finding them again can be judged.

A fold hides some known classes entirely and a part of the labels of the others. Whatever is then fitted sees only what
is left, as it would if the hidden classes were new. Images that never had a label stay in: a fold is as crowded as the
collection, and has as many classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from farthing.discover.config import FoldConfig
from farthing.discover.problem import UNLABELLED, UNSORTED, Labels, Problem

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class Fold:
    """A problem some of whose answers are known.

    Attributes:
        problem: m images with the labels that are left, classes renumbered.
        truth: i64 [m], the class of each image whose label is hidden, hidden classes after the known ones; -1 for
            images that are labelled still or never were.
    """

    problem: Problem
    truth: Labels

    @property
    def judged(self) -> Flags:
        """Whose label is hidden, bool [m]."""
        flags: Flags = self.truth != UNLABELLED
        return flags

    def score(self, classes: Labels) -> float:
        """Mean of the accuracy over images and over classes, both in percent, of i64 [m] classes found."""
        right = matched(self.truth[self.judged], classes[self.judged])
        truth = self.truth[self.judged]
        sizes = np.bincount(truth)
        recalls = np.bincount(truth, right)[sizes > 0] / sizes[sizes > 0]
        return 50 * float(right.mean() + recalls.mean())


def matched(truth: Labels, classes: Labels) -> Flags:
    """Whether each image lies in the found class that its true class is matched with, bool [m].

    The matching is one to one and maximises the number of such images; `UNSORTED` matches nothing.

    Args:
        truth: i64 [m], >= 0.
        classes: i64 [m], found.

    Source: Kuhn, 1955; as in Vaze et al., CVPR 2022 (https://arxiv.org/abs/2201.02609), section 4.
    """
    found, place = np.unique(classes, return_inverse=True)
    together = np.zeros((len(found), truth.max() + 1), np.int64)
    np.add.at(together, (place, truth), 1)
    together[found == UNSORTED] = 0
    match = np.full(len(found), -1)
    rows, columns = linear_sum_assignment(together, maximize=True)
    match[rows] = columns
    right: Flags = (match[place] == truth) & (classes != UNSORTED)
    return right


def thin(problem: Problem, max_images: int, *, seed: int) -> Problem:
    """The problem, or so many images of it if it has more; classes that lose all their labels are not known any more.

    Args:
        problem: what is to be sorted.
        max_images: >= 1.
        seed: of what is drawn.
    """
    num_images = len(problem.labels)
    if num_images <= max_images:
        return problem
    chosen = np.sort(np.random.default_rng(seed).choice(num_images, max_images, replace=False))
    labels = problem.labels[chosen]
    present = np.unique(labels[labels != UNLABELLED])
    number = np.full(problem.num_known + 1, UNLABELLED)  # the last place is that of UNLABELLED itself
    number[present] = np.arange(len(present))
    return Problem(features=problem.features[chosen], labels=number[labels], num_known=len(present))


def draw_folds(problem: Problem, config: FoldConfig, *, seed: int) -> tuple[Fold, ...]:
    """The folds, each of all images; none where fewer than two classes are known.

    Args:
        problem: what is to be sorted, or a part of it.
        config: how many, and how much they hide.
        seed: of what is drawn.
    """
    if problem.num_known < 2:
        return ()
    return tuple(
        _draw(problem, config, rng=np.random.default_rng((seed, number))) for number in range(config.num_folds)
    )


def _draw(problem: Problem, config: FoldConfig, *, rng: np.random.Generator) -> Fold:
    num_hidden = min(max(1, round(config.hidden * problem.num_known)), problem.num_known - 1)
    num_known = problem.num_known - num_hidden
    number = np.full(problem.num_known + 1, UNLABELLED)  # the last place is that of UNLABELLED itself
    number[rng.permutation(problem.num_known)] = np.arange(problem.num_known)
    truth = number[problem.labels]
    left = np.where(truth < num_known, truth, UNLABELLED)
    for one in range(num_known):
        members = np.flatnonzero(left == one)
        left[rng.permutation(members)[: int(config.withheld * len(members))]] = UNLABELLED
    fold = Problem(features=problem.features, labels=left, num_known=num_known)
    return Fold(problem=fold, truth=np.where(left == UNLABELLED, truth, UNLABELLED))
