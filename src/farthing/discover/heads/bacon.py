"""BaCon's prior on fixed features: prototypes are pulled to be used as often as clusters are large."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

from farthing.discover.heads.kmeans import sort_by_kmeans
from farthing.discover.heads.prototypes import PrototypeConfig, learn_prototypes
from farthing.discover.heads.simgcd import sort_by_prototypes
from farthing.discover.problem import Assignment, Features, Labels, Problem

# Half the weight of SimGCD's default, as published.
_CONFIG = PrototypeConfig(balance=1.0)


def sort_by_bacon(
    problem: Problem, num_classes: int, seed: int, *, config: PrototypeConfig | None = None
) -> Assignment:
    """The prototype nearest to each image, learned with a prior that follows the sizes of clusters.

    Args:
        problem: features, some of them labelled.
        num_classes: known and new together.
        seed: of the clusters and the learning.
        config: how prototypes are learned, and how often the prior is estimated.

    Raises:
        ConfigError: fewer classes than are known, or more than there are images.

    Source: Bai et al., Towards Distribution-Agnostic Generalized Category Discovery, NeurIPS 2023,
        https://arxiv.org/abs/2310.01376, section 3, and the published code (sizes by k-means, anew every 10 of 200
        epochs; power 1.1, balance 1). Differences, on top of those of SimGCD here: features are fixed, so the branch
        that learns them is left out, and clusters, which are those of semi-supervised k-means, are found once; only
        which prototype is which new cluster is asked anew, by the images in common instead of by rank; the answer is
        that of the prototypes, not of another k-means.
    """
    clusters = sort_by_kmeans(problem, num_classes, seed).classes

    def prior_of(prototypes: Features) -> Features:
        found = sort_by_prototypes(problem, prototypes).classes
        return estimate_prior(clusters, found, num_known=problem.num_known, num_classes=num_classes)

    prototypes = learn_prototypes(problem, num_classes, seed, config=config or _CONFIG, prior_of=prior_of)
    return sort_by_prototypes(problem, prototypes)


def estimate_prior(clusters: Labels, classes: Labels, *, num_known: int, num_classes: int) -> Features:
    """f32 [num_classes], the share of images, with one added, of the cluster that each class is matched with.

    A known class is its own cluster. The matching of the others is one to one and has the most images in common.

    Args:
        clusters: i64 [n], in [0, num_classes), known classes first.
        classes: i64 [n], predicted, likewise.
        num_known: known classes.
        num_classes: known and new together.
    """
    together = np.zeros((num_classes, num_classes), np.int64)
    np.add.at(together, (classes, clusters), 1)
    cluster_of = np.arange(num_classes)
    cluster_of[num_known:] = num_known + linear_sum_assignment(together[num_known:, num_known:], maximize=True)[1]
    sizes = np.bincount(clusters, minlength=num_classes)[cluster_of] + 1.0
    prior: Features = (sizes / sizes.sum()).astype(np.float32)
    return prior
