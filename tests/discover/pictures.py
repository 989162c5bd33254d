"""Small pictures of a few shapes, for what makes features."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from farthing.discover.images import ImageCollection, open_images
from farthing.vision.images import Pixels

SHAPES = ("disc", "cross", "bars", "corner")


def draw_shape(shape: str, rng: np.random.Generator, *, side: int = 24) -> Pixels:
    """u8 [side, side, 3] RGB: the shape in black on white, somewhat moved, with noise."""
    image = Image.new("L", (side, side), 255)
    pen = ImageDraw.Draw(image)
    x, y = rng.uniform(-2, 2, 2) + side / 2
    r = side / 4 + rng.uniform(-1, 1)
    if shape == "disc":
        pen.ellipse((x - r, y - r, x + r, y + r), fill=0)
    elif shape == "cross":
        pen.line((x - r, y - r, x + r, y + r), width=2)
        pen.line((x - r, y + r, x + r, y - r), width=2)
    elif shape == "bars":
        for offset in (-r, 0, r):
            pen.line((x + offset, y - r, x + offset, y + r), width=2)
    else:
        pen.line((x - r, y - r, x - r, y + r, x + r, y + r), width=2)
    noisy = np.asarray(image, np.float64) + rng.normal(0, 8, (side, side))
    return np.repeat(noisy.clip(0, 255).astype(np.uint8)[:, :, None], 3, axis=2)


def draw_shapes(per_shape: int, *, seed: int = 0) -> tuple[list[Pixels], list[int]]:
    """Pictures of every shape in turn, and the number of the shape of each."""
    rng = np.random.default_rng(seed)
    numbers = list(range(len(SHAPES))) * per_shape
    return [draw_shape(SHAPES[number], rng) for number in numbers], numbers


def make_collection(root: Path, *, per_shape: int = 6, unreadable: bool = False) -> ImageCollection:
    """A folder of shapes, NNN-SHAPE.png; discs and crosses with an even number are labelled."""
    root.mkdir()
    images, numbers = draw_shapes(per_shape)
    lines = ["image,label"]
    for place, (image, number) in enumerate(zip(images, numbers, strict=True)):
        name = f"{place:03}-{SHAPES[number]}.png"
        Image.fromarray(image).save(root / name)
        if number < 2 and place // len(SHAPES) % 2 == 0:
            lines.append(f"{name},{SHAPES[number]}")
    if unreadable:
        (root / "000-broken.png").write_text("not an image")
    labels = root.with_suffix(".csv")
    labels.write_text("\n".join(lines) + "\n")
    return open_images(root, labels)
