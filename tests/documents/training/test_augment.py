from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from farthing.documents.config import AugmentConfig
from farthing.documents.training.augment import Augmenter
from farthing.documents.training.targets import Objects

STILL = AugmentConfig(
    scale=1.0,
    aspect=0.0,
    flip=0.0,
    gamma=0.0,
    shade=0.0,
    ink=0.0,
    texture=0.0,
    sharpen=0.0,
    blur=0.0,
    noise=0.0,
    cutout=0.0,
)


def page_with_block() -> tuple[torch.Tensor, torch.Tensor, Objects]:
    """A grey page of 60 x 40 with a white block, on a canvas of 64 x 64."""
    pages = torch.zeros(1, 1, 64, 64)
    pages[:, :, :60, :40] = 0.5
    pages[:, :, 10:30, 5:25] = 1.0
    objects = Objects(
        boxes=torch.tensor([[[5.0, 10.0, 25.0, 30.0], [0.0, 0.0, 0.0, 0.0]]]),
        labels=torch.zeros(1, 2, dtype=torch.int64),
        is_real=torch.tensor([[True, False]]),
        is_known=torch.ones(1, 1, dtype=torch.bool),
    )
    return pages, torch.tensor([[60.0, 40.0]]), objects


def white_box(images: torch.Tensor) -> list[float]:
    rows, columns = np.nonzero(images[0, 0].numpy() > 0.75)
    return [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("flip", [0.0, 1.0])
def test_boxes_go_where_the_pixels_go(seed: int, flip: float) -> None:
    pages, sizes, objects = page_with_block()
    config = replace(STILL, scale=1.4, aspect=0.2, flip=flip)
    images, inside, moved = Augmenter(config, seed).place(pages, sizes, objects, (96, 64))
    assert images.shape == inside.shape == (1, 1, 96, 64)
    assert moved.is_real.tolist() == [[True, False]]
    assert moved.boxes[0, 0].tolist() == pytest.approx(white_box(images), abs=1.01)


def test_without_variation_a_page_only_fits_its_canvas() -> None:
    pages, sizes, objects = page_with_block()
    images, inside, moved = Augmenter(STILL, 0).place(pages, sizes, objects, (60, 40))
    torch.testing.assert_close(images, pages[:, :, :60, :40])
    assert inside.all()
    assert moved.boxes[0, 0].tolist() == objects.boxes[0, 0].tolist()
    torch.testing.assert_close(Augmenter(STILL, 0).shade(images), images)


def test_inside_is_where_the_page_is() -> None:
    pages, sizes, objects = page_with_block()
    images, inside, _ = Augmenter(replace(STILL, scale=2.0), 3).place(pages, sizes, objects, (96, 96))
    assert ((images > 0.3) == inside).float().mean() > 0.97


def test_objects_that_are_mostly_cut_off_are_dropped() -> None:
    pages, sizes, objects = page_with_block()
    kept = [Augmenter(replace(STILL, scale=8.0), seed).place(pages, sizes, objects, (64, 64))[2] for seed in range(40)]
    shown = [page for page in kept if page.is_real[0, 0]]
    assert 0 < len(shown) < 40
    for page in shown:
        x0, y0, x1, y1 = page.boxes[0, 0].tolist()
        assert 0 <= x0 < x1 <= 64
        assert 0 <= y0 < y1 <= 64


@pytest.mark.parametrize("name", ["gamma", "shade", "sharpen", "blur", "noise", "cutout"])
def test_every_variation_of_light_changes_something(name: str) -> None:
    images = page_with_block()[0].repeat(8, 1, 1, 1) * 0.8
    value = 1.0 if name in ("sharpen", "blur", "cutout") else 0.3
    varied = Augmenter(replace(STILL, **{name: value}), 1).shade(images.clone())
    assert (varied - images).abs().max() > 0.02
    assert 0 <= varied.min() <= varied.max() <= 1


def test_sharpening_deepens_edges_and_leaves_plain_paper() -> None:
    images = torch.full((1, 1, 40, 40), 0.4)
    images[..., 20:] = 0.6
    sharp = Augmenter(replace(STILL, sharpen=1.0), 1).shade(images.clone())
    assert sharp[0, 0, 20, 19] < 0.39
    assert sharp[0, 0, 20, 20] > 0.61
    torch.testing.assert_close(sharp[..., :15], images[..., :15])
    torch.testing.assert_close(sharp[..., 25:], images[..., 25:])


def test_the_same_seed_varies_alike() -> None:
    pages, sizes, objects = page_with_block()
    config = AugmentConfig(blur=1.0, cutout=1.0)
    first, second, other = (Augmenter(config, seed).shade(pages.clone().repeat(4, 1, 1, 1)) for seed in (5, 5, 6))
    assert torch.equal(first, second)
    assert not torch.equal(first, other)
    places = [Augmenter(config, seed).place(pages, sizes, objects, (64, 64))[2].boxes for seed in (5, 5)]
    assert torch.equal(*places)


def test_more_ink_thickens_strokes_and_less_thins_them() -> None:
    page = torch.full((1, 1, 12, 12), 0.8)
    page[..., 4:7] = 0.2
    amounts = [
        float(Augmenter(replace(STILL, ink=1.0), seed).shade(page).sum() - page.sum()) / (12 * 0.6)
        for seed in range(20)
    ]
    assert min(amounts) < -0.5
    assert max(amounts) > 0.5
    assert all(-2 <= amount <= 2 for amount in amounts)  # at most a pixel to each side


@pytest.mark.parametrize("seed", range(5))
def test_a_random_texture_keeps_even_paper_as_it_is(seed: int) -> None:
    config = replace(STILL, texture=1.0)
    torch.testing.assert_close(
        Augmenter(config, seed).shade(torch.full((2, 1, 9, 9), 0.6)), torch.full((2, 1, 9, 9), 0.6)
    )
    page = torch.full((1, 1, 9, 9), 0.6)
    page[..., 4] = 0.3
    assert (Augmenter(config, seed).shade(page) - page).abs().max() > 0.01
