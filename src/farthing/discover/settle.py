"""Images move to the class whose other images they are most like: what a cut of a tree cannot take back.

A tree never parts what it has joined. An image of a known class that was joined early on with a few like it stays in
a new class, however much it looks like the labelled images of its own. Comparing every image with the means of the
classes finds these, if its own part in the mean is left out: a small class is like each of its images for that reason
alone.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from farthing.discover.means import BLOCK, class_means, own_likeness, without_itself
from farthing.discover.problem import UNLABELLED, UNSORTED, Assignment, Features, Labels, Problem

Floats = npt.NDArray[np.float32]

_SCALE = 20.0
_PRIOR_POWER = 0.25
# Nearly all classes rest by then; what still drifts is a class being torn.
_MAX_ITERATIONS = 8


def settle(problem: Problem, assignment: Assignment, *, between_new: bool, margin: float = 0.0) -> Assignment:
    """The assignment after Lloyd's iterations on unit means, each image being left out of its own.

    c(x) = argmax_c s <x, m_c(x)> + p log n_c with m_c(x) the unit mean of the images of class c other than x, n_c
    their number, s = 20 and p = 1/4: without a prior, large classes are pulled apart. An image leaves its class only
    where another's logit is larger by `margin`. Labelled and unsorted images stay where they are, and so does a class
    that all its images would leave. Ends after eight iterations, or when less than one image in a thousand moves.

    Args:
        problem: in the whitened space.
        assignment: of its images.
        between_new: whether images may also move from one new class to another, and not only from or to known ones.
        margin: >= 0; what a class of its own needs that was not found by means, and is not round.

    Source: the semi-supervised k-means of Vaze et al., CVPR 2022, https://arxiv.org/abs/2201.02609, section 3.2.
        Differences: on the sphere, started from an assignment instead of k-means++, images left out, a prior.
    """
    classes, num_known = assignment.classes, problem.num_known
    is_free = (problem.labels == UNLABELLED) & (classes != UNSORTED)
    for _ in range(_MAX_ITERATIONS):
        likeliest = _likeliest(
            problem.features, Assignment(classes=classes, num_classes=assignment.num_classes), margin
        )
        may_move = is_free if between_new else is_free & ((classes < num_known) | (likeliest < num_known))
        moved = np.where(may_move, likeliest, classes)
        num_staying = np.bincount(classes[moved == classes] + 1, minlength=assignment.num_classes + 1)
        moved = np.where(num_staying[classes + 1] == 0, classes, moved)
        num_moved = np.count_nonzero(moved != classes)
        classes = moved
        if num_moved <= len(classes) // 1000:
            break
    return Assignment(classes=classes, num_classes=assignment.num_classes)


def _likeliest(features: Features, assignment: Assignment, margin: float) -> Labels:
    """i64 [n], c(x) of every image; its own class has `margin` more."""
    classes = assignment.classes
    means = class_means(features, assignment)
    sizes = np.bincount(classes[classes != UNSORTED], minlength=assignment.num_classes)
    prior = np.full(assignment.num_classes, -np.inf, np.float32)  # nothing moves to an empty class
    prior[sizes > 0] = _PRIOR_POWER * np.log(sizes[sizes > 0])
    own = without_itself(own_likeness(features, means, classes), classes)
    likeliest = np.empty(len(classes), np.int64)
    for start in range(0, len(classes), BLOCK):
        part = slice(start, start + BLOCK)
        logits: Floats = features[part] @ means.T
        rows = np.flatnonzero(classes[part] != UNSORTED)
        logits[rows, classes[part][rows]] = own[part][rows] + margin / _SCALE
        likeliest[part] = (_SCALE * logits + prior).argmax(1)
    return likeliest
