"""What candidates find: once each, with the labels of a fold or with all."""

from __future__ import annotations

import numpy as np
import pytest

from farthing.discover.config import FoldConfig
from farthing.discover.folds import draw_folds
from farthing.discover.problem import UNLABELLED, Assignment, Problem
from farthing.discover.trials import Candidate, Trials
from tests.discover.problems import long_tailed

CANDIDATE = Candidate(head="head", shrinkage=0.3)


def test_agreement_by_hand() -> None:
    """Folds sort every fifth image without a label otherwise than the whole, and number the classes otherwise."""
    known = long_tailed()
    free = np.flatnonzero(known.problem.labels == UNLABELLED)

    def head(problem: Problem, num_classes: int, seed: int) -> Assignment:
        classes = known.truth.copy()
        if problem.num_known < known.problem.num_known:
            classes[free[::5]] = (classes[free[::5]] + 1) % num_classes
            classes = num_classes - 1 - classes
        return Assignment(classes=classes, num_classes=num_classes)

    folds = draw_folds(known.problem, FoldConfig(num_folds=3), seed=0)
    trials = Trials(known.problem, folds, {"head": head}, seed=0)
    assert trials.agreement(CANDIDATE, 8) == pytest.approx(100 * (1 - len(free[::5]) / len(free)))


def test_where_every_image_is_labelled_nothing_disagrees() -> None:
    known = long_tailed(num_known=8)
    whole = Problem(features=known.problem.features, labels=known.truth, num_known=8)
    assert Trials(whole, draw_folds(whole, FoldConfig(num_folds=1), seed=0), {}, seed=0).agreement(CANDIDATE, 8) == 100
