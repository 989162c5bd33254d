"""From features with some labels to classes with probabilities: the whole of a discovery but its files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from farthing.base.errors import ConfigError
from farthing.discover.config import DiscoverConfig
from farthing.discover.heads import HEADS
from farthing.discover.metric import Whitening
from farthing.discover.probability import Classifier, Prediction, fit_classifier
from farthing.discover.problem import Assignment, Problem

Progress = Callable[[str], None]


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


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class Discovery:
    """Classes, what is to be believed of them, and what sorts new images.

    Attributes:
        assignment: of every image.
        prediction: the same classes with probabilities.
        classifier: for new images.
        k_low: the fewest classes that are plausible.
        k_high: the most.
        choice: head and shrinkage, and why.
        ece: calibration error of the assigned probability on held-out labels, in [0, 1]; None without folds.
        novelty_auroc: how well novelty told hidden classes from the others, in [0, 1]; None without folds.
        calibration: per bin of the probability its mean, the share of right ones, and images.
        warnings: one sentence each.
    """

    assignment: Assignment
    prediction: Prediction
    classifier: Classifier
    k_low: int
    k_high: int
    choice: Choice
    ece: float | None
    novelty_auroc: float | None
    calibration: tuple[tuple[float, float, int], ...]
    warnings: tuple[str, ...]


def discover(
    problem: Problem,
    config: DiscoverConfig,
    *,
    num_classes: int | None = None,
    seed: int = 0,
    progress: Progress = lambda _: None,
) -> Discovery:
    """Sorts images into known classes and new ones.

    Args:
        problem: features, some of them labelled; no label at all is plain clustering.
        config: what may be chosen.
        num_classes: known and new together; None finds an interval and takes the best of it.
        seed: of everything that is drawn; the same problem and seed give the same bits.
        progress: is told what is being done.

    Raises:
        ConfigError: fewer classes than are known, or more than there are images.
    """
    if num_classes is not None and not max(1, problem.num_known) <= num_classes <= len(problem.features):
        limits = f"from {max(1, problem.num_known)}, the known classes, to {len(problem.features)}, the images"
        raise ConfigError(f"num_classes must be {limits}, got {num_classes}")
    count = num_classes or max(2, 2 * problem.num_known)
    head, shrinkage = config.heads[0], config.shrinkages[0]
    progress(f"sorting with {head}")
    whitening = Whitening.fit(problem, shrinkage)
    whitened = Problem(
        features=whitening.transform(problem.features), labels=problem.labels, num_known=problem.num_known
    )
    assignment = HEADS[head](whitened, count, seed)
    classifier = fit_classifier(whitening, problem.features, assignment, num_known=problem.num_known, scale=10.0)
    return Discovery(
        assignment=assignment,
        prediction=classifier.predict(problem.features, assignment.classes),
        classifier=classifier,
        k_low=count,
        k_high=count,
        choice=Choice(head=head, shrinkage=shrinkage, why="the first of the settings", scores={}),
        ece=None,
        novelty_auroc=None,
        calibration=(),
        warnings=(),
    )
