"""Ways to choose a threshold with a stated recall, each from a scored collection and a budget of labels.

The shipped one is `order_statistic`; the others are what it was chosen over. All are valid at level `ALPHA` but
`point_estimate`, which shows what happens without a bound.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from farthing.documents.recall.hypergeometric import lower_tail
from farthing.documents.recall.recall import choose_threshold
from farthing.documents.recall.recallbounds import breaking_losses
from farthing.documents.recall.sampling import draw

Scores = npt.NDArray[np.float64]
Truth = npt.NDArray[np.bool_]
Design = Callable[[Scores, Truth, int, float, int], tuple[float, npt.NDArray[np.int64]]]

ALPHA = 0.05
NUM_GRID = 100


def order_statistic(
    scores: Scores, truth: Truth, budget: int, recall: float, seed: int
) -> tuple[float, npt.NDArray[np.int64]]:
    """What farthing does: uniform draw, exact order statistic, calibrated over the number of positives found."""
    sampled = draw(len(scores), budget, seed)
    result = choose_threshold(scores, sampled, truth[sampled], recall=recall, confidence=1 - ALPHA)
    return result.threshold, sampled


def point_estimate(
    scores: Scores, truth: Truth, budget: int, recall: float, seed: int
) -> tuple[float, npt.NDArray[np.int64]]:
    """Uniform draw, the threshold that has the recall in the sample: no bound at all."""
    sampled = draw(len(scores), budget, seed)
    found = np.sort(scores[sampled[truth[sampled]]])
    return (float(found[int((1 - recall) * len(found))]) if len(found) else float(scores.min())), sampled


def conditional_quantile(
    scores: Scores, truth: Truth, budget: int, recall: float, seed: int
) -> tuple[float, npt.NDArray[np.int64]]:
    """Uniform draw, binomial bound for the order statistic given k: Lewis et al. 2021, infinite population."""
    sampled = draw(len(scores), budget, seed)
    found = np.sort(scores[sampled[truth[sampled]]])
    many = np.full(len(found), 10_000_000)
    risk = lower_tail(np.arange(len(found)), total=many, marked=breaking_losses(many, recall), drawn=len(found))
    misses = int(np.count_nonzero(risk <= ALPHA)) - 1
    return (float(found[misses]) if misses >= 0 else float(scores.min())), sampled


def uniform_counts(
    scores: Scores, truth: Truth, budget: int, recall: float, seed: int
) -> tuple[float, npt.NDArray[np.int64]]:
    """Uniform draw, exact bounds of the positives above and below each of 20 thresholds, Bonferroni over all."""
    sampled = draw(len(scores), budget, seed)
    is_sampled = _mask(len(scores), sampled)
    for threshold in np.unique(np.quantile(scores, np.linspace(1, 0, 21)[1:-1]))[::-1]:
        above = scores >= threshold
        low = _bound([above], is_sampled, truth, ALPHA / 40, is_upper=False)
        high = _bound([~above], is_sampled, truth, ALPHA / 40, is_upper=True)
        if (1 - recall) * low >= recall * high:
            return float(threshold), sampled
    return float(scores.min()), sampled


def stratified_counts(
    scores: Scores, truth: Truth, budget: int, recall: float, seed: int
) -> tuple[float, npt.NDArray[np.int64]]:
    """Four strata by score, the middle two at twice the rate; exact bounds in each, thresholds tested upwards."""
    rng = np.random.default_rng(seed)
    strata = _strata(scores, (0.5, 0.3, 0.12))
    rates = np.array([1.0, 2.0, 2.0, 0.7])
    sizes = np.array([part.sum() for part in strata])
    labels = np.minimum(sizes, np.maximum(1, np.floor(budget * rates * sizes / (rates * sizes).sum()))).astype(int)
    sampled = np.concatenate(
        [rng.choice(np.flatnonzero(part), num, replace=False) for part, num in zip(strata, labels, strict=True)]
    )
    is_sampled, best = _mask(len(scores), sampled), float(scores.min())
    for threshold in np.unique(np.quantile(scores, np.linspace(0, 1, NUM_GRID)))[1:]:
        above = [part & (scores >= threshold) for part in strata]
        below = [part & (scores < threshold) for part in strata]
        low = _bound([part for part in above if part.any()], is_sampled, truth, 0.2 * ALPHA, is_upper=False)
        high = _bound([part for part in below if part.any()], is_sampled, truth, 0.8 * ALPHA, is_upper=True)
        if (1 - recall) * low < recall * high:
            break
        best = float(threshold)
    return best, sampled


def importance_betting(
    scores: Scores, truth: Truth, budget: int, recall: float, seed: int
) -> tuple[float, npt.NDArray[np.int64]]:
    """Pages drawn one by one with weights (sqrt(score), half of it uniform; SUPG), a betting martingale per threshold.

    For threshold t let c = 1 - recall above and -recall below. A promise is false iff sum c y < 0. Each draw's
    Z = sum of c y over what is labelled + c y / q for the page drawn (probability q) has that sum as its mean, so
    prod (1 + bet Z) with bets fixed before the draw is a supermartingale then (Waudby-Smith and Ramdas).
    """
    rng = np.random.default_rng(seed)
    weight = np.sqrt(np.maximum(scores, 0)) / np.sqrt(np.maximum(scores, 0)).sum() + 1 / len(scores)
    thresholds = np.unique(np.quantile(scores, np.linspace(0, 1, NUM_GRID)))[1:]
    coefficient = np.where(scores[None] >= thresholds[:, None], 1 - recall, -recall)
    left = weight.copy()
    wealth, known = np.ones(len(thresholds)), np.zeros(len(thresholds))
    total, square = np.zeros(len(thresholds)), np.full(len(thresholds), (len(scores) * 0.1) ** 2)
    sampled = []
    peak = np.ones(len(thresholds))
    for step in range(1, budget + 1):
        sampling = left / left.sum()
        worst = np.where((coefficient < 0) & (left > 0), coefficient / np.maximum(sampling, 1e-300), 0).min(axis=1)
        cap = 0.9 / np.maximum(1e-9, -(worst + known))
        bet = np.clip(total / step / (square / step), 0, cap)
        page = int(rng.choice(len(scores), p=sampling))
        gain = known + coefficient[:, page] * truth[page] / sampling[page]
        wealth *= 1 + bet * gain
        peak = np.maximum(peak, wealth)
        total, square = total + gain, square + gain**2
        known = known + coefficient[:, page] * truth[page]
        left[page] = 0
        sampled.append(page)
    certain = np.cumprod(peak >= 1 / ALPHA).sum()
    return (float(thresholds[certain - 1]) if certain else float(scores.min())), np.array(sampled)


DESIGNS: Mapping[str, Design] = {
    "point estimate (no bound)": point_estimate,
    "uniform, counts": uniform_counts,
    "stratified, counts": stratified_counts,
    "importance, betting": importance_betting,
    "uniform, quantile": conditional_quantile,
    "farthing": order_statistic,
}


def _mask(num_pages: int, sampled: npt.NDArray[np.int64]) -> Truth:
    mask = np.zeros(num_pages, np.bool_)
    mask[sampled] = True
    return mask


def _strata(scores: Scores, shares: tuple[float, ...]) -> list[Truth]:
    """Pages by falling rank: the lowest half, and so on; `shares` from the bottom, the rest is the last one."""
    rank = np.argsort(np.argsort(scores, kind="stable")) / len(scores)
    edges = np.r_[0, np.cumsum(shares), 1.1]
    return [(rank >= low) & (rank < high) for low, high in pairwise(edges)]


def _bound(parts: list[Truth], is_sampled: Truth, truth: Truth, alpha: float, *, is_upper: bool) -> int:
    """An exact bound of the positives in all parts together: one bound each, the error shared evenly."""
    total = 0
    for part in parts:
        size, drawn = int(part.sum()), int((part & is_sampled).sum())
        found = int((part & is_sampled & truth).sum())
        if is_upper:
            total += _most(size, drawn, found, alpha / len(parts))
        else:  # the most that are not positive
            total += size - _most(size, drawn, drawn - found, alpha / len(parts))
    return total


def _most(size: int, drawn: int, found: int, alpha: float) -> int:
    """The largest number of marked ones with which at most `found` of `drawn` are seen with more than alpha."""
    low, high = found, size - drawn + found + 1
    while high - low > 1:
        middle = (low + high) // 2
        if lower_tail(found, total=size, marked=middle, drawn=drawn) > alpha:
            low = middle
        else:
            high = middle
    return low
