"""Distortions are smooth, seeded, bounded by their strength, and nothing at strength 0."""

from __future__ import annotations

import torch
from torch import Tensor

from farthing.vision.views import draw_warps, warp


def grids(strength: float, seed: int = 0, count: int = 5) -> Tensor:
    return draw_warps(count, (20, 14), strength=strength, generator=torch.Generator().manual_seed(seed))


def picture() -> Tensor:
    image = torch.zeros(1, 1, 20, 14)
    image[:, :, 6:14, 5:9] = 255
    return image


def test_strength_zero_changes_nothing() -> None:
    image = torch.rand(5, 3, 20, 14)
    torch.testing.assert_close(warp(image, grids(0.0)), image, atol=1e-4, rtol=0)


def test_the_seed_decides() -> None:
    assert torch.equal(grids(1.0), grids(1.0))
    assert not torch.equal(grids(1.0), grids(1.0, seed=1))


def test_stronger_warps_move_pixels_farther() -> None:
    moved = [(grids(strength, count=200) - grids(0.0, count=200)).norm(dim=-1).mean() for strength in (0.5, 1.0, 2.0)]
    assert 1.7 < moved[1] / moved[0] < 2.3
    assert 1.7 < moved[2] / moved[1] < 2.3
    assert 0.05 < moved[1] < 0.3  # of half a side


def test_a_view_shows_the_same_object() -> None:
    views = warp(picture().expand(200, -1, -1, -1), grids(1.0, count=200))
    ink = views.sum((1, 2, 3)) / picture().sum()
    assert (ink - 1).abs().max() < 0.6
    assert (ink - 1).abs().mean() < 0.15


def test_the_border_goes_on() -> None:
    white = torch.full((5, 1, 20, 14), 255.0)
    torch.testing.assert_close(warp(white, grids(2.0)), white)


def test_one_grid_serves_all_images() -> None:
    images, grid = torch.rand(3, 1, 20, 14), grids(1.0, count=1)
    torch.testing.assert_close(warp(images, grid)[2:], warp(images[2:], grid))
