"""Many small groups of images that are almost the same, in time and memory linear in the images.

First coarse cells, then groups within each, both as many as the root of the number of groups: an image is compared with
some hundred means and not with twenty thousand.
"""

from __future__ import annotations

import numpy as np

from farthing.discover.heads.kmeans import lloyd, spread_starts
from farthing.discover.problem import Features, Labels

_CELL_ITERATIONS = 10
_GROUP_ITERATIONS = 5
# A mean of so many images is good enough to be a cell's.
_SAMPLE_PER_CELL = 256


def gather(features: Features, num_groups: int, *, seed: int) -> Labels:
    """i64 [n], the group of each image; groups are numbered from 0, none is empty, and there are at most `num_groups`.

    Args:
        features: f32 [n, dim], each of length 1.
        num_groups: >= 1; as many as images, or more, keep each image apart.
        seed: of the starts.
    """
    if num_groups >= len(features):
        return np.arange(len(features))
    rng = np.random.default_rng(seed)
    cells = _cells(features, round(num_groups**0.5), rng)
    groups = np.empty(len(features), np.int64)
    made = 0
    order = np.argsort(cells, kind="stable")
    for members in np.split(order, np.cumsum(np.bincount(cells))[:-1]):
        share = int(num_groups * len(members) / len(features))
        found = _groups(features[members], max(1, share), rng)
        groups[members] = made + found
        made += int(found.max()) + 1
    return groups


def _cells(features: Features, num_cells: int, rng: np.random.Generator) -> Labels:
    drawn = rng.permutation(len(features))[: num_cells * _SAMPLE_PER_CELL]
    sample = features[np.sort(drawn)]
    starts = spread_starts(sample, np.empty((0, sample.shape[1]), np.float32), num_cells, rng)
    return np.unique(lloyd(features, lloyd(sample, starts, _CELL_ITERATIONS).means, 1).classes, return_inverse=True)[1]


def _groups(features: Features, num_groups: int, rng: np.random.Generator) -> Labels:
    starts = spread_starts(features, np.empty((0, features.shape[1]), np.float32), num_groups, rng)
    return np.unique(lloyd(features, starts, _GROUP_ITERATIONS).classes, return_inverse=True)[1]
