"""Benchmark splits of a labelled collection: some classes known, part of their images labelled, sizes long-tailed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from farthing.base.errors import ConfigError, DataError
from farthing.discover.problem import Labels


@dataclass(frozen=True, kw_only=True, slots=True)
class SplitConfig:
    """How a benchmark is drawn.

    Attributes:
        known: share of the classes that are known, in [0, 1]; spread evenly over the classes by size.
        labelled: share of the images of each known class that are labelled, in (0, 1]; at least one image is.
        imbalance: images of the largest class divided by those of the smallest, >= 1; None keeps the sizes there are.
        largest: images of the largest class at most, with an imbalance.
        least: classes with fewer images are left out, >= 1.
    """

    known: float = 0.5
    labelled: float = 0.5
    imbalance: float | None = None
    largest: int = 1000
    least: int = 5

    def __post_init__(self) -> None:
        if not 0 <= self.known <= 1:
            raise ConfigError(f"known must be a share from 0 to 1, got {self.known}")
        if not 0 < self.labelled <= 1:
            raise ConfigError(f"labelled must be a share above 0 and up to 1, got {self.labelled}")
        if self.imbalance is not None and not 1 <= self.imbalance < math.inf:
            raise ConfigError(f"imbalance must be a number >= 1, got {self.imbalance}")
        if min(self.largest, self.least) < 1:
            raise ConfigError(f"largest and least must be >= 1, got {self.largest} and {self.least}")


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class Split:
    """The images of a benchmark.

    Attributes:
        images: i64 [m] positions in the collection, in random order.
        known: bool [m], whether the class of each is known.
        labelled: bool [m], whether its label may be seen.
    """

    images: npt.NDArray[np.int64]
    known: npt.NDArray[np.bool_]
    labelled: npt.NDArray[np.bool_]


def draw_split(labels: Labels, config: SplitConfig, *, seed: int) -> Split:
    """A benchmark from the class of every image; the same labels and seed give the same split.

    With an imbalance R, classes are ranked at random and the one of rank r of K keeps
    `round(largest * R ** (-r / (K - 1)))` images, at least 2; without, classes are ranked by size.

    Args:
        labels: i64 [n], >= 0.
        config: the shares and sizes.
        seed: of ranks, images and their order; it also shifts which ranks are known.

    Raises:
        DataError: no class has `least` images.

    Source: the exponential profile of Cui et al., CVPR 2019, https://arxiv.org/abs/1901.05555, section 5.1.
    """
    generator = np.random.default_rng(seed)
    sizes = np.bincount(labels)
    classes = np.flatnonzero(sizes >= config.least)
    if not len(classes):
        raise DataError(f"labels: no class has {config.least} images; the largest has {sizes.max(initial=0)}")
    if config.imbalance is None:
        ranked = classes[np.argsort(-sizes[classes], kind="stable")]
        kept = sizes[ranked]
    else:
        ranked = classes[generator.permutation(len(classes))]
        kept = _long_tail(sizes[ranked], config.imbalance, config.largest)
    rows = []
    for number, is_known, count in zip(ranked, _spread(len(ranked), config.known, seed), kept, strict=True):
        images = generator.permutation(np.flatnonzero(labels == number))[:count]
        num_labelled = max(1, round(len(images) * config.labelled)) if is_known else 0
        rows += [(image, is_known, place < num_labelled) for place, image in enumerate(images)]
    order = generator.permutation(len(rows))
    images, known, labelled = (np.array(column)[order] for column in zip(*rows, strict=True))
    return Split(images=images, known=known, labelled=labelled)


def _long_tail(sizes: Labels, imbalance: float, largest: int) -> Labels:
    """[K] images to keep of each class, by rank."""
    steps = max(1, len(sizes) - 1)
    kept = [max(2, round(min(largest, int(size)) * imbalance ** (-rank / steps))) for rank, size in enumerate(sizes)]
    return np.array(kept, np.int64)


def _spread(count: int, share: float, seed: int) -> list[bool]:
    """Which of `count` ranks are known: `share` of them, as evenly as possible, from rank 0 on or later by the seed."""
    if share == 0:
        return [False] * count
    shift = seed % math.ceil(1 / share)
    # Rounded first: 30 * 0.1 is a little above 3.
    steps = [math.ceil(round((rank - shift) * share, 9)) for rank in range(count + 1)]
    return [after > before for before, after in pairwise(steps)]
