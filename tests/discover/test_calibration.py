"""Tempering: a known miscalibration is undone, few images shift little, plain classes are believed."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from farthing.discover.calibration import SCALES, Outcomes, calibrate, fit_temper
from farthing.discover.config import FoldConfig
from farthing.discover.folds import draw_folds
from farthing.discover.robust import heads_with
from farthing.discover.trials import Candidate, Trials
from tests.discover.problems import long_tailed

SLOPE, KNOWN, NEW = SCALES[6], 0.7, -1.2


def outcomes(num_images: int = 20_000) -> Outcomes:
    """Right with probability sigmoid(SLOPE z + shift), z a margin per unit of scale."""
    rng = np.random.default_rng(0)
    margin = rng.normal(0.2, 0.3, num_images)
    found_new = rng.random(num_images) < 0.5
    right = rng.random(num_images) < expit(SLOPE * margin + np.where(found_new, NEW, KNOWN))
    margins = np.stack([scale * margin for scale in SCALES])
    return Outcomes(margins=margins, novelty=margins, found_new=found_new, is_new=found_new, right=right)


def test_scale_and_shifts_are_found() -> None:
    temper = fit_temper([outcomes()])
    assert temper.scale == SLOPE
    assert temper.shifts == pytest.approx((KNOWN, NEW), abs=0.1)


def test_few_images_shift_little() -> None:
    one = outcomes(1)
    certain = Outcomes(
        margins=np.zeros_like(one.margins),
        novelty=one.novelty,
        found_new=np.array([True]),
        is_new=one.is_new,
        right=np.array([True]),
    )
    known, new = fit_temper([certain]).shifts
    assert known == 0
    assert 0 < new < 1


def test_probabilities_of_easy_classes_are_believed_and_novelty_is_seen() -> None:
    whole = long_tailed(noise=0.3).problem
    folds = draw_folds(whole, FoldConfig(num_folds=4), seed=0)
    found = calibrate(Trials(whole, folds, heads_with(2), seed=0), Candidate(head="robust", shrinkage=0.3), 8)
    assert found.ece < 0.05
    assert found.novelty_auroc is not None
    assert found.novelty_auroc > 0.95
    assert sum(images for _, _, images in found.bins) == sum(fold.judged.sum() for fold in folds)
