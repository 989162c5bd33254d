"""The space in which images of one class lie close: whitened by how images of the known classes differ.

Differences within a class (slant, stroke, paper) say nothing of the class, so directions are scaled down by how much
known classes vary along them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from farthing.base.errors import ConfigError
from farthing.discover.problem import UNLABELLED, Features, Problem

Doubles = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class Whitening:
    """w(x) = A (x - m) / |A (x - m)|, with A = C^-1/2 and C the shrunken covariance within classes.

    Attributes:
        mean: f32 [dim], m: of all images.
        matrix: f32 [dim, dim], A, symmetric.

    Raises:
        ConfigError: parts that do not fit each other.

    Source: Hatch, Kajarekar, Stolcke, Within-Class Covariance Normalization for SVM-based Speaker Recognition,
        Interspeech 2006, equations 2 to 5. Differences: classes count by the root of their size, the covariance
        is shrunk towards a multiple of the identity (Ledoit and Wolf, 2004), and results have length 1.
    """

    mean: Floats
    matrix: Floats

    def __post_init__(self) -> None:
        if self.mean.ndim != 1 or self.matrix.shape != (len(self.mean), len(self.mean)):
            shapes = f"{self.mean.shape} and {self.matrix.shape}"
            raise ConfigError(f"mean and matrix must be [dim] and [dim, dim], got {shapes}")

    @classmethod
    def fit(cls, problem: Problem, shrinkage: float) -> Whitening:
        """The whitening by the labelled images; it changes nothing where no class has two that differ.

        C = (1 - s) W + s tr(W) / dim I with W = sum_k sqrt(n_k) C_k / sum_k sqrt(n_k), C_k the covariance of the n_k
        labelled images of class k.

        Args:
            problem: features, some of them labelled.
            shrinkage: s, in (0, 1]; 1 leaves angles about the mean as they are.

        Raises:
            ConfigError: shrinkage is not in (0, 1].
        """
        if not 0 < shrinkage <= 1:
            raise ConfigError(f"shrinkage must be in (0, 1], got {shrinkage!r}")
        within = covariance_within(problem)
        dim = len(within)
        scale = np.trace(within) / dim
        if not scale > 0:
            return cls(mean=np.zeros(dim, np.float32), matrix=np.eye(dim, dtype=np.float32))
        eigenvalues, axes = np.linalg.eigh((1 - shrinkage) * within / scale + shrinkage * np.eye(dim))
        matrix = (axes / np.sqrt(eigenvalues)) @ axes.T
        mean = problem.features.mean(0, dtype=np.float64)
        return cls(mean=mean.astype(np.float32), matrix=matrix.astype(np.float32))

    def transform(self, features: Features) -> Features:
        """f32 [n, dim], each of length 1, of f32 [n, dim]; the mean itself has no direction and gets the first axis."""
        whitened = features @ self.matrix
        whitened -= self.mean @ self.matrix
        lengths = np.sqrt(np.einsum("nd,nd->n", whitened, whitened))
        lost = lengths < 1e-6
        whitened[lost], lengths[lost] = np.eye(1, whitened.shape[1]), 1
        whitened /= lengths[:, None]
        return whitened

    def state(self) -> dict[str, Floats]:
        """The arrays that `from_state` takes."""
        return {"mean": self.mean, "matrix": self.matrix}

    @classmethod
    def from_state(cls, state: Mapping[str, Floats]) -> Whitening:
        """The whitening of what `state` gave.

        Raises:
            ConfigError: arrays that do not fit each other.
            KeyError: a missing array.
        """
        return cls(mean=state["mean"], matrix=state["matrix"])


def covariance_within(problem: Problem) -> Doubles:
    """f64 [dim, dim], sum_k sqrt(n_k) C_k / sum_k sqrt(n_k) over classes of two labelled images or more; 0 without any.

    The root lies between every image counting the same, which the large classes decide, and every class counting the
    same, where covariances of a few images do.

    Args:
        problem: features, some of them labelled.
    """
    labelled = np.flatnonzero(problem.labels != UNLABELLED)
    labels = problem.labels[labelled]
    order = np.argsort(labels, kind="stable")
    sizes = np.bincount(labels, minlength=problem.num_known)
    total, weight = np.zeros((problem.features.shape[1],) * 2), 0.0
    for members in np.split(labelled[order], np.cumsum(sizes)[:-1]):
        if len(members) >= 2:
            apart = problem.features[members].astype(np.float64)
            apart -= apart.mean(0)
            total += np.sqrt(len(members)) / (len(members) - 1) * (apart.T @ apart)
            weight += np.sqrt(len(members))
    return total / max(weight, 1.0)
