"""What heads find on folds; nothing is computed twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from farthing.discover.folds import Fold
from farthing.discover.heads.head import Head
from farthing.discover.metric import Whitening
from farthing.discover.problem import Labels, Problem


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
    """What candidates find on folds; each is run once."""

    def __init__(self, folds: Sequence[Fold], heads: Mapping[str, Head], *, seed: int) -> None:
        """Runs nothing yet.

        Args:
            folds: hidden classes.
            heads: by name.
            seed: of the heads.
        """
        self.folds = folds
        self.heads = heads
        self.seed = seed
        self._whitened: dict[tuple[int, float], Whitened] = {}
        self._found: dict[tuple[int, Candidate, int], Labels] = {}

    def whitened(self, number: int, shrinkage: float) -> Whitened:
        """A fold in the space that its own labels give."""
        key = number, shrinkage
        if key not in self._whitened:
            self._whitened[key] = whiten(self.folds[number].problem, shrinkage)
        return self._whitened[key]

    def found(self, number: int, candidate: Candidate, num_classes: int) -> Labels:
        """i64 [m], the classes that a candidate gives the images of a fold.

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


def whiten(problem: Problem, shrinkage: float) -> Whitened:
    """A problem in the space that its labels give."""
    whitening = Whitening.fit(problem, shrinkage)
    features = whitening.transform(problem.features)
    return Whitened(
        whitening=whitening,
        problem=Problem(features=features, labels=problem.labels, num_known=problem.num_known),
    )
