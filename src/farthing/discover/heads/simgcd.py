"""SimGCD's head on fixed features: prototypes that are pulled to be used equally often."""

from __future__ import annotations

import numpy as np

from farthing.discover.heads.head import check_num_classes, fill_empty
from farthing.discover.heads.kmeans import nearest_means
from farthing.discover.heads.prototypes import PrototypeConfig, learn_prototypes
from farthing.discover.problem import UNLABELLED, Assignment, Features, Problem


def sort_by_simgcd(
    problem: Problem, num_classes: int, seed: int, *, config: PrototypeConfig | None = None
) -> Assignment:
    """The prototype nearest to each image, learned with a uniform prior.

    Args:
        problem: features, some of them labelled.
        num_classes: known and new together.
        seed: of the learning.
        config: how prototypes are learned.

    Raises:
        ConfigError: fewer classes than are known, or more than there are images.

    Source: Wen, Zhao, Qi, ICCV 2023, https://arxiv.org/abs/2211.11727. Differences: features are fixed, so the
        contrastive terms have nothing to learn and views are features with noise; steps are counted instead of epochs,
        with four times the batch; images are drawn evenly instead of half of them from the labelled ones, which finds
        more on frozen features; a class that ends without images takes up one.
    """
    check_num_classes(problem, num_classes)
    uniform = np.full(num_classes, 1 / num_classes, np.float32)
    prototypes = learn_prototypes(
        problem, num_classes, seed, config=config or PrototypeConfig(), prior_of=lambda _: uniform
    )
    return sort_by_prototypes(problem, prototypes)


def sort_by_prototypes(problem: Problem, prototypes: Features) -> Assignment:
    """The nearest prototype of each image; labelled images keep their class.

    Args:
        problem: features, some of them labelled.
        prototypes: f32 [num_classes, dim], of length 1.
    """
    nearest, closeness = nearest_means(problem.features, prototypes)
    is_free = problem.labels == UNLABELLED
    return fill_empty(np.where(is_free, nearest, problem.labels), closeness, len(prototypes), is_free=is_free)
