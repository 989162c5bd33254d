"""From the answers about a random sample of pages to a threshold whose recall is certain at a stated confidence.

Of N pages, P hold what is wanted (positives); nobody knows P. A person answered for n pages drawn uniformly without
replacement, and k of these are positive. The threshold is the score of the (x + 1)-th lowest of those k, so that x
found positives fall below it. A promise of recall r breaks only if at least m = floor((1 - r) P) + 1 positives lie
below the threshold, that is, if at most x of the m lowest positives were drawn. Given k, the drawn positives are a
uniform sample of all of them, so that happens with probability

    F(x; P, m, k) = P(Hypergeometric(P, m, k) <= x),        k itself ~ Hypergeometric(N, P, n).

`allowed_misses` is a table k -> x with sum_k P(k) F(x(k); P, m(P), k) <= alpha for every P there could be. No model of
the scores enters, so that the promise holds for any ranking. docs/recall.md has the proof.

Source: Lewis, Yang and Frieder, Certifying one-phase technology-assisted reviews (CIKM 2021,
https://arxiv.org/abs/2108.12746): the quantile bound. Different here: the population is finite, P is unknown, and the
table is calibrated over k (as Boschloo, Statistica Neerlandica 1970, did for Fisher's conditional test).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from farthing.base.errors import ConfigError, DataError
from farthing.documents.hypergeometric import Counts, Probabilities, lower_tail, pmf

METHOD = "order statistic of uniformly drawn positives, exact for finite collections (docs/recall.md)"
# Positives are looked at one by one up to here; beyond it in blocks this much wider each, bounded from above.
_EXACT_POSITIVES = 1000
_BLOCK_GROWTH = 1.003
# The level of single entries is searched for up to this multiple of alpha, in so many halvings.
_MOST_SLACK = 2.5
_HALVINGS = 7
# Part of the error probability that `best_recall` spends on a bound of the number of positives.
_NUISANCE_SHARE = 0.04


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


def breaking_losses(positives: Counts, recall: float) -> Counts:
    """m(P) = floor((1 - recall) P) + 1: how many positives must be lost for the recall to fall below `recall`."""
    share = 1 - Fraction(str(recall)).limit_denominator(1_000_000)
    return positives * share.numerator // share.denominator + 1


@lru_cache(maxsize=64)
def allowed_misses(num_pages: int, num_labels: int, recall: float, alpha: float) -> Counts:
    """i64 [labels + 1]: for each number k of found positives, how many of them may fall below the threshold; -1: none.

    x(k) is the largest x < k with F(x; P(k), m(P(k)), k) <= level, where P(k) = round(k N / n), made to rise by at
    most one a step. `level`, the same for all k, is the largest (within the precision of the search) for which
    `worst_risk` is at most `alpha`; so every table it returns is valid, however P(k) was guessed.
    """
    found = np.arange(num_labels + 1)
    positives = np.maximum(found, np.rint(found * (num_pages / num_labels)).astype(np.int64))
    losses = breaking_losses(positives, recall)
    if num_labels == num_pages:  # everything is known: P = k
        return np.minimum(losses, found) - 1
    low, high = 0.0, alpha * _MOST_SLACK
    best = np.full(num_labels + 1, -1, np.int64)
    for _ in range(_HALVINGS):
        level = (low + high) / 2
        table = _smooth(_largest(found, positives, np.minimum(losses, positives), level))
        if worst_risk(table, num_pages, recall) <= alpha:
            low, best = level, table
        else:
            high = level
    return best


def _largest(found: Counts, positives: Counts, losses: Counts, level: float) -> Counts:
    """For each k the largest x < k with F(x; P, m, k) <= level, by bisection; -1 if there is none."""
    low, high = np.full(len(found), -1), found.copy()
    while bool((high - low > 1).any()):
        middle = (low + high) // 2
        is_within = lower_tail(middle, total=positives, marked=losses, drawn=found) <= level
        low, high = np.where(is_within, middle, low), np.where(is_within, high, middle)
    return low


def _smooth(table: Counts) -> Counts:
    """The largest table below `table` that never falls and rises by at most one a step."""
    rising = np.minimum.accumulate(table[::-1])[::-1]
    step = np.arange(len(table))
    return np.asarray(np.minimum.accumulate(rising - step) + step)


def worst_risk(table: Counts, num_pages: int, recall: float) -> float:
    """An upper bound, over every number of positives, of the probability that a promise made by `table` is false.

    Exact for up to 1,000 positives. Beyond, P1 <= P <= P2 is judged at once with the m(P1) lowest positives lost and
    P2 - m(P2) others: fewer to be found below and more above than with any P between, and as `table` rises by at most
    one a step, that only raises the risk.
    """
    start = np.arange(1, min(num_pages, _EXACT_POSITIVES) + 1)
    edges = [int(start[-1])]
    while edges[-1] < num_pages:
        edges.append(min(num_pages, max(edges[-1] + 1, int(edges[-1] * _BLOCK_GROWTH))))
    first = np.r_[start, np.array(edges[:-1], np.int64) + 1]
    last = np.r_[start, np.array(edges[1:], np.int64)]
    lost = breaking_losses(first, recall)
    others = last - np.minimum(breaking_losses(last, recall), last)
    is_breakable = lost <= first
    return float(_risks(table, num_pages, lost[is_breakable], others[is_breakable]).max(initial=0))


def _risks(table: Counts, num_pages: int, lost: Counts, others: Counts) -> Probabilities:
    """sum_k P(k) F(x(k); lost + others, lost, k) for each pair; what is not summed up counts as risk."""
    num_labels, positives = len(table) - 1, lost + others
    mean = positives * (num_labels / num_pages)
    reach = 7 * np.sqrt(mean * (1 - positives / num_pages)) + 7
    low = np.maximum(0, np.floor(mean - reach)).astype(np.int64)
    high = np.minimum(np.minimum(num_labels, positives), np.ceil(mean + reach)).astype(np.int64)
    size = high - low + 1
    start = np.r_[0, np.cumsum(size)[:-1]]
    which = np.repeat(np.arange(len(size)), size)
    found = np.arange(size.sum()) - start[which] + low[which]
    weight = pmf(found, total=num_pages, marked=positives[which], drawn=num_labels)
    misses = table[found]
    counts = (misses >= 0) & (weight > 1e-12)
    risk = np.zeros(len(found))
    risk[counts] = weight[counts] * lower_tail(
        misses[counts], total=positives[which][counts], marked=lost[which][counts], drawn=found[counts]
    )
    unseen = np.maximum(0.0, 1 - np.add.reduceat(weight, start))
    return np.asarray(np.add.reduceat(risk, start) + unseen)


def best_recall(num_pages: int, num_labels: int, found: int, alpha: float) -> float:
    """The largest recall, in hundredths, that can be promised with the lowest found positive as the threshold.

    Made for this k alone, so that it may be chosen by k: max over P <= U of F(0; P, m(P), k) <= 0.96 alpha, where
    the number of positives exceeds U with probability at most 0.04 alpha. 0 where nothing was found.
    """
    if found == 0:
        return 0.0
    possible = np.arange(found, num_pages - num_labels + found + 1)
    plausible = lower_tail(found, total=num_pages, marked=possible, drawn=num_labels) > _NUISANCE_SHARE * alpha
    positives = possible[plausible]
    hundredths = 0
    for step in (64, 32, 16, 8, 4, 2, 1):
        losses = breaking_losses(positives, min(hundredths + step, 100) / 100)
        risk = lower_tail(0, total=positives, marked=losses, drawn=found)
        if hundredths + step <= 99 and risk.max() <= (1 - _NUISANCE_SHARE) * alpha:
            hundredths += step
    return hundredths / 100


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
