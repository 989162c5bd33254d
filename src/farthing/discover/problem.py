"""What category discovery starts from and what it gives: features with some labels in, classes out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from farthing.base.errors import DataError

Features = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]
Probabilities = npt.NDArray[np.float32]

UNLABELLED = -1
UNSORTED = -1


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class Problem:
    """Images as features, some of them labelled.

    Attributes:
        features: f32 [n, dim], each of length 1.
        labels: i64 [n], a known class in [0, num_known) or `UNLABELLED`.
        num_known: known classes, >= 0; each has at least one labelled image.

    Raises:
        DataError: features that are not finite or not of length 1, or labels that do not fit.
    """

    features: Features
    labels: Labels
    num_known: int

    def __post_init__(self) -> None:
        if self.features.ndim != 2 or len(self.features) != len(self.labels):
            shapes = f"{self.features.shape} and {self.labels.shape}"
            raise DataError(f"features and labels must be [n, dim] and [n], got {shapes}")
        lengths = np.linalg.norm(self.features, axis=1)
        if not np.allclose(lengths, 1, atol=1e-3):  # NaN is close to nothing
            raise DataError("every feature must be finite and of length 1")
        present = np.unique(self.labels[self.labels != UNLABELLED])
        if not np.array_equal(present, np.arange(self.num_known)):
            raise DataError(f"labels must be -1 or all of 0 to {self.num_known - 1}, got {present.tolist()}")


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class Assignment:
    """Which class each image belongs to.

    Attributes:
        classes: i64 [n]: [0, num_known) known, from num_known on new, `UNSORTED` where an image forms no class.
        num_classes: known and new together.
    """

    classes: Labels
    num_classes: int
