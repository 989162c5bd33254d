"""The means of classes on the sphere, and how like them images are."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix

from farthing.discover.problem import UNSORTED, Assignment, Features, Labels

# Rows whose products with all means are held at once: 64 MB for a thousand classes.
BLOCK = 16_384


def class_sums(features: Features, classes: Labels, num_classes: int) -> Features:
    """f32 [num_classes, dim], the sum of the features of each class; images of no class (-1) are left out."""
    rows = np.flatnonzero(classes >= 0)
    member = csr_matrix((np.ones(len(rows), np.float32), (classes[rows], rows)), shape=(num_classes, len(features)))
    sums: Features = member @ features
    return sums


def class_means(features: Features, assignment: Assignment) -> Features:
    """f32 [num_classes, dim], the unit mean of each class; 0 for a class without images.

    Args:
        features: f32 [n, dim], each of length 1.
        assignment: of the same images.
    """
    sums = class_sums(features, assignment.classes, assignment.num_classes)
    means: Features = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)
    return means


def nearest_mean(features: Features, means: Features) -> tuple[Labels, Features]:
    """i64 [n], the mean of the largest cosine, and f32 [n], that cosine; in bounded memory."""
    classes, likeness = np.empty(len(features), np.int64), np.empty(len(features), np.float32)
    for start in range(0, len(features), BLOCK):
        rows = slice(start, start + BLOCK)
        block = features[rows] @ means.T
        classes[rows] = block.argmax(1)
        likeness[rows] = np.take_along_axis(block, classes[rows, None], 1)[:, 0]
    return classes, likeness


def own_likeness(features: Features, means: Features, classes: Labels) -> Features:
    """f32 [n], the cosine of each image with the mean of its class; 0 where unsorted."""
    own = np.zeros(len(classes), np.float32)
    rows = np.flatnonzero(classes != UNSORTED)
    own[rows] = np.einsum("nd,nd->n", features[rows], means[classes[rows]])
    return own


def second_likeness(features: Features, means: Features, classes: Labels) -> Features:
    """f32 [n], the largest cosine of each image with the mean of a class that it is not in; none may be unsorted."""
    likeness = features @ means.T
    likeness[np.arange(len(classes)), classes] = -1
    second: Features = likeness.max(1)
    return second


def without_itself(own: Features, classes: Labels) -> Features:
    """f32 [n], the cosine of each image with the mean of the *other* images of its class.

    An image says nothing by being like itself, least of all in a small class. With S the sum of a class, L its length
    and c = <x, S> / L: <x, S - x> / |S - x| = (L c - 1) / sqrt(L^2 - 2 L c + 1). 0 for the only image of a class.

    Args:
        own: f32 [n], c, of *all* images that the means were made of, each of length 1.
        classes: i64 [n] of these.
    """
    alone = np.zeros(len(own), np.float32)
    rows = np.flatnonzero(classes != UNSORTED)
    if not len(rows):
        return alone
    lengths = np.bincount(classes[rows], own[rows])[classes[rows]]  # the sum of <x, S> / L over a class is L
    along = lengths * own[rows]
    rest = np.sqrt(np.maximum(lengths**2 - 2 * along + 1, 0))
    has_others = rest > 1e-3
    alone[rows[has_others]] = (along[has_others] - 1) / rest[has_others]
    return np.clip(alone, -1, 1)
