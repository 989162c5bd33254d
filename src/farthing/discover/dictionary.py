"""A dictionary of small patches, learned without labels, and images described by which of its atoms they show where.

Each small patch is contrast-normalised, whitened, compared with every atom, and what it resembles more than the average
atom is summed over the cells of a coarse grid.

Source: Coates, Ng, Lee, An Analysis of Single-Layer Networks in Unsupervised Feature Learning, AISTATS 2011, sections
3.1 to 3.2 (patches, whitening, k-means, triangle activation, pooling). Differences: finer cells than quadrants,
and the square root of each pooled value, which tempers bursts of one atom (Perronnin et al., ECCV 2010, section 3.2).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

# Added to the variance of a patch of values in [0, 255] before its root, so that flat patches stay flat: the paper's.
_FLAT_VARIANCE = 10.0
# Added to every eigenvalue of the covariance of normalised patches: the paper's.
_WHITENING_EPSILON = 0.1
_PATCHES_PER_IMAGE = 40
_KMEANS_PASSES = 12
_PATCHES_AT_ONCE = 16_384


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class Dictionary:
    """What patches are compared with; dim = channels * patch * patch.

    Attributes:
        patch: side of a patch in pixels.
        grid: cells along each side that descriptions are pooled in.
        mean: f32 [dim], of contrast-normalised patches.
        whitening: f32 [dim, dim], symmetric (ZCA).
        atoms: f32 [num_atoms, dim], in the whitened space.
    """

    patch: int
    grid: int
    mean: Tensor
    whitening: Tensor
    atoms: Tensor

    def describe(self, images: Float[Tensor, "n channels h w"]) -> Float[Tensor, "n size"]:
        """Pooled activations, size = num_atoms * grid * grid: root of the mean over each cell of max(0, mean(z) - z_k).

        z_k is the distance from a whitened patch to atom k.

        Args:
            images: values in [0, 255].
        """
        n, _, height, width = images.shape
        patches = _patches(images, self.patch)
        activations = _triangle((patches.flatten(0, 1) - self.mean) @ self.whitening, self.atoms)
        maps = activations.reshape(n, height - self.patch + 1, width - self.patch + 1, -1).permute(0, 3, 1, 2)
        return F.adaptive_avg_pool2d(maps, self.grid).flatten(1).sqrt_()


def learn_dictionary(
    images: Float[Tensor, "n channels h w"], *, patch: int, atoms: int, grid: int, generator: torch.Generator
) -> Dictionary:
    """The dictionary of some images: whitening and k-means over random patches.

    Args:
        images: values in [0, 255], at least one, each side at least `patch`.
        patch: side in pixels.
        atoms: how many, >= 1.
        grid: cells along each side, >= 1.
        generator: of the patches and the first atoms.
    """
    sample = torch.cat([_draw_patches(part, patch, generator) for part in images.split(256)])
    mean = sample.mean(0)
    centred = sample - mean
    values, vectors = torch.linalg.eigh(centred.T @ centred / len(centred))
    whitening = (vectors / (values.clamp_min(0) + _WHITENING_EPSILON).sqrt()) @ vectors.T
    return Dictionary(
        patch=patch, grid=grid, mean=mean, whitening=whitening, atoms=_kmeans(centred @ whitening, atoms, generator)
    )


def _patches(images: Tensor, patch: int) -> Tensor:
    """[n, places, channels * patch * patch] patches at every place: (x - mean(x)) / sqrt(var(x) + 10)."""
    unfolded = F.unfold(images, patch).transpose(1, 2)
    centred = unfolded - unfolded.mean(-1, keepdim=True)
    return centred / (centred.square().mean(-1, keepdim=True) + _FLAT_VARIANCE).sqrt()


def _draw_patches(images: Tensor, patch: int, generator: torch.Generator) -> Tensor:
    """Some patches of each image, drawn with replacement."""
    patches = _patches(images, patch)
    places = torch.randint(patches.shape[1], (len(images), _PATCHES_PER_IMAGE), generator=generator)
    return patches.gather(1, places[:, :, None].expand(-1, -1, patches.shape[2])).flatten(0, 1)


def _triangle(patches: Tensor, atoms: Tensor) -> Tensor:
    """max(0, mean over k of z_k - z_k), z_k = |patch - atom k|: about half of the activations are zero."""
    squares = patches.square().sum(1, keepdim=True) + atoms.square().sum(1)
    distances = torch.addmm(squares, patches, atoms.T, alpha=-2).clamp_min_(0).sqrt_()
    return (distances.mean(1, keepdim=True) - distances).clamp_min_(0)


def _kmeans(patches: Tensor, num_atoms: int, generator: torch.Generator) -> Tensor:
    """Means of groups of patches; a group that runs empty starts again from a random patch."""
    atoms = patches[torch.randint(len(patches), (num_atoms,), generator=generator)]
    for _ in range(_KMEANS_PASSES):
        sums, counts = torch.zeros_like(atoms), torch.zeros(num_atoms)
        for part in patches.split(_PATCHES_AT_ONCE):
            nearest = (part @ atoms.T - atoms.square().sum(1) / 2).argmax(1)
            sums.index_add_(0, nearest, part)
            counts += torch.bincount(nearest, minlength=num_atoms)
        empty = counts == 0
        atoms = sums / counts.clamp_min(1)[:, None]
        again = torch.randint(len(patches), (int(empty.sum()),), generator=generator)
        atoms[empty] = patches[again]
    return atoms
