"""Distorted views of images: what a hand, a camera or a scanner could have made of the same object."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

# Nodes of the grid whose displacements are drawn; a bicubic surface goes through them.
_ELASTIC_NODES = 4


def draw_warps(
    num_warps: int, size: tuple[int, int], *, strength: float, generator: torch.Generator
) -> Float[Tensor, "warps h w 2"]:
    """Smooth distortions as sampling grids: where in the image, in [-1, 1], each pixel of the view is taken from.

    A warp turns by up to 12 degrees, scales each axis and shears by up to 12 %, shifts by up to 6 % of the side, and
    bends elastically with a standard deviation of 2 % of the side; all of it times `strength`.

    Args:
        num_warps: how many.
        size: (height, width) in pixels.
        strength: >= 0; 0 gives the identity.
        generator: of all that is drawn.
    """

    def draw(largest: float) -> Tensor:
        return (2 * torch.rand(num_warps, generator=generator) - 1) * (largest * strength)

    angle, across, down, shear = draw(12 * math.pi / 180), 1 + draw(0.12), 1 + draw(0.12), draw(0.12)
    first = torch.stack([angle.cos() * across, shear - angle.sin() * down, draw(0.12)], dim=1)
    second = torch.stack([angle.sin() * across, angle.cos() * down, draw(0.12)], dim=1)
    grids = F.affine_grid(torch.stack([first, second], dim=1), [num_warps, 1, *size], align_corners=False)
    nodes = torch.randn(num_warps, 2, _ELASTIC_NODES, _ELASTIC_NODES, generator=generator) * (0.04 * strength)
    return grids + F.interpolate(nodes, size, mode="bicubic", align_corners=True).permute(0, 2, 3, 1)


def warp(
    images: Float[Tensor, "batch channels h w"], grids: Float[Tensor, "#batch h w 2"]
) -> Float[Tensor, "batch channels h w"]:
    """The images seen through their grids (or all through one), bilinear; border pixels go on outside."""
    grids = grids.expand(len(images), -1, -1, -1)
    return F.grid_sample(images, grids, mode="bilinear", padding_mode="border", align_corners=False)
