"""Bringing probabilities in line with how often they are right, on the hidden labels of folds.

Labels that were withheld tell how often an assigned known class is right; classes that were hidden tell it for new
ones. The folds are those of all images, for among few images classes are harder to tell than they are in the whole.
What is fitted on some folds is judged on the others, so that the stated error is not that of the fit itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from farthing.discover.folds import Flags, matched
from farthing.discover.metrics import area_under_roc, calibration_bins, expected_calibration_error
from farthing.discover.probability import Temper, fit_classifier
from farthing.discover.problem import Assignment
from farthing.discover.trials import Candidate, Trials

Doubles = npt.NDArray[np.float64]

SCALES = tuple(float(scale) for scale in np.geomspace(2, 60, 18))
_NEWTON_STEPS = 12
# As if this many images more had been right and wrong as often as predicted: few images do not shift far.
_PRIOR_IMAGES = 2.0


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class Calibration:
    """How probabilities are tempered, and how far they are still off.

    Attributes:
        temper: fitted on all folds.
        ece: 15-bin expected calibration error on held-out labels, in [0, 1].
        bins: per bin of the probability its mean, the share of right ones, and images.
        novelty_auroc: how well novelty tells hidden classes from the others, in [0, 1]; None without both.
    """

    temper: Temper
    ece: float
    bins: tuple[tuple[float, float, int], ...]
    novelty_auroc: float | None


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class Outcomes:
    """The judged images of one fold.

    Attributes:
        margins: f64 [scales, n], the logit of the assigned class at each of `SCALES`.
        novelty: f64 [scales, n].
        found_new: bool [n], whether the assigned class is new.
        is_new: bool [n], whether the true class is hidden.
        right: bool [n], whether the assigned class is that of the image, matched one to one.
    """

    margins: Doubles
    novelty: Doubles
    found_new: Flags
    is_new: Flags
    right: Flags


def calibrate(trials: Trials, candidate: Candidate, num_classes: int) -> Calibration:
    """Scale and shifts that make the assigned classes of all folds likeliest to be as right as they are.

    Args:
        trials: on at least one fold, of all images.
        candidate: whose probabilities are meant.
        num_classes: that it is asked for.
    """
    outcomes = [_outcomes(trials, candidate, number, num_classes) for number in range(len(trials.folds))]
    parts = []
    for held_out, outcome in enumerate(outcomes):
        others = [one for number, one in enumerate(outcomes) if number != held_out] or outcomes
        parts.append(_tempered(outcome, fit_temper(others)))
    probability = np.concatenate(parts)
    right = np.concatenate([outcome.right for outcome in outcomes])
    temper = fit_temper(outcomes)
    place = SCALES.index(temper.scale)
    novelty = np.concatenate([outcome.novelty[place] for outcome in outcomes])
    is_new = np.concatenate([outcome.is_new for outcome in outcomes])
    return Calibration(
        temper=temper,
        ece=expected_calibration_error(probability, right),
        bins=tuple(calibration_bins(probability, right)),
        novelty_auroc=area_under_roc(novelty, is_new),
    )


def fit_temper(outcomes: Sequence[Outcomes]) -> Temper:
    """The scale and shifts of least negative log likelihood -sum log (p' where right, 1 - p' where wrong)."""
    right = np.concatenate([outcome.right for outcome in outcomes])
    found_new = np.concatenate([outcome.found_new for outcome in outcomes])
    best, least = Temper(), np.inf
    for place, scale in enumerate(SCALES):
        margin = np.concatenate([outcome.margins[place] for outcome in outcomes])
        shifts = (_fit_shift(margin[~found_new], right[~found_new]), _fit_shift(margin[found_new], right[found_new]))
        shifted = margin + np.where(found_new, shifts[1], shifts[0])
        loss = float(np.logaddexp(0, np.where(right, -shifted, shifted)).sum())
        if loss < least:
            best, least = Temper(scale=scale, shifts=shifts), loss
    return best


def _fit_shift(margin: Doubles, right: Flags) -> float:
    """The shift at which as many images are expected to be right as are: sum sigmoid(margin + shift) = sum right.

    That is Newton's method for the likeliest shift, held back towards 0 as `_PRIOR_IMAGES` at odds of one to one would.
    """
    shift = 0.0
    for _ in range(_NEWTON_STEPS):
        probability = expit(margin + shift)
        slope = float(right.sum() - probability.sum()) + _PRIOR_IMAGES * float(0.5 - expit(shift))
        curve = float((probability * (1 - probability)).sum()) + _PRIOR_IMAGES / 4
        shift = float(np.clip(shift + np.clip(slope / curve, -2, 2), -10, 10))
    return shift


def _outcomes(trials: Trials, candidate: Candidate, number: int, num_classes: int) -> Outcomes:
    fold = trials.folds[number]
    found = trials.found(number, candidate, num_classes)
    whitening = trials.whitened(number, candidate.shrinkage).whitening
    assignment = Assignment(classes=found, num_classes=int(found.max()) + 1)
    num_known, judged = fold.problem.num_known, fold.judged
    features = fold.problem.features
    classifier = fit_classifier(whitening, features, assignment, num_known=num_known, temper=Temper())
    evidence = [replace(classifier, scale=scale).weigh(features, found, are_members=True) for scale in SCALES]
    margins = np.stack([one.margin[judged] for one in evidence])
    return Outcomes(
        margins=np.clip(margins, -50, 50).astype(np.float64),
        novelty=np.stack([one.novelty[judged] for one in evidence]).astype(np.float64),
        found_new=found[judged] >= num_known,
        is_new=fold.truth[judged] >= num_known,
        right=matched(fold.truth[judged], found[judged]),
    )


def _tempered(outcome: Outcomes, temper: Temper) -> Doubles:
    margin = outcome.margins[SCALES.index(temper.scale)]
    probability: Doubles = expit(margin + np.where(outcome.found_new, temper.shifts[1], temper.shifts[0]))
    return probability
