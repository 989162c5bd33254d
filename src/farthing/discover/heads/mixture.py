"""A mixture of directions: von Mises-Fisher distributions around unit means, all equally concentrated.

In the whitened space classes vary alike along all axes, so that one concentration is enough for all of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from farthing.discover.means import BLOCK, class_sums
from farthing.discover.problem import UNLABELLED, Features, Labels, Problem

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

# Mean length beyond which the images of a class count as copies of each other: the concentration stays finite.
_LONGEST = 0.999


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class Division:
    """Images divided among classes, and what the division adds up to.

    Attributes:
        classes: i64 [n], the likeliest class; the label where there is one.
        likelihoods: f32 [n], log sum_c exp(kappa <x, m_c> + b_c); where labelled, the term of the label alone.
        mass: f64 [num_classes], images of each class, parts of images included.
        sums: f32 [num_classes, dim], of their features, weighted likewise.
    """

    classes: Labels
    likelihoods: Floats
    mass: Doubles
    sums: Features


def divide(problem: Problem, means: Features, concentration: float, offsets: Doubles) -> Division:
    """Each image divided by q(c | x) = softmax_c(kappa <x, m_c> + b_c), or given to its label as a whole.

    Args:
        problem: n images of length 1, some of them labelled.
        means: f32 [num_classes, dim], m, each of length 1.
        concentration: kappa, > 0.
        offsets: f64 [num_classes], b, the logarithm of the prior or whatever else favours a class.
    """
    count, num_classes = len(problem.labels), len(means)
    classes, likelihoods = problem.labels.copy(), np.empty(count, np.float32)
    mass = np.bincount(problem.labels[problem.labels != UNLABELLED], minlength=num_classes).astype(np.float64)
    sums = class_sums(problem.features, problem.labels, num_classes)
    scaled, bias = np.float32(concentration) * means, offsets.astype(np.float32)
    for start in range(0, count, BLOCK):
        rows = np.arange(start, min(start + BLOCK, count))
        block, labels = problem.features[rows], problem.labels[rows]
        scores = block @ scaled.T + bias
        known, free = np.flatnonzero(labels != UNLABELLED), np.flatnonzero(labels == UNLABELLED)
        likelihoods[rows[known]] = scores[known, labels[known]]
        shares, likelihoods[rows[free]] = _softmax(scores[free])
        classes[rows[free]] = shares.argmax(1)
        mass += shares.sum(0, dtype=np.float64)
        sums += shares.T @ block[free]
    return Division(classes=classes, likelihoods=likelihoods, mass=mass, sums=sums)


def directions(sums: Features, before: Features) -> Features:
    """f32 [num_classes, dim], the sums at length 1; a class without a direction keeps the one that it had.

    Args:
        sums: f32 [num_classes, dim].
        before: likewise, the directions so far.
    """
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    unit: Features = np.where(lengths > 1e-6, sums / np.maximum(lengths, 1e-6), before)
    return unit


def estimate_concentration(sums: Features, count: int) -> float:
    """The concentration r (d - r^2) / (1 - r^2), with r = sum_c |S_c| / n the mean cosine of images with their class.

    Args:
        sums: f32 [num_classes, dim], S, of features of length 1.
        count: n, of these.

    Source: Banerjee, Dhillon, Ghosh, Sra, Clustering on the Unit Hypersphere using von Mises-Fisher Distributions,
        JMLR 6, 2005, equation 4.4. Difference: one concentration for all classes, so r is the mean over all images.
    """
    total, dim = float(np.linalg.norm(sums, axis=1).sum(dtype=np.float64)), sums.shape[1]
    mean_cosine = min(total / count, _LONGEST)
    concentration: float = mean_cosine * (dim - mean_cosine**2) / (1 - mean_cosine**2)
    return concentration


def _softmax(scores: Floats) -> tuple[Floats, Floats]:
    """Rows that add up to 1, and the logarithm of what they added up to; `scores` is used up."""
    largest = scores.max(1)
    scores -= largest[:, None]
    np.exp(scores, out=scores)
    totals = scores.sum(1)
    scores /= totals[:, None]
    return scores, largest + np.log(totals)
