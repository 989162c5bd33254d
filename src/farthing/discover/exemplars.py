"""What tells images apart while distorted views of one image stay together: a discriminant without labels.

Every image is a class of its own, with its distorted views as members. As in linear discriminant analysis, the
covariance within these classes is whitened away, and the directions of largest remaining variance are kept.

Source: Fisher's discriminant with exemplars for classes, as in Hariharan, Malik, Ramanan, Discriminative decorrelation
for clustering and classification, ECCV 2012 (exemplar LDA), and Dosovitskiy et al., NeurIPS 2014 (an image and its
distortions as a surrogate class). Difference: the within-class covariance comes from the views.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

# Relative to the largest eigenvalue: what is below is rounding.
_SMALLEST_EIGENVALUE = 1e-6


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class Projection:
    """out = (x - mean) @ weight.

    Attributes:
        mean: f32 [size].
        weight: f32 [size, dim].
    """

    mean: Tensor
    weight: Tensor

    def __call__(self, descriptions: Float[Tensor, "n size"]) -> Float[Tensor, "n dim"]:
        """The projected descriptions."""
        return (descriptions - self.mean) @ self.weight


def fit_exemplars(views: Float[Tensor, "views n size"], *, components: int, shrinkage: float, dim: int) -> Projection:
    """The projection to at most `dim` directions that tell images apart.

    With P the `components` first principal directions of all views, and S the mean covariance of the views of an image
    in them: weight = P W Q, W = ((1 - s) S + s tr(S)/components I)^-1/2, Q the first principal directions of the mean
    view of each image after P W.

    Args:
        views: descriptions of the views of each image, at least one view.
        components: principal directions to start from, >= 1.
        shrinkage: s in [0, 1]; 1 leaves plain principal components.
        dim: directions to end with at most, >= 1.
    """
    means = views.mean(0)
    mean = means.mean(0)
    principal = _principal((views - mean).flatten(0, 1), components)
    within = ((views - means) @ principal).flatten(0, 1)
    covariance = within.T @ within / len(within)
    identity = torch.eye(len(covariance))
    level = covariance.diagonal().mean()
    if level <= 0:  # one view, or none that differs
        covariance, level = identity, torch.ones(())
    values, vectors = torch.linalg.eigh((1 - shrinkage) * covariance + shrinkage * level * identity)
    weight = principal @ (vectors * values.clamp_min(_SMALLEST_EIGENVALUE * values[-1]).rsqrt()) @ vectors.T
    return Projection(mean=mean, weight=weight @ _principal((means - mean) @ weight, dim))


def _principal(rows: Tensor, count: int) -> Tensor:
    """[size, <= count] orthonormal directions of largest variance; directions without any are left out."""
    values, vectors = torch.linalg.eigh((rows.T @ rows).double())
    kept = min(count, max(1, int((values > _SMALLEST_EIGENVALUE * values[-1]).sum())))
    directions: Tensor = vectors.flip(1)[:, :kept].to(rows.dtype)
    return directions
