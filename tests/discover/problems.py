"""Problems whose answer is known: classes around directions on the sphere, with a long tail and outliers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from farthing.discover.problem import UNLABELLED, Features, Labels, Problem

SIZES = (60, 48, 36, 28, 20, 16, 12, 10)


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class Known:
    """A problem and its truth, i64 [n]: known classes first, outliers -1."""

    problem: Problem
    truth: Labels


def unit(features: npt.NDArray[np.float64]) -> Features:
    """The features at length 1."""
    scaled: Features = (features / np.linalg.norm(features, axis=1, keepdims=True)).astype(np.float32)
    return scaled


def long_tailed(
    *, sizes: tuple[int, ...] = SIZES, num_known: int = 4, outliers: int = 0, noise: float = 0.5, seed: int = 0
) -> Known:
    """Every second class by size is known, as far as there are `num_known`; every second image of these is labelled."""
    rng = np.random.default_rng(seed)
    by_size = [*range(0, len(sizes), 2), *range(1, len(sizes), 2)]
    truth = np.repeat(np.arange(len(sizes)), [sizes[place] for place in by_size])
    means = unit(rng.normal(size=(len(sizes), 16)))
    # Classes vary along some axes more than along others, and all alike: what whitening finds out.
    images = means[truth] + noise * rng.normal(size=(len(truth), 16)) * np.geomspace(0.1, 1, 16)
    truth = np.append(truth, np.full(outliers, -1))
    features = unit(np.concatenate([images, rng.normal(size=(outliers, 16))]))
    order = rng.permutation(len(truth))
    truth, features = truth[order], features[order]
    labels = np.full(len(truth), UNLABELLED)
    for one in range(num_known):
        labels[np.flatnonzero(truth == one)[::2]] = one
    return Known(problem=Problem(features=features, labels=labels, num_known=num_known), truth=truth)
