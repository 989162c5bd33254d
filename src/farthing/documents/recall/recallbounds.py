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

from collections import deque
from fractions import Fraction
from functools import lru_cache

import numpy as np

from farthing.documents.recall.hypergeometric import Counts, Probabilities, lower_tail, pmf

# Positives are looked at one by one up to here; beyond it in blocks this much wider each, bounded from above.
_EXACT_POSITIVES = 1000
_BLOCK_GROWTH = 1.003
# The level of single entries is searched for up to this multiple of alpha, in so many halvings.
_MOST_SLACK = 2.5
_HALVINGS = 8
# So many of the smallest entries are made as large as they can be one by one; beyond, a step is small.
_NUM_SHARPENED = 6
# The guess of the positives is exceeded in so many draws; any value gives valid tables, this one gave good ones.
_GUESS_ERROR = 0.3
# Part of the error probability that `best_recall` spends on a bound of the number of positives.
_NUISANCE_SHARE = 0.04


def breaking_losses(positives: Counts, recall: float) -> Counts:
    """m(P) = floor((1 - recall) P) + 1: how many positives must be lost for the recall to fall below `recall`."""
    share = _lost_share(recall)
    return positives * share.numerator // share.denominator + 1


def _lost_share(recall: float) -> Fraction:
    """1 - recall as it was meant: 0.1 for 0.9, which floating point has not."""
    return 1 - Fraction(str(recall)).limit_denominator(1_000_000)


@lru_cache(maxsize=64)
def allowed_misses(num_pages: int, num_labels: int, recall: float, alpha: float) -> Counts:
    """i64 [labels + 1]: for each number k of found positives, how many of them may fall below the threshold; -1: none.

    x(k) is the largest x < k with F(x; P(k), m(P(k)), k) <= level for a guess P(k) of the positives, made to rise by
    at most one a step. `level`, the same for all k, is the largest (within the precision of the search) for which
    `worst_risk` is at most `alpha`; so every table it returns is valid, however good the guess.
    """
    found = np.arange(num_labels + 1)
    if num_labels == num_pages:  # everything is known: P = k
        return np.minimum(breaking_losses(found, recall), found) - 1
    positives = _guess_positives(num_pages, num_labels, recall)
    losses = np.minimum(breaking_losses(positives, recall), positives)
    best = _first_table(num_pages, num_labels, recall, alpha)
    low, high = 0.0, alpha * _MOST_SLACK
    for _ in range(_HALVINGS):
        level = (low + high) / 2
        table = np.maximum(best, _smooth(_largest(found, positives, losses, level)))
        if worst_risk(table, num_pages, recall) <= alpha:
            low, best = level, table
        else:
            high = level
    best = _sharpen(best, num_pages, recall, alpha)
    best.setflags(write=False)  # calls share it
    return best


def _sharpen(table: Counts, num_pages: int, recall: float, alpha: float) -> Counts:
    """Lets x(k) reach 0, 1, 2, ... at smaller k, one k at a time in turns, as long as the risk stays within `alpha`.

    Where few positives are found, one entry more or less is a large step, and a level for all leaves much unused.
    """
    lost, others = _cases(num_pages, recall)
    risks, positives = _risks(table, num_pages, lost, others), lost + others
    table, waiting = table.copy(), deque(range(_NUM_SHARPENED))
    while waiting:
        misses = waiting.popleft()
        before = int(np.searchsorted(table, misses)) - 1
        if before <= misses or before == len(table) - 1 or table[before - 1] < misses - 1:
            continue  # k must exceed x, and the table must rise by at most one a step
        drawn = np.minimum(before, positives)  # k above P has no weight
        added = lower_tail([[misses], [misses - 1]], total=positives, marked=lost, drawn=drawn)
        weight = pmf(before, total=num_pages, marked=positives, drawn=len(table) - 1)
        sharper = risks + weight * (added[0] - added[1])
        if sharper.max() <= alpha:
            risks, table[before] = sharper, misses
            waiting.append(misses)
    return table


