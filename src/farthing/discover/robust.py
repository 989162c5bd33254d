"""Classes that outliers do not use up: average linkage whose small groups count as no class.

An image that looks like no other stays alone in a tree until nearly everything is one class. Cut into K groups, a tree
spends many of them on such images and merges true classes instead. So the tree is cut deeper, until K groups are at
least as large as the smallest known class is known to be; what is left over joins the class that it is most like, or
none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from farthing.discover.heads import HEADS
from farthing.discover.heads.head import Head
from farthing.discover.heads.linkage import Dendrogram, build_dendrogram
from farthing.discover.heads.simgcd import sort_by_simgcd
from farthing.discover.means import class_means, nearest_mean
from farthing.discover.problem import UNLABELLED, UNSORTED, Assignment, Problem
from farthing.discover.settle import settle


@dataclass(frozen=True, kw_only=True, slots=True)
class Cut:
    """A place where a tree may be cut.

    Attributes:
        num_groups: known classes and all other groups of images.
        num_classes: without the groups that are too small to be a class.
    """

    num_groups: int
    num_classes: int


def smallest_class(problem: Problem) -> int:
    """The number of images that a class has at least, >= 2, as far as known classes tell.

    That is m (1 - 2^(1 - k)), m the labelled images of the known class with the fewest of k: one class tells nothing of
    how small others are, five nearly all, and labels are only a part of their class.
    """
    labelled = np.bincount(problem.labels[problem.labels != UNLABELLED], minlength=1)
    return max(2, int(labelled.min() * (1 - 2.0 ** (1 - len(labelled)))))


def drop_small(assignment: Assignment, *, num_known: int, least: int) -> Assignment:
    """The assignment with new classes of fewer than `least` images dissolved: their images become `UNSORTED`."""
    is_sorted = assignment.classes != UNSORTED
    sizes = np.bincount(assignment.classes[is_sorted], minlength=assignment.num_classes)
    keep = sizes >= least
    keep[:num_known] = True
    number = np.append(np.where(keep, np.cumsum(keep) - 1, UNSORTED), UNSORTED)  # the last place is that of UNSORTED
    return Assignment(classes=number[assignment.classes], num_classes=int(keep.sum()))


def place_cuts(dendrogram: Dendrogram, problem: Problem, *, least: int, num_cuts: int) -> tuple[Cut, ...]:
    """Cuts from the known classes alone to three fifths as many groups as images, evenly by ratio.

    Args:
        dendrogram: of the problem.
        problem: n images.
        least: images that form a new class.
        num_cuts: at most.
    """
    lowest = max(1, problem.num_known)
    highest = max(lowest + 1, min(dendrogram.num_leaves, int(0.6 * len(problem.labels))))
    groups = sorted({round(float(count)) for count in np.geomspace(lowest, highest, num_cuts)})
    return tuple(
        Cut(
            num_groups=count,
            num_classes=drop_small(dendrogram.cut(count), num_known=problem.num_known, least=least).num_classes,
        )
        for count in groups
    )


def cut_robustly(dendrogram: Dendrogram, problem: Problem, num_classes: int, *, least: int) -> Assignment:
    """`num_classes` classes of all images, new ones of at least `least` images as far as the tree has so many.

    Args:
        dendrogram: of the problem.
        problem: in the whitened space.
        num_classes: known and new together.
        least: images that form a new class.
    """
    groups, most = num_classes, min(dendrogram.num_leaves, 4 * num_classes + 50)
    best = dendrogram.cut(num_classes)
    reached = drop_small(best, num_known=problem.num_known, least=least).num_classes
    while reached < num_classes and groups < most:
        groups = min(most, groups + max(1, num_classes // 40))
        cut = dendrogram.cut(groups)
        count = drop_small(cut, num_known=problem.num_known, least=least).num_classes
        if count > reached:
            best, reached = cut, count
    return absorb(problem, keep_largest(best, num_classes, num_known=problem.num_known))


def keep_largest(assignment: Assignment, num_classes: int, *, num_known: int) -> Assignment:
    """The known classes and the largest new ones, `num_classes` in all; other images become `UNSORTED`."""
    is_sorted = assignment.classes != UNSORTED
    sizes = np.bincount(assignment.classes[is_sorted], minlength=assignment.num_classes)[num_known:]
    largest = num_known + np.sort(np.argsort(-sizes, kind="stable")[: num_classes - num_known])
    kept = np.concatenate([np.arange(num_known), largest])
    number = np.full(assignment.num_classes + 1, UNSORTED)
    number[kept] = np.arange(len(kept))
    return Assignment(classes=number[assignment.classes], num_classes=len(kept))


def absorb(problem: Problem, assignment: Assignment, *, least_likeness: float = -1.0) -> Assignment:
    """The assignment with unsorted images in the class whose mean they are most like, if that is alike enough.

    Args:
        problem: in the whitened space.
        assignment: of its images.
        least_likeness: cosine with that mean, in [-1, 1].
    """
    unsorted = np.flatnonzero(assignment.classes == UNSORTED)
    if not len(unsorted) or not assignment.num_classes:
        return assignment
    nearest, likeness = nearest_mean(problem.features[unsorted], class_means(problem.features, assignment))
    alike = likeness >= least_likeness
    classes = assignment.classes.copy()
    classes[unsorted[alike]] = nearest[alike]
    return Assignment(classes=classes, num_classes=assignment.num_classes)


# A tree finds classes of any form, which means tell badly: an image leaves one only for a much likelier one.
_TREE_MARGIN = 2.0

# What is done with the classes of a robust cut.
TREE_HEADS: Mapping[str, Callable[[Problem, Assignment], Assignment]] = {
    "robust": partial(settle, between_new=False, margin=_TREE_MARGIN),
    "robust+kmeans": partial(settle, between_new=True, margin=_TREE_MARGIN),
}


def heads_with(least: int) -> Mapping[str, Head]:
    """All heads by name: those of the literature, those on a robust cut, and SimGCD's prototypes settled.

    Args:
        least: images that form a new class.
    """
    on_tree = {name: partial(_sort_robustly, name, least) for name in TREE_HEADS}
    return {**HEADS, **on_tree, "simgcd+kmeans": _sort_by_settled_prototypes}


def _sort_robustly(name: str, least: int, problem: Problem, num_classes: int, seed: int) -> Assignment:
    dendrogram = build_dendrogram(problem, seed=seed)
    return TREE_HEADS[name](problem, cut_robustly(dendrogram, problem, num_classes, least=least))


def _sort_by_settled_prototypes(problem: Problem, num_classes: int, seed: int) -> Assignment:
    return settle(problem, sort_by_simgcd(problem, num_classes, seed), between_new=True)
