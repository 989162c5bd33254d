"""How well images were sorted into known and new classes, judged by the truth.

All accuracies are in percent and come from one matching of the found classes with the true ones over all judged
images (the "v2" protocol of GCD), apart from `named_old`, which takes the found names at their word.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

NUM_CALIBRATION_BINS = 15
THIRDS = ("many", "medium", "few")

Flags = npt.NDArray[np.bool_]
Scores = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class Truth:
    """What is true of the judged images.

    Attributes:
        labels: the class of each.
        known: names of the classes that had labelled images.
        sizes: images of each class in the whole collection, labelled ones included.
    """

    labels: Sequence[str]
    known: Collection[str]
    sizes: Mapping[str, int]


def score(truth: Truth, found: Sequence[str]) -> dict[str, float | None]:
    """The figures of the protocol; None where there is no class to take a mean over.

        all, old, new          share of images whose found class is matched with their own: all, known, new classes
        balanced, balanced_old, balanced_new       the mean over classes of that share
        old_many, ..., new_few                     the same over thirds of the known and the new classes by size
        named_old              share of images of known classes that were given their own name, without matching

    Args:
        truth: of the judged images.
        found: a class for each, any text; empty where there is none, which counts as wrong.

    Source: Vaze et al., CVPR 2022, https://arxiv.org/abs/2201.02609, section 4 and their `split_cluster_acc_v2`.
        Added here: means over classes, thirds by size, `named_old`.
    """
    images = Counter(truth.labels)
    hits = matched_hits(truth.labels, found)
    classes = sorted(images)
    old = sorted((name for name in classes if name in truth.known), key=lambda name: -truth.sizes[name])
    new = sorted((name for name in classes if name not in truth.known), key=lambda name: -truth.sizes[name])
    groups = {"": classes, "old": old, "new": new}
    figures: dict[str, float | None] = {
        name or "all": _percent(sum(hits[one] for one in group), sum(images[one] for one in group))
        for name, group in groups.items()
    }
    groups = {"balanced": classes, "balanced_old": old, "balanced_new": new} | _thirds("old", old) | _thirds("new", new)
    for name, group in groups.items():
        recalls = [hits[one] / images[one] for one in group]
        figures[name] = 100 * float(np.mean(recalls)) if recalls else None
    named = [label == name for label, name in zip(truth.labels, found, strict=True) if label in truth.known]
    return figures | {"named_old": _percent(sum(named), len(named))}


def matched_hits(labels: Sequence[str], found: Sequence[str]) -> dict[str, int]:
    """For each true class, how many of its images are in the found class that it is matched with."""
    match = match_classes(labels, found)
    hits = dict.fromkeys(labels, 0)
    for label, name in zip(labels, found, strict=True):
        hits[label] += match.get(name) == label
    return hits


def match_classes(labels: Sequence[str], found: Sequence[str]) -> dict[str, str]:
    """Found class -> true class such that as many images as possible are in a class that is matched with their own.

    Every class is matched at most once; found classes that are left over are not in the result.

    Source: Kuhn, 1955; scipy.optimize.linear_sum_assignment.
    """
    classes, clusters = sorted(set(labels)), sorted(set(found) - {""})
    column = {name: number for number, name in enumerate(classes)}
    row = {name: number for number, name in enumerate(clusters)}
    pairs = Counter((row[name], column[label]) for label, name in zip(labels, found, strict=True) if name)
    # Square: the more numerous side keeps classes that have no partner.
    together = np.zeros((max(len(classes), len(clusters)),) * 2, np.int64)
    for place, count in pairs.items():
        together[place] = count
    matching = zip(*linear_sum_assignment(together, maximize=True), strict=True)
    return {clusters[one]: classes[other] for one, other in matching if one < len(clusters) and other < len(classes)}


def expected_calibration_error(probability: Scores, correct: Flags) -> float:
    """The sum over 15 equally wide bins of (images / n) |share of correct ones - mean probability|, in [0, 1].

    Args:
        probability: [n] of what was assigned, in [0, 1].
        correct: [n] whether that is right.

    Source: Guo et al., ICML 2017, https://arxiv.org/abs/1706.04599, equation 3.
    """
    return sum(
        images / len(probability) * abs(right - mean) for mean, right, images in calibration_bins(probability, correct)
    )


def calibration_bins(probability: Scores, correct: Flags) -> list[tuple[float, float, int]]:
    """For each non-empty one of 15 equally wide bins of the probability: its mean, the share of right ones, images."""
    bins = np.minimum((probability * NUM_CALIBRATION_BINS).astype(np.int64), NUM_CALIBRATION_BINS - 1)
    images = np.bincount(bins, minlength=NUM_CALIBRATION_BINS)
    means = np.bincount(bins, weights=probability, minlength=NUM_CALIBRATION_BINS)
    right = np.bincount(bins, weights=correct, minlength=NUM_CALIBRATION_BINS)
    return [
        (float(means[one] / images[one]), float(right[one] / images[one]), int(images[one]))
        for one in np.flatnonzero(images)
    ]


def area_under_roc(score: Scores, positive: Flags) -> float | None:
    """The chance that a positive scores above a negative, ties counted half; None where one of the two is missing."""
    from sklearn.metrics import roc_auc_score

    if positive.all() or not positive.any():
        return None
    return float(roc_auc_score(positive, score))


def _thirds(group: str, classes: Sequence[str]) -> dict[str, list[str]]:
    """Classes, largest first, in three parts of nearly equal number."""
    cuts = [round(part * len(classes) / 3) for part in range(4)]
    return {
        f"{group}_{name}": list(classes[low:high]) for name, (low, high) in zip(THIRDS, pairwise(cuts), strict=True)
    }


def _percent(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None
