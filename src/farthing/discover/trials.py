"""What heads find on folds, and on the images that these are made of; nothing is computed twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from farthing.discover.folds import Fold, matched
from farthing.discover.heads.head import Head
from farthing.discover.metric import Whitening
from farthing.discover.problem import UNLABELLED, Labels, Problem


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """What may be chosen.

    Attributes:
        head: by name.
        shrinkage: of the within-class covariance.
    """

    head: str
    shrinkage: float

    def __str__(self) -> str:
        return f"{self.head}, shrinkage {self.shrinkage:g}"


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class Whitened:
    """A problem in the space where classes are compact.

    Attributes:
        whitening: fitted on the problem's labels.
        problem: with its features whitened.
    """

    whitening: Whitening
    problem: Problem


class Trials:
    """What candidates find on folds, and on the whole with all its labels; each is run once.

    Folds are numbered; None is the whole.
    """

    def __init__(self, whole: Problem, folds: Sequence[Fold], heads: Mapping[str, Head], *, seed: int) -> None:
        """Runs nothing yet.

        Args:
            whole: the images of every fold.
            folds: hidden classes.
            heads: by name.
            seed: of the heads.
        """
        self.whole = whole
        self.folds = folds
        self.heads = heads
        self.seed = seed
        self._whitened: dict[tuple[int | None, float], Whitened] = {}
        self._found: dict[tuple[int | None, Candidate, int], Labels] = {}

    def whitened(self, number: int | None, shrinkage: float) -> Whitened:
        """A fold, or the whole, in the space that its own labels give."""
        key = number, shrinkage
        if key not in self._whitened:
            self._whitened[key] = whiten(self.whole if number is None else self.folds[number].problem, shrinkage)
        return self._whitened[key]

    def found(self, number: int | None, candidate: Candidate, num_classes: int) -> Labels:
        """i64 [m], the classes that a candidate gives the images of a fold, or of the whole.

        Args:
            number: of the fold.
            candidate: head and shrinkage.
            num_classes: that the head is asked for.
        """
        key = number, candidate, num_classes
        if key not in self._found:
            problem = self.whitened(number, candidate.shrinkage).problem
            count = min(max(num_classes, problem.num_known), len(problem.labels))
            self._found[key] = self.heads[candidate.head](problem, count, self.seed).classes
        return self._found[key]

    def scores(self, candidate: Candidate, num_classes: int, *, num_folds: int) -> list[float]:
        """Of each of the first folds, in percent; arguments as of `found`."""
        return [
            fold.score(self.found(number, candidate, num_classes)) for number, fold in enumerate(self.folds[:num_folds])
        ]

    def agreement(self, candidate: Candidate, num_classes: int) -> float:
        """Share of the images without a label that a fold sorts as the whole does, mean over folds, in percent.

        Classes are matched one to one. What depends on which classes happen to be known is no property of the images;
        and these are images that no fold's score sees.

        Source: Lange et al., Stability-based validation of clustering solutions, Neural Computation 16, 2004,
            https://doi.org/10.1162/089976604773717621. Difference: labels are drawn anew, not images.
        """
        is_free = self.whole.labels == UNLABELLED
        if not is_free.any():
            return 100.0
        of_whole = self.found(None, candidate, num_classes)[is_free]
        of_folds = [self.found(number, candidate, num_classes)[is_free] for number in range(len(self.folds))]
        return 100 * float(np.mean([matched(of_whole, of_fold).mean() for of_fold in of_folds]))


def whiten(problem: Problem, shrinkage: float) -> Whitened:
    """A problem in the space that its labels give."""
    whitening = Whitening.fit(problem, shrinkage)
    features = whitening.transform(problem.features)
    return Whitened(
        whitening=whitening,
        problem=Problem(features=features, labels=problem.labels, num_known=problem.num_known),
    )
