"""Optimal transport: class sizes are imposed on the assignment, and are themselves estimated on the way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from farthing.base.errors import ConfigError
from farthing.discover.heads.head import fill_empty
from farthing.discover.heads.kmeans import nearest_means
from farthing.discover.heads.linkage import sort_by_linkage
from farthing.discover.heads.mixture import Division, directions, divide, estimate_concentration
from farthing.discover.means import class_sums
from farthing.discover.problem import UNLABELLED, Assignment, Features, Problem

Doubles = npt.NDArray[np.float64]

# The least that a class is due, in images: the logarithm of none has no value.
_LEAST = 1e-3


@dataclass(frozen=True, kw_only=True, slots=True)
class TransportConfig:
    """How long sizes and means are fitted to each other.

    Attributes:
        max_iterations: updates of means and sizes, >= 1.
        num_scalings: Sinkhorn's updates of the classes before each of them, >= 1.
        memory: of the sizes, in [0, 1): the share that stays when new ones are counted.

    Raises:
        ConfigError: a value out of range.
    """

    max_iterations: int = 30
    num_scalings: int = 5
    memory: float = 0.9

    def __post_init__(self) -> None:
        for name in ("max_iterations", "num_scalings"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be >= 1, got {getattr(self, name)!r}")
        if not 0 <= self.memory < 1:
            raise ConfigError(f"memory must be in [0, 1), got {self.memory!r}")


def sort_by_transport(
    problem: Problem, num_classes: int, seed: int, *, config: TransportConfig | None = None
) -> Assignment:
    """The classes of a transport plan from images to classes of estimated sizes, started at average linkage.

    E: q = argmax_q sum q kappa <x, m_c> + H(q) with sum_c q(c | x) = 1, and sum_x q(c | x) = n r_c.
    M: m_c = S_c / |S_c| with S_c = sum_x q(c | x) x;   r <- mu r + (1 - mu) z, z_c the share of images nearest to m_c.

    Args:
        problem: in the whitened space.
        num_classes: known and new together.
        seed: of the start.
        config: how long to go on.

    Raises:
        ConfigError: fewer classes than are known, or more than there are images.

    Source: Li, Dai, Simsek, Meinel, Yang, ImbaGCD, 2023, https://arxiv.org/abs/2401.05353 (EM whose E-step is optimal
        transport to an estimated prior); the moving average of r as in Wang et al., SoLar, NeurIPS 2022,
        https://arxiv.org/abs/2209.10365, equation 6. Differences: features stay as they are, labelled images are
        certain, r starts at the sizes of linkage.
    """
    config = config or TransportConfig()
    start = sort_by_linkage(problem, num_classes, seed)
    count = len(problem.labels)
    sizes = np.bincount(start.classes, minlength=num_classes).astype(np.float64)
    sums = class_sums(problem.features, start.classes, num_classes)
    means, offsets = sums, np.zeros(num_classes)
    for _ in range(config.max_iterations):
        means, concentration = directions(sums, means), estimate_concentration(sums, count)
        plan, offsets = transport(
            problem, means, concentration, sizes, offsets=offsets, num_scalings=config.num_scalings
        )
        sums = plan.sums
        nearest = np.where(problem.labels == UNLABELLED, nearest_means(problem.features, means)[0], problem.labels)
        counted = np.bincount(nearest, minlength=num_classes)
        sizes = config.memory * sizes + (1 - config.memory) * counted
    is_free = problem.labels == UNLABELLED
    return fill_empty(plan.classes, plan.likelihoods, num_classes, is_free=is_free)


def transport(
    problem: Problem, means: Features, concentration: float, sizes: Doubles, *, offsets: Doubles, num_scalings: int
) -> tuple[Division, Doubles]:
    """The plan whose classes have the given sizes, by Sinkhorn's alternation, and its offsets, to go on from.

    Dividing images is the scaling of rows. The scaling of columns adds log(due / mass) to the offset of each class,
    both without the labelled images, which no scaling moves.

    Args:
        problem: features, some of them labelled.
        means: f32 [num_classes, dim], each of length 1.
        concentration: > 0, one over the weight of the entropy.
        sizes: f64 [num_classes], images that each class is due, labelled ones included.
        offsets: f64 [num_classes], to start from.
        num_scalings: >= 1.

    Source: Cuturi, Sinkhorn Distances, NIPS 2013, https://arxiv.org/abs/1306.0895, algorithm 1, in logarithms.
    """
    labelled = np.bincount(problem.labels[problem.labels != UNLABELLED], minlength=len(means))
    due = np.log(np.maximum(sizes - labelled, _LEAST))
    plan = divide(problem, means, concentration, offsets)
    for _ in range(num_scalings):
        offsets = offsets + due - np.log(np.maximum(plan.mass - labelled, 1e-30))
        offsets = offsets - offsets.max()
        plan = divide(problem, means, concentration, offsets)
    return plan, offsets
