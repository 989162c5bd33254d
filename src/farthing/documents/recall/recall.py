"""From the answers about a random sample of pages to a threshold whose recall is certain at a stated confidence.

Of the n pages that were drawn and answered, k hold what is wanted. The threshold is the score of the (x + 1)-th lowest
of those k, with the largest x that `recallbounds.allowed_misses` allows. docs/recall.md says how to read the promise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from farthing.base.errors import ConfigError, DataError
from farthing.documents.recall.hypergeometric import Counts, lower_tail
from farthing.documents.recall.recallbounds import allowed_misses, best_recall, breaking_losses

METHOD = "order statistic of uniformly drawn positives, exact for finite collections (docs/recall.md)"


@dataclass(frozen=True, kw_only=True, slots=True)
class Calibration:
    """A threshold and what is promised of it.

    Attributes:
        threshold: pages with at least this score are kept.
        kept: how many these are.
        num_pages: pages that have a score.
        recall: that was asked for.
        recall_lower_bound: what can be promised: `recall` where that is reached, else the largest share, in
            hundredths, that these answers allow, for `best_threshold`.
        confidence: the probability, over the draw of the sample, that a promise made like this one is true.
        is_reached: whether the answers suffice for `recall`. If not, every page is kept: nothing is lost silently.
        recall_estimate: share of the found positives from `best_threshold` on; None if none was found.
        best_threshold: the highest threshold that `recall_lower_bound` holds for; `threshold` where that is reached.
        best_kept: pages from `best_threshold` on.
        labels_used: answers that the promise rests on.
        positives_found: of these.
        more_labels_wanted: how many further answers the recall asked for takes, about; 0 if reached.
        round: of the sample, from 1.
        method: how the promise is made.
    """

    threshold: float
    kept: int
    num_pages: int
    recall: float
    recall_lower_bound: float
    confidence: float
    is_reached: bool
    recall_estimate: float | None
    best_threshold: float
    best_kept: int
    labels_used: int
    positives_found: int
    more_labels_wanted: int
    round: int
    method: str


def choose_threshold(
    scores: npt.NDArray[np.float64],
    sampled: Counts,
    answers: npt.NDArray[np.bool_],
    *,
    recall: float,
    confidence: float = 0.95,
    round: int = 1,
) -> Calibration:
    """The highest threshold whose recall is at least `recall` with probability `confidence`.

    Args:
        scores: f64 [pages], of all pages; larger means more likely to hold what is wanted.
        sampled: i64 [labels], distinct positions in `scores`, drawn uniformly without replacement and without regard
            to the answers (`sampling.draw`).
        answers: bool [labels], whether each sampled page holds it.
        recall: promised share of the positive pages that are kept, in (0, 1).
        confidence: in (0, 1); probability over the draw that the promise is true.
        round: how often this sample was looked at, this time included; later rounds spend less (`round_error`).

    Raises:
        ConfigError: `recall`, `confidence` or `round` out of range.
        DataError: no pages, no answers, a page twice, or a score that is not finite.
    """
    _check(scores, sampled, answers)
    _check_probability("recall", recall)
    _check_probability("confidence", confidence)
    alpha = round_error(confidence, round)
    num_pages, num_labels = len(scores), len(sampled)
    found = np.sort(scores[sampled[answers]])
    misses = int(allowed_misses(num_pages, num_labels, recall, alpha)[len(found)])
    is_reached, lowest = misses >= 0, float(scores.min())
    bound = recall if is_reached else best_recall(num_pages, num_labels, len(found), alpha)
    best = float(found[max(misses, 0)]) if len(found) else lowest
    threshold = best if is_reached else lowest
    return Calibration(
        threshold=threshold,
        kept=int(np.count_nonzero(scores >= threshold)),
        num_pages=num_pages,
        recall=recall,
        recall_lower_bound=bound,
        confidence=confidence,
        is_reached=is_reached,
        recall_estimate=float(np.mean(found >= best)) if len(found) else None,
        best_threshold=best,
        best_kept=int(np.count_nonzero(scores >= best)),
        labels_used=num_labels,
        positives_found=len(found),
        more_labels_wanted=0
        if is_reached
        else _more_labels(num_pages, num_labels, len(found), recall, confidence, round),
        round=round,
        method=METHOD,
    )


def round_error(confidence: float, round: int) -> float:
    """The part of the error probability 1 - confidence that one round may spend: nine tenths of what is left.

    alpha_j = (1 - confidence) 0.9 0.1^(j - 1); the sum over all rounds is 1 - confidence, so that asking again with
    more answers, for whatever reason, leaves the confidence as stated.

    Raises:
        ConfigError: `round` is below 1.
    """
    if round < 1:
        raise ConfigError(f"round: counts from 1, got {round}")
    return (1 - confidence) * 0.9 * 0.1 ** (round - 1)


def _more_labels(num_pages: int, num_labels: int, found: int, recall: float, confidence: float, round: int) -> int:
    """How many further answers it takes until the recall can be promised, if positives stay as common as they were.

    Each further round doubles the sample (`sampling.extend_sample`) and may spend less.
    """
    positives = max(1, found * num_pages // num_labels)
    losses = min(int(breaking_losses(np.array([positives]), recall)[0]), positives)
    total, later = num_labels, round
    while total < num_pages:
        total, later = min(2 * total, num_pages), later + 1
        drawn = positives * total // num_pages
        risk = lower_tail(0, total=positives, marked=losses, drawn=drawn)
        if found and risk <= round_error(confidence, later):
            break
    return total - num_labels


def _check_probability(name: str, value: float) -> None:
    if not 0 < value < 1:
        raise ConfigError(f"{name}: must lie between 0 and 1, both excluded, got {value}; 0.95 is usual")


def _check(scores: npt.NDArray[np.float64], sampled: Counts, answers: npt.NDArray[np.bool_]) -> None:
    if len(scores) == 0 or len(sampled) == 0:
        raise DataError(f"calibration: needs pages with a score and answers, got {len(scores)} and {len(sampled)}")
    if not np.isfinite(scores).all():
        raise DataError(f"scores: must be finite, got {np.count_nonzero(~np.isfinite(scores))} that are not")
    if len(answers) != len(sampled) or len(np.unique(sampled)) != len(sampled):
        raise DataError(
            f"answers: one for each of the {len(sampled)} sampled pages, got {len(answers)} or a page twice"
        )
