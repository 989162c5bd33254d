"""Seeded EM: a mixture whose prior is that of all images, so that small and large classes keep their weight.

The prior of a batch cannot protect a class of five images, which most batches miss; that of all images can.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from farthing.base.errors import ConfigError
from farthing.discover.heads.head import fill_empty
from farthing.discover.heads.kmeans import sort_by_kmeans
from farthing.discover.heads.linkage import sort_by_linkage
from farthing.discover.heads.mixture import directions, divide, estimate_concentration
from farthing.discover.means import class_sums
from farthing.discover.problem import UNLABELLED, Assignment, Problem


@dataclass(frozen=True, kw_only=True, slots=True)
class EMConfig:
    """How long EM goes on.

    Attributes:
        max_iterations: >= 1.
        tolerance: it ends when class sizes change by less than this share of all images, >= 0.

    Raises:
        ConfigError: a value out of range.
    """

    max_iterations: int = 50
    tolerance: float = 1e-4

    def __post_init__(self) -> None:
        if self.max_iterations < 1:
            raise ConfigError(f"max_iterations must be >= 1, got {self.max_iterations!r}")
        if not self.tolerance >= 0:
            raise ConfigError(f"tolerance must be >= 0, got {self.tolerance!r}")


def sort_by_em(problem: Problem, num_classes: int, seed: int, *, config: EMConfig | None = None) -> Assignment:
    """The likeliest classes of a mixture that starts at k-means, whose means k-means++ draws.

    Args:
        problem: in the whitened space.
        num_classes: known and new together.
        seed: of the start.
        config: how long to go on.

    Raises:
        ConfigError: fewer classes than are known, or more than there are images.
    """
    return fit_mixture(problem, sort_by_kmeans(problem, num_classes, seed), config or EMConfig())


def sort_by_linkage_em(problem: Problem, num_classes: int, seed: int, *, config: EMConfig | None = None) -> Assignment:
    """The likeliest classes of a mixture that starts at average linkage.

    Args:
        problem: in the whitened space.
        num_classes: known and new together.
        seed: of the micro-clusters of linkage, where there are any.
        config: how long to go on.

    Raises:
        ConfigError: fewer classes than are known, or more than there are images.
    """
    return fit_mixture(problem, sort_by_linkage(problem, num_classes, seed), config or EMConfig())


def fit_mixture(problem: Problem, start: Assignment, config: EMConfig) -> Assignment:
    """The likeliest classes of a mixture of von Mises-Fisher distributions.

    E: p(c | x) = softmax_c(kappa <x, m_c> + log pi_c), 1 or 0 where x is labelled.
    M: m_c = S_c / |S_c| with S_c = sum_x p(c | x) x, pi_c = sum_x p(c | x) / n over *all* images, kappa shared.

    Args:
        problem: in the whitened space.
        start: of its images, none unsorted.
        config: how long to go on.

    Source: Banerjee et al., JMLR 2005, soft-moVMF (algorithm 1); labelled images as in Basu et al., Semi-supervised
        Clustering by Seeding, ICML 2002 (constrained). Differences: one kappa for all classes, for a class of five
        images cannot tell its own; a start at another head's classes; a class that ends without images takes up one.
    """
    count, num_classes = len(problem.labels), start.num_classes
    sums = class_sums(problem.features, start.classes, num_classes)
    mass = np.bincount(start.classes, minlength=num_classes).astype(np.float64)
    means = sums
    for _ in range(config.max_iterations):
        means, concentration = directions(sums, means), estimate_concentration(sums, count)
        found = divide(problem, means, concentration, np.log(np.maximum(mass, 1e-9) / count))
        change = float(np.abs(found.mass - mass).sum()) / count
        mass, sums = found.mass, found.sums
        if change <= config.tolerance:
            break
    return fill_empty(found.classes, found.likelihoods, num_classes, is_free=problem.labels == UNLABELLED)
