"""Which classes look alike, and how one class falls into two."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from farthing.base.errors import DataError
from farthing.discover.gallery.changes import Numbers
from farthing.discover.gallery.sorting import Flags
from farthing.discover.problem import UNSORTED, Features

_MOST_PASSES = 50
_SAMPLE = 1000  # images that the first direction is taken from

Similarities = npt.NDArray[np.float32]


def class_similarities(features: Features, classes: Numbers, num_classes: int) -> Similarities:
    """The cosine of each two class means, f32 [classes, classes]; -1 for a class with itself or without images.

    Args:
        features: f32 [n, dim], of length 1; a row of zeros counts for nothing.
        classes: i32 [n], the class of each image or `UNSORTED`.
        num_classes: how many there are.
    """
    images = np.flatnonzero(classes != UNSORTED)
    members = csr_array(
        (np.ones(len(images), np.float32), (classes[images], images)), shape=(num_classes, len(classes))
    )
    sums = members @ features
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    means = sums / np.maximum(lengths, np.finfo(np.float32).tiny)
    similarities: Similarities = means @ means.T
    is_empty = lengths[:, 0] == 0
    similarities[is_empty] = similarities[:, is_empty] = -1
    np.fill_diagonal(similarities, -1)
    return similarities


def similarities_by_doubt(seconds: Numbers, doubts: Similarities, classes: Numbers, num_classes: int) -> Similarities:
    """How often each two classes are each other's second choice, f32 [classes, classes]; -1 where never.

    The value of a pair is the mean over both classes of the share of images that have the other one as second choice,
    each weighted with the probability of that choice.

    Args:
        seconds: i32 [n], the second choice of each image, or -1.
        doubts: f32 [n], its probability.
        classes: i32 [n], the class of each image or `UNSORTED`.
        num_classes: how many there are.
    """
    rows = np.flatnonzero((classes != UNSORTED) & (seconds >= 0) & (seconds != classes))
    pairs = classes[rows].astype(np.int64) * num_classes + seconds[rows]
    mass = np.bincount(pairs, doubts[rows], num_classes**2).reshape(num_classes, num_classes)
    sizes = np.bincount(classes[classes != UNSORTED], minlength=num_classes)
    shares = mass / np.maximum(sizes, 1)[:, None]
    similarities = ((shares + shares.T) / 2).astype(np.float32)
    similarities[similarities == 0] = -1
    return similarities


def halve(features: Features) -> Flags:
    """Which images lie in the smaller of the two parts that a class falls into, bool [n].

    Spherical 2-means: both centres start along the direction in which the images vary most, so that no draw decides.

    Args:
        features: f32 [n, dim], of length 1.

    Raises:
        DataError: fewer than two different images.
    """
    centred = features - features.mean(axis=0)
    if len(features) < 2 or np.abs(centred).max(initial=0) < 1e-6:
        raise DataError("a class falls into two only if it holds two different images")
    sample = centred[:: max(1, len(centred) // _SAMPLE)]
    direction = np.linalg.svd(sample, full_matrices=False)[2][0]
    is_second: Flags = centred @ direction > 0
    for _ in range(_MOST_PASSES):
        difference = _centre(features[is_second]) - _centre(features[~is_second])
        moved: Flags = features @ difference > 0
        if np.array_equal(moved, is_second) or moved.all() or not moved.any():
            break
        is_second = moved
    return is_second if is_second.sum() * 2 <= len(is_second) else ~is_second


def _centre(features: Features) -> Features:
    mean: Features = features.mean(axis=0)
    return mean / max(float(np.linalg.norm(mean)), 1e-12)
