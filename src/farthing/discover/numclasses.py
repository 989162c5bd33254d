"""How many classes there are: an interval, and the best of it.

Three criteria answer, and the one in the middle is taken, so that one that is far off does not matter. Which cut finds
hidden known classes again best: it sees nothing wrong in new classes made of unlabelled images alone, and says too
many on long tails. At which cut classes are most compact and apart: it says too few. How many there would be if all
were as large as the known ones are on the average: it is right if these were not known for their size. Where nothing
is known there is only the second, which is a guess and said to be one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from farthing.discover.folds import Fold
from farthing.discover.heads.linkage import Dendrogram, build_dendrogram
from farthing.discover.means import class_means, own_likeness, second_likeness, without_itself
from farthing.discover.problem import UNSORTED, Assignment, Problem
from farthing.discover.robust import TREE_HEADS, Cut, absorb, cut_robustly, drop_small, place_cuts
from farthing.discover.trials import Trials

Doubles = npt.NDArray[np.float64]

_NUM_CUTS = 40
# Scores this far below the best, in points, cannot be told from it by a few folds.
_TOLERANCE = 2.0
# Silhouettes, in [-1, 1], likewise.
_SILHOUETTE_TOLERANCE = 0.02
_SILHOUETTE_IMAGES = 10_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Interval:
    """Plausible numbers of classes.

    Attributes:
        low: the fewest.
        best: where the tree is cut, with its number of classes.
        high: the most.
    """

    low: int
    best: Cut
    high: int

    @classmethod
    def of(cls, num_classes: int) -> Interval:
        """The interval of a number that is given."""
        return cls(low=num_classes, best=Cut(num_groups=num_classes, num_classes=num_classes), high=num_classes)


def count_classes(
    problem: Problem, dendrogram: Dendrogram, trials: Trials, *, shrinkage: float, least: int
) -> Interval:
    """The interval of a problem.

    Args:
        problem: in the whitened space.
        dendrogram: of it.
        trials: on folds of all images; without folds, the silhouette decides.
        shrinkage: of the whitening in the folds.
        least: images that form a new class.
    """
    cuts = place_cuts(dendrogram, problem, least=least, num_cuts=_NUM_CUTS)
    apart = _most_apart(problem, dendrogram, cuts, least=least)
    if not trials.folds:
        return apart
    of_folds = [
        _recovery(fold, trials.whitened(number, shrinkage).problem, cuts, least=least, seed=trials.seed)
        for number, fold in enumerate(trials.folds)
    ]
    found = _interval(cuts, np.mean(of_folds, 0), _TOLERANCE)
    alike = _as_large_as_known(
        problem, dendrogram, cuts, round(np.sqrt(apart.best.num_classes * found.best.num_classes)), least=least
    )
    best = sorted([apart.best, found.best, alike], key=lambda cut: cut.num_groups)[1]
    numbers = [alike.num_classes, apart.low, apart.high, found.low, found.high]
    return Interval(low=min(numbers), best=best, high=max(numbers))


def _most_apart(problem: Problem, dendrogram: Dendrogram, cuts: Sequence[Cut], *, least: int) -> Interval:
    """By the silhouette, of two classes or more."""
    cuts = tuple(cut for cut in cuts if cut.num_classes >= 2) or cuts
    scores = np.array([_silhouette(problem, dendrogram, cut, least=least) for cut in cuts])
    return _interval(cuts, scores, _SILHOUETTE_TOLERANCE)


def _as_large_as_known(
    problem: Problem, dendrogram: Dendrogram, cuts: Sequence[Cut], num_classes: int, *, least: int
) -> Cut:
    """The cut of K n / m classes, m of the n images being in the K known ones when there are `num_classes` in all."""
    found = TREE_HEADS["robust"](problem, cut_robustly(dendrogram, problem, num_classes, least=least))
    num_images = np.count_nonzero(found.classes < problem.num_known)
    wanted = problem.num_known * len(problem.labels) / num_images
    return min(cuts, key=lambda cut: abs(cut.num_classes - wanted))


def _interval(cuts: Sequence[Cut], scores: Doubles, tolerance: float) -> Interval:
    """The plausible cuts, and of these the one nearest to their middle by ratio."""
    plausible = [cut for cut, score in zip(cuts, scores, strict=True) if score >= scores.max() - tolerance]
    middle = np.mean(np.log([cut.num_groups for cut in plausible]))
    best = min(plausible, key=lambda cut: abs(np.log(cut.num_groups) - middle))
    numbers = [cut.num_classes for cut in plausible]
    return Interval(low=min(numbers), best=best, high=max(numbers))


def _recovery(fold: Fold, whitened: Problem, cuts: Sequence[Cut], *, least: int, seed: int) -> list[float]:
    """The fold's score at each cut of its own tree, in percent."""
    dendrogram = build_dendrogram(whitened, seed=seed)
    num_known, scores = whitened.num_known, []
    for cut in cuts:
        groups = dendrogram.cut(min(max(cut.num_groups, num_known), len(fold.truth)))
        found = absorb(whitened, drop_small(groups, num_known=num_known, least=least))
        scores.append(fold.score(found.classes))
    return scores


def _silhouette(problem: Problem, dendrogram: Dendrogram, cut: Cut, *, least: int) -> float:
    """Mean over sorted images of (a - b) / (1 - min(a, b)), in [-1, 1]; 0 for unsorted ones.

    a is the cosine with the mean of the image's class without the image itself, b the largest with another class's.

    Source: Rousseeuw, 1987, https://doi.org/10.1016/0377-0427(87)90125-7, with means in place of all pairs (Hruschka et
        al., 2004), so that it is linear in the images.
    """
    whole = drop_small(dendrogram.cut(cut.num_groups), num_known=problem.num_known, least=least)
    rows = np.linspace(0, len(problem.labels) - 1, min(len(problem.labels), _SILHOUETTE_IMAGES)).astype(np.int64)
    features, classes = problem.features[rows], whole.classes[rows]
    sampled = Assignment(classes=classes, num_classes=whole.num_classes)
    means = class_means(features, sampled)
    is_sorted = classes != UNSORTED
    own = without_itself(own_likeness(features, means, classes), classes)[is_sorted]
    other = second_likeness(features[is_sorted], means, classes[is_sorted])
    return float(((own - other) / np.maximum(1 - np.minimum(own, other), 1e-6)).sum() / len(rows))
