"""From features with some labels to classes with probabilities: the whole of a discovery but its files."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from farthing.base.errors import ConfigError, DataError
from farthing.discover.calibration import Calibration, calibrate
from farthing.discover.choose import Choice, Progress, choose, prefer
from farthing.discover.config import DiscoverConfig
from farthing.discover.folds import draw_folds, thin
from farthing.discover.heads.linkage import Dendrogram, build_dendrogram
from farthing.discover.means import class_means, own_likeness, without_itself
from farthing.discover.numclasses import Interval, count_classes
from farthing.discover.probability import Classifier, Prediction, Temper, fit_classifier
from farthing.discover.problem import UNLABELLED, UNSORTED, Assignment, Problem
from farthing.discover.robust import TREE_HEADS, absorb, drop_small, heads_with, smallest_class
from farthing.discover.trials import Candidate, Trials, whiten

# Of the labelled images, this share may be less like its class than an image that joins one where the number of classes
# is open.
_OUTLIERS = 0.01


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class Discovery:
    """Classes, what is to be believed of them, and what sorts new images.

    Attributes:
        assignment: of every image.
        prediction: the same classes with probabilities.
        classifier: for new images.
        dendrogram: of the images in the whitened space, to be cut again.
        interval: plausible numbers of classes; the number itself where it was given.
        choice: head and shrinkage, and why.
        calibration: of the probabilities, on held-out labels; None where too few classes are known for folds.
        warnings: one sentence each.
    """

    assignment: Assignment
    prediction: Prediction
    classifier: Classifier
    dendrogram: Dendrogram
    interval: Interval
    choice: Choice
    calibration: Calibration | None
    warnings: tuple[str, ...]

    @property
    def k_low(self) -> int:
        """The fewest classes that are plausible."""
        return self.interval.low

    @property
    def k_high(self) -> int:
        """The most classes that are plausible."""
        return self.interval.high

    @property
    def ece(self) -> float | None:
        """Calibration error of the assigned probability on held-out labels, in [0, 1]."""
        return None if self.calibration is None else self.calibration.ece

    @property
    def novelty_auroc(self) -> float | None:
        """How well novelty told hidden classes from the others, in [0, 1]."""
        return None if self.calibration is None else self.calibration.novelty_auroc


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
        problem: features, some of them labelled.
        config: what may be chosen. No label at all is plain clustering.
        num_classes: known and new together, and then every image gets a class; None finds an interval, takes the best
            of it, and leaves images that form no class unsorted.
        seed: of everything that is drawn; the same problem and seed give the same bits.
        progress: is told what is being done.

    Raises:
        ConfigError: fewer classes than are known, or more than there are images; a head that does not exist.
        DataError: no image.
    """
    _check(problem, num_classes)
    least = smallest_class(problem) if config.least is None else config.least
    sample = thin(problem, config.folds.max_images, seed=seed)
    trials = Trials(sample, draw_folds(sample, config.folds, seed=seed), heads_with(least), seed=seed)
    wanted = num_classes
    if wanted is None:
        progress("counting the classes to choose by")
        wanted = _guess(problem, trials, config.shrinkages[0], least=least)
    choice = choose(trials, config, prefer(config, problem), wanted, progress)
    space = whiten(problem, choice.shrinkage)
    progress("building the tree of classes")
    dendrogram = build_dendrogram(space.problem, seed=seed)
    if num_classes is None:
        progress("counting the classes")
        interval = count_classes(space.problem, dendrogram, trials, shrinkage=choice.shrinkage, least=least)
        assignment = _sort_open(space.problem, dendrogram, interval, choice, least=least, seed=seed)
    else:
        interval = Interval.of(num_classes)
        progress(f"sorting with {choice.head}")
        assignment = trials.heads[choice.head](space.problem, num_classes, seed)
    calibration = None
    if trials.folds:
        progress("calibrating the probabilities")
        chosen = Candidate(head=choice.head, shrinkage=choice.shrinkage)
        calibration = calibrate(trials, chosen, assignment.num_classes)
    temper = Temper() if calibration is None else calibration.temper
    num_known = problem.num_known
    classifier = fit_classifier(space.whitening, problem.features, assignment, num_known=num_known, temper=temper)
    return Discovery(
        assignment=assignment,
        prediction=classifier.predict(problem.features, assignment.classes, are_members=True),
        classifier=classifier,
        dendrogram=dendrogram,
        interval=interval,
        choice=choice,
        calibration=calibration,
        warnings=tuple(_warnings(problem, is_open=num_classes is None)),
    )


def _check(problem: Problem, num_classes: int | None) -> None:
    num_images, lowest = len(problem.labels), max(1, problem.num_known)
    if not num_images:
        raise DataError("features must be of one image or more, got none")
    if num_classes is not None and not lowest <= num_classes <= num_images:
        limits = f"from {lowest}, the known classes, to {num_images}, the images"
        raise ConfigError(f"num_classes must be {limits}, got {num_classes}")


def _guess(problem: Problem, trials: Trials, shrinkage: float, *, least: int) -> int:
    """The number of classes before anything is chosen."""
    space = whiten(problem, shrinkage).problem
    dendrogram = build_dendrogram(space, seed=trials.seed)
    return count_classes(space, dendrogram, trials, shrinkage=shrinkage, least=least).best.num_classes


def _sort_open(
    whitened: Problem, dendrogram: Dendrogram, interval: Interval, choice: Choice, *, least: int, seed: int
) -> Assignment:
    """The classes where their number was open.

    An image of no class joins the one that it is most like, if it is as like it as labelled images are like theirs.
    Else it stays unsorted.
    """
    if choice.head in TREE_HEADS:
        groups = dendrogram.cut(interval.best.num_groups)
        found = drop_small(groups, num_known=whitened.num_known, least=least)
        found = absorb(whitened, found, least_likeness=_least_likeness(whitened, found))
        return TREE_HEADS[choice.head](whitened, found)
    found = heads_with(least)[choice.head](whitened, interval.best.num_classes, seed)
    return drop_small(found, num_known=whitened.num_known, least=least)


def _least_likeness(whitened: Problem, found: Assignment) -> float:
    """The cosine with the mean of the others of its class that all but a few labelled images have.

    Labelled images are members whether they look it or not; found groups are as alike as they are because of how they
    were found. Only where no class has two labelled images are these asked.
    """
    own = own_likeness(whitened.features, class_means(whitened.features, found), found.classes)
    alone = without_itself(own, found.classes)
    labelled = np.bincount(whitened.labels[whitened.labels != UNLABELLED], minlength=1)
    asked = whitened.labels != UNLABELLED if labelled.max() >= 2 else found.classes != UNSORTED
    return float(np.quantile(alone[asked], _OUTLIERS)) if asked.any() else -1.0


def _warnings(problem: Problem, *, is_open: bool) -> list[str]:
    warnings = []
    if problem.num_known == 1:
        warnings.append("one class is known: too few to hide any, so nothing tells how good the new classes are")
    if problem.num_known < 2 and is_open:
        warnings.append("the number of classes is a guess; give it (--classes) or cut the tree again in the gallery")
    if len(problem.labels) and (problem.labels != UNLABELLED).all():
        warnings.append("every image has a label: there is nothing to sort")
    return warnings
