"""Choosing shrinkage and head by what finds hidden classes again.

A fold's score is noisy. So the first head stays unless another one beats it on the same folds by more than twice the
standard error of the mean difference: a tie, or luck, changes nothing. Shrinkages are equals, and a score that sees
labelled images alone cannot tell them apart; there it also counts whether the others are sorted alike in all folds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from farthing.base.errors import ConfigError
from farthing.discover.config import DiscoverConfig
from farthing.discover.problem import UNLABELLED, Labels, Problem
from farthing.discover.trials import Candidate, Trials

Progress = Callable[[str], None]

_STANDARD_ERRORS = 2.0
# A point of agreement against a point of recovery: more favours shrinkages that use labels little, whatever they are.
_AGREEMENT = 0.3
# Heads that lie so many points behind on the first folds are not judged on the others: prototypes on long tails, which
# would take most of the time.
_FIRST_FOLDS, _HOPELESS = 2, 8.0
# Between drawn collections of sizes 1 to 1 and 1 to 3, where prototypes win, and 1 to 10, where they do not.
_EVEN = 0.9


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """What was chosen, and why.

    Attributes:
        head: its name in `HEADS`.
        shrinkage: of the within-class covariance.
        why: one sentence.
        scores: of each candidate on the folds, in percent, by its name; empty where there were no folds.
    """

    head: str
    shrinkage: float
    why: str
    scores: dict[str, float]


def choose(
    trials: Trials, config: DiscoverConfig, order: Sequence[str], num_classes: int, progress: Progress
) -> Choice:
    """The shrinkage at which the first head sorts best; then the head that finds hidden classes best at that one.

    So the heads that take long run at one shrinkage only.

    Args:
        trials: on the folds.
        config: what may be chosen.
        order: its heads in order of preference.
        num_classes: known and new together, that each head is asked for.
        progress: is told what is being done.

    Raises:
        ConfigError: a head that does not exist.
    """
    for head in config.heads:
        if head not in trials.heads:
            raise ConfigError(f"heads must be among {', '.join(trials.heads)}, got {head!r}")
    if not trials.folds:
        why = "too few classes are known to judge by, so this is the first of the settings"
        return Choice(head=order[0], shrinkage=config.shrinkages[0], why=why, scores={})
    of_first = [Candidate(head=config.heads[0], shrinkage=shrinkage) for shrinkage in config.shrinkages]
    scores = _judge(trials, of_first, num_classes, progress)
    shrinkage = _steadiest(trials, scores, num_classes).shrinkage
    candidates = [Candidate(head=head, shrinkage=shrinkage) for head in order]
    of_heads = _judge(trials, candidates, num_classes, progress)
    chosen = _best(of_heads)
    scores |= of_heads
    means = {str(candidate): float(np.mean(of_folds)) for candidate, of_folds in scores.items()}
    return Choice(head=chosen.head, shrinkage=shrinkage, why=_why(chosen, candidates[0], scores), scores=means)


def _judge(
    trials: Trials, candidates: Sequence[Candidate], num_classes: int, progress: Progress
) -> dict[Candidate, list[float]]:
    """The scores of each candidate on all folds; on the first ones alone, if it is hopeless there."""
    scores: dict[Candidate, list[float]] = {}
    for candidate in candidates:
        progress(f"finding hidden classes again: {candidate}")
        scores[candidate] = trials.scores(candidate, num_classes, num_folds=_FIRST_FOLDS)
    least = max(map(np.mean, scores.values())) - _HOPELESS
    for candidate, of_folds in scores.items():
        if np.mean(of_folds) >= least:
            progress(f"finding more hidden classes: {candidate}")
            scores[candidate] = trials.scores(candidate, num_classes, num_folds=len(trials.folds))
    return scores


def _steadiest(trials: Trials, scores: dict[Candidate, list[float]], num_classes: int) -> Candidate:
    """Of those that were judged on most folds, the one of most recovery and agreement together."""

    def merit(candidate: Candidate) -> float:
        return float(np.mean(scores[candidate])) + _AGREEMENT * trials.agreement(candidate, num_classes)

    judged = _judged(scores)
    return judged[0] if len(judged) == 1 else max(judged, key=merit)


def _best(scores: dict[Candidate, list[float]]) -> Candidate:
    """Of those that were judged on most folds, the one that is clearly best."""
    judged = _judged(scores)
    return judged[best_of([scores[candidate] for candidate in judged])]


def _judged(scores: dict[Candidate, list[float]]) -> list[Candidate]:
    """Those that were judged on most folds."""
    most = max(map(len, scores.values()))
    return [candidate for candidate, of_folds in scores.items() if len(of_folds) == most]


def prefer(config: DiscoverConfig, problem: Problem) -> tuple[str, ...]:
    """The heads of the settings, `even_head` first if known classes are of nearly equal size, as far as labels tell.

    Prototypes are pulled to be used equally often, which helps where classes are equally large and harms where not.
    Folds, which judge labelled images alone, see the harm and only a part of the gain.
    """
    sizes = np.bincount(problem.labels[problem.labels != UNLABELLED])
    if config.even_head is None or config.even_head not in config.heads or len(sizes) < 2 or evenness(sizes) < _EVEN:
        return config.heads
    others = tuple(head for head in config.heads if head != config.even_head)
    return (config.even_head, *others)


def evenness(sizes: Labels) -> float:
    """exp(-sum_k p_k log p_k) / K with p_k = n_k / n, in (0, 1]: the effective number of K classes, as a share of it.

    Args:
        sizes: i64 [K], n_k, each >= 1.

    Source: Hill, 1973, https://doi.org/10.2307/1934352, of order 1.
    """
    shares = sizes / sizes.sum()
    return float(np.exp(-(shares * np.log(shares)).sum())) / len(sizes)


def best_of(scores: Sequence[Sequence[float]]) -> int:
    """The place of the candidate whose mean gain over the first one is largest beyond two standard errors.

    Args:
        scores: of each candidate on the same folds, the preferred candidate first.
    """
    gains = np.asarray(scores) - np.asarray(scores[0])
    folds = gains.shape[1]
    if folds < 2:
        return 0
    error = gains.std(1, ddof=1) / np.sqrt(folds)
    return int(np.argmax(np.where(np.arange(len(gains)) == 0, 0, gains.mean(1) - _STANDARD_ERRORS * error)))


def _why(chosen: Candidate, first: Candidate, scores: dict[Candidate, list[float]]) -> str:
    mean = float(np.mean(scores[chosen]))
    found = f"{chosen} finds hidden known classes again with {mean:.1f} %"
    if chosen == first:
        return f"{found}, and no other head is clearly better"
    return f"{found}, clearly better than {first} with {float(np.mean(scores[first])):.1f} %"
