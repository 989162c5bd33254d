"""A page as an image, with what is needed to speak of places on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from farthing.vision.images import Pixels


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class Page:
    """One page image, at full size or decoded smaller.

    Attributes:
        id: path relative to the collection; a page of a file with several adds its number, `book.pdf#0003`.
        document: what the page belongs to: the relative path of its folder, PDF or manifest.
        pixels: u8 [height, width, 3] RGB, at most the size of the page.
        width: of the page at full size, in page pixels; boxes are told in these.
        height: of the page at full size, in page pixels.
    """

    id: str
    document: str
    pixels: Pixels
    width: int
    height: int

    def __post_init__(self) -> None:
        if self.pixels.dtype != np.uint8 or self.pixels.ndim != 3 or self.pixels.shape[2] != 3:
            raise ValueError(
                f"page {self.id}: pixels must be u8 [height, width, 3], got {self.pixels.dtype} {self.pixels.shape}"
            )
        if min(self.width, self.height, *self.pixels.shape) < 1:
            raise ValueError(f"page {self.id}: is empty")