def _guess_positives(num_pages: int, num_labels: int, recall: float) -> Counts:
    """For each k rather many positives: an upper bound in seven of ten draws, lowered to the last peak of the risk."""
    found = np.arange(num_labels + 1)
    positives = _most_positives(num_pages, num_labels, found, _GUESS_ERROR)
    peak = _peak(breaking_losses(positives, recall) - 1, recall)
    return np.where(peak >= found, peak, positives)


def _peak(losses: Counts, recall: float) -> Counts:
    """The largest P with m(P) = losses; -1 for 0 losses. The risk rises with P until m(P) does, and falls there."""
    share = _lost_share(recall)
    return -(-losses * share.denominator // share.numerator) - 1


def _first_table(num_pages: int, num_labels: int, recall: float, alpha: float) -> Counts:
    """The table without the search over levels, and with x(k) = 0 at most: what `best_recall` promises for k alone."""
    low, high = 0, num_labels + 1
    while high - low > 1:
        middle = (low + high) // 2
        is_enough = best_recall(num_pages, num_labels, middle, alpha) >= recall
        low, high = (low, middle) if is_enough else (middle, high)
    table = np.where(np.arange(num_labels + 1) >= high, 0, -1)
    return table if worst_risk(table, num_pages, recall) <= alpha else np.full(num_labels + 1, -1)


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
    return np.asarray(np.minimum.accumulate(rising - step) + step, np.int64)


def worst_risk(table: Counts, num_pages: int, recall: float) -> float:
    """An upper bound, over every number of positives, of the probability that a promise made by `table` is false."""
    return float(_risks(table, num_pages, *_cases(num_pages, recall)).max())


def _cases(num_pages: int, recall: float) -> tuple[Counts, Counts]:
    """The numbers of positives to look at, each as i64 (lowest ones, m(P), and others): what is lost, what may not be.

    One by one up to 1,000. Beyond, P1 <= P <= P2 is judged at once with the m(P1) lowest positives lost and P2 - m(P2)
    others: fewer to be found below and more above than with any P between, and as a table rises by at most one a step,
    that only raises the risk.
    """
    start = np.arange(1, min(num_pages, _EXACT_POSITIVES) + 1)
    edges = [int(start[-1])]
    while edges[-1] < num_pages:
        edges.append(min(num_pages, max(edges[-1] + 1, int(edges[-1] * _BLOCK_GROWTH))))
    first = np.r_[start, np.array(edges[:-1], np.int64) + 1]
    last = np.r_[start, np.array(edges[1:], np.int64)]
    return breaking_losses(first, recall), last - breaking_losses(last, recall)


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
    most = int(_most_positives(num_pages, num_labels, np.array([found]), _NUISANCE_SHARE * alpha)[0])
    hundredths = 0
    for step in (64, 32, 16, 8, 4, 2, 1):
        recall = (hundredths + step) / 100
        if recall < 1 and _risk_of_none(found, most, recall) <= (1 - _NUISANCE_SHARE) * alpha:
            hundredths += step
    return hundredths / 100


def _risk_of_none(found: int, most: int, recall: float) -> float:
    """The largest F(0; P, m(P), found) with P from `found` to `most`: at a peak, or at the end."""
    first, last = breaking_losses(np.array([found, most]), recall)
    positives = np.r_[_peak(np.arange(first, last), recall), most]
    losses = breaking_losses(positives, recall)
    return float(lower_tail(0, total=positives, marked=losses, drawn=found).max())


def _most_positives(num_pages: int, num_labels: int, found: Counts, error: float) -> Counts:
    """Per k the largest number of positives with which at most k are drawn with a probability above `error`."""
    low, high = found, num_pages - num_labels + found + 1
    while bool((high - low > 1).any()):
        middle = (low + high) // 2
        is_plausible = lower_tail(found, total=num_pages, marked=middle, drawn=num_labels) > error
        low, high = np.where(is_plausible, middle, low), np.where(is_plausible, high, middle)
    return low
