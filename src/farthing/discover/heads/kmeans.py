"""Semi-supervised k-means: labelled images stay in their class, the others go to the nearest mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from farthing.base.errors import ConfigError
from farthing.discover.heads.head import check_num_classes
from farthing.discover.means import BLOCK, class_sums
from farthing.discover.problem import UNLABELLED, Assignment, Features, Labels, Problem

Floats = npt.NDArray[np.float32]

# Starts compete on so many images; the best of them goes on with all.
_MAX_TRIAL_IMAGES = 100_000


@dataclass(frozen=True, kw_only=True, slots=True)
class KMeansConfig:
    """How long k-means searches.

    Attributes:
        num_starts: runs from different starts, >= 1; the one whose images are nearest to their means is kept.
        max_iterations: of each run, >= 1.
        tolerance: a run ends when the means move less, as the sum of squares, >= 0.

    Raises:
        ConfigError: a value out of range.
    """

    num_starts: int = 5
    max_iterations: int = 50
    tolerance: float = 1e-4

    def __post_init__(self) -> None:
        for name in ("num_starts", "max_iterations"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be >= 1, got {getattr(self, name)!r}")
        if not self.tolerance >= 0:
            raise ConfigError(f"tolerance must be >= 0, got {self.tolerance!r}")


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class Clusters:
    """What Lloyd's iterations end with.

    Attributes:
        classes: i64 [n].
        means: f32 [num_classes, dim].
        inertia: sum of squared distances of the images from their means.
    """

    classes: Labels
    means: Features
    inertia: float


def sort_by_kmeans(problem: Problem, num_classes: int, seed: int, *, config: KMeansConfig | None = None) -> Assignment:
    """The classes of the best of several runs.

    Args:
        problem: features, some of them labelled.
        num_classes: known and new together.
        seed: of the starts.
        config: how long to search.

    Raises:
        ConfigError: fewer classes than are known, or more than there are images.

    Source: Vaze, Han, Vedaldi, Zisserman, Generalized Category Discovery, CVPR 2022, https://arxiv.org/abs/2201.02609,
        section 3.2: means of the labelled classes, k-means++ on the unlabelled images for the others, labelled images
        never move. Differences: a class that loses all its images takes up the one that is furthest from its mean;
        where images are very many, starts compete on a part of them.
    """
    check_num_classes(problem, num_classes)
    config = config or KMeansConfig()
    if (problem.labels != UNLABELLED).all():
        return Assignment(classes=problem.labels.copy(), num_classes=num_classes)
    known = class_sums(problem.features, problem.labels, problem.num_known)
    known /= np.bincount(problem.labels + 1, minlength=problem.num_known + 1)[1:, None].astype(np.float32)
    rng = np.random.default_rng(seed)
    trial = _sample(problem.labels, rng)
    features, labels = problem.features[trial], problem.labels[trial]
    unlabelled = features[labels == UNLABELLED]
    runs = []
    for _ in range(config.num_starts):
        starts = np.concatenate([known, spread_starts(unlabelled, known, num_classes - problem.num_known, rng)])
        runs.append(lloyd(features, starts, config.max_iterations, labels=labels, tolerance=config.tolerance))
    best = min(runs, key=lambda run: run.inertia)
    if len(trial) < len(problem.labels):
        best = lloyd(
            problem.features, best.means, config.max_iterations, labels=problem.labels, tolerance=config.tolerance
        )
    return Assignment(classes=best.classes, num_classes=num_classes)


def _sample(labels: Labels, rng: np.random.Generator) -> Labels:
    """The images on which starts compete: drawn evenly, one of each known class and an unlabelled one in any case."""
    if len(labels) <= _MAX_TRIAL_IMAGES:
        return np.arange(len(labels))
    one_of_each = np.unique(labels, return_index=True)[1]
    return np.union1d(one_of_each, rng.choice(len(labels), _MAX_TRIAL_IMAGES, replace=False))


def spread_starts(features: Features, means: Features, count: int, rng: np.random.Generator) -> Features:
    """f32 [count, dim], images drawn one by one, with probability as the squared distance from the means so far.

    Args:
        features: f32 [n, dim], each of length 1; n >= 1.
        means: f32 [m, dim], that there are already; without any, the first image is drawn evenly.
        count: >= 0.
        rng: draws.

    Source: Arthur and Vassilvitskii, k-means++: The Advantages of Careful Seeding, SODA 2007, section 2.2.
    """
    distances = np.ones(len(features), np.float32)
    if len(means):
        distances = _squared_distances(nearest_means(features, means)[1])
    starts = np.empty((count, features.shape[1]), np.float32)
    for number in range(count):
        cumulative = np.cumsum(distances, dtype=np.float64)
        drawn = np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right")
        starts[number] = features[min(int(drawn), len(features) - 1)]
        apart = _squared_distances(features @ starts[number] - 0.5)
        distances = np.minimum(distances, apart) if number or len(means) else apart
    return starts


def lloyd(
    features: Features, means: Features, max_iterations: int, *, labels: Labels | None = None, tolerance: float = 0.0
) -> Clusters:
    """Images at the nearest mean, means in the middle of their images, in turn until the means stand still.

    Args:
        features: f32 [n, dim], each of length 1.
        means: f32 [num_classes, dim], to start from.
        max_iterations: >= 1.
        labels: i64 [n], classes that are certain; `UNLABELLED` or None: none is.
        tolerance: squared movement of all means that counts as none.
    """
    fixed = np.full(len(features), UNLABELLED) if labels is None else labels
    for _ in range(max_iterations):
        classes, closeness = _assign(features, means, fixed)
        moved = _means(features, classes, closeness, is_free=fixed == UNLABELLED, before=means)
        shift = float(np.square(moved - means).sum())
        means = moved
        if shift <= tolerance:
            break
    classes, closeness = _assign(features, means, fixed)
    return Clusters(classes=classes, means=means, inertia=float(_squared_distances(closeness).sum(dtype=np.float64)))


def nearest_means(features: Features, means: Features) -> tuple[Labels, Floats]:
    """i64 [n], the nearest mean of each image, and f32 [n], <x, m> - |m|^2 / 2, largest where it is nearest."""
    classes, closeness = np.empty(len(features), np.int64), np.empty(len(features), np.float32)
    half = 0.5 * np.einsum("kd,kd->k", means, means)
    for start in range(0, len(features), BLOCK):
        rows = slice(start, start + BLOCK)
        block = features[rows] @ means.T - half
        classes[rows] = block.argmax(1)
        closeness[rows] = block.max(1)
    return classes, closeness


def _assign(features: Features, means: Features, fixed: Labels) -> tuple[Labels, Floats]:
    classes, closeness = nearest_means(features, means)
    rows = np.flatnonzero(fixed != UNLABELLED)
    classes[rows] = fixed[rows]
    own = means[fixed[rows]]
    closeness[rows] = np.einsum("nd,nd->n", features[rows], own) - 0.5 * np.einsum("nd,nd->n", own, own)
    return classes, closeness


def _means(
    features: Features, classes: Labels, closeness: Floats, *, is_free: npt.NDArray[np.bool_], before: Features
) -> Features:
    """The mean of each class; a class without images starts again at one of the images furthest from their means."""
    sizes = np.bincount(classes, minlength=len(before))
    means = class_sums(features, classes, len(before))
    means /= np.maximum(sizes, 1)[:, None].astype(np.float32)
    empty = np.flatnonzero(sizes == 0)
    furthest = np.argsort(np.where(is_free, closeness, np.inf), kind="stable")[: min(len(empty), is_free.sum())]
    means[empty[: len(furthest)]] = features[furthest]
    return means


def _squared_distances(closeness: Floats) -> Floats:
    """|x - m|^2 of <x, m> - |m|^2 / 2, for x of length 1."""
    distances: Floats = np.maximum(1 - 2 * closeness, 0)
    return distances
