"""Images as arrays of one shape: placed whole on a canvas that fits the collection, grey or in colour."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image
from torch import Tensor

from farthing.base.errors import ConfigError, DataError
from farthing.vision.images import Pixels, read_image

# Of a canvas, which may come from a model file.
MAX_SIDE: Final = 1024

_LARGEST_ASPECT = 4.0
# Mean distance between a pixel's largest and smallest channel above which images count as coloured, of 255.
_COLOURED_FROM = 4.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Canvas:
    """The shape that every image is brought to.

    Attributes:
        height: in pixels, from 1 to MAX_SIDE.
        width: likewise.
        has_colour: three channels (RGB) instead of one.
    """

    height: int
    width: int
    has_colour: bool

    def __post_init__(self) -> None:
        for name, side in (("height", self.height), ("width", self.width)):
            if not 1 <= side <= MAX_SIDE:
                raise ConfigError(f"canvas: {name} must be from 1 to {MAX_SIDE} pixels, got {side}")

    @property
    def channels(self) -> int:
        """3 or 1."""
        return 3 if self.has_colour else 1


def choose_canvas(images: Sequence[Pixels], *, side: int, multiple: int = 1) -> Canvas:
    """The canvas of about `side` x `side` pixels that has the median shape of the images, with colour if they have it.

    A collection of signs 48 x 72 pixels loses nothing to margins this way, and one of mixed shapes little.

    Args:
        images: u8 [h, w, 3] RGB, at least one.
        side: of the square with the area of the canvas, in pixels.
        multiple: that height and width are rounded to.
    """
    aspect = float(np.median([pixels.shape[1] / pixels.shape[0] for pixels in images]))
    aspect = min(max(aspect, 1 / _LARGEST_ASPECT), _LARGEST_ASPECT)
    spread = np.mean([np.ptp(pixels.astype(np.int16), axis=2).mean() for pixels in images])
    height, width = (multiple * max(1, round(side * aspect**power / multiple)) for power in (-0.5, 0.5))
    return Canvas(height=height, width=width, has_colour=bool(spread > _COLOURED_FROM))


def read_images(images: Iterable[Pixels | Path], *, max_side: int, batch: int = 256) -> Iterator[list[Pixels | None]]:
    """Batches of RGB images in order; None where one cannot be read.

    Args:
        images: u8 [h, w, 3] pixels, which pass as they are, or files.
        max_side: detail of files beyond this long side in pixels may be left out.
        batch: how many at once.
    """
    remaining = iter(images)
    while chunk := list(itertools.islice(remaining, batch)):
        yield [_pixels(image, max_side) for image in chunk]


def place(pixels: Pixels, canvas: Canvas) -> Pixels:
    """u8 [height, width, channels]: the whole image, as large as fits, centred on its own median border colour.

    Args:
        pixels: u8 [h, w, 3] RGB.
        canvas: the shape to bring it to.
    """
    image = Image.fromarray(pixels) if canvas.has_colour else Image.fromarray(pixels).convert("L")
    scale = min(canvas.width / image.width, canvas.height / image.height)
    width = min(canvas.width, max(1, round(image.width * scale)))
    height = min(canvas.height, max(1, round(image.height * scale)))
    resampling = Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.BICUBIC
    values = np.asarray(image.resize((width, height), resampling)).reshape(height, width, canvas.channels)
    border = np.concatenate([values[0], values[-1], values[:, 0], values[:, -1]])
    placed = np.empty((canvas.height, canvas.width, canvas.channels), dtype=np.uint8)
    placed[:] = np.median(border, axis=0).astype(np.uint8)
    top, left = (canvas.height - height) // 2, (canvas.width - width) // 2
    placed[top : top + height, left : left + width] = values
    return placed


def to_tensor(images: Sequence[Pixels], canvas: Canvas) -> UInt8[Tensor, "n channels height width"]:
    """The images on the canvas, as one tensor."""
    placed = torch.stack([torch.from_numpy(place(pixels, canvas)) for pixels in images])
    return placed.permute(0, 3, 1, 2).contiguous()


def _pixels(image: Pixels | Path, max_side: int) -> Pixels | None:
    """u8 [h, w, 3] of an image that can be read."""
    if not isinstance(image, Path):
        return image
    try:
        return read_image(image, max_side=max_side).pixels
    except DataError:
        return None
