"""Page images for the browser: one of three sizes, as JPEG, the ones used last kept in memory."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from farthing.base.errors import DataError
from farthing.documents.collection.pages import Collection
from farthing.documents.page import Page
from farthing.vision.images import Pixels
from farthing.web.keeping import KeptBytes

SIZES = {"small": 400, "medium": 1600, "large": 3600}
"""Longest side in pixels: in the grid, alone, zoomed in."""
_JPEG_QUALITY = 86
_CACHE_BYTES = 256 << 20

LoadPage = Callable[[str, int], Page]


class PageImages:
    """JPEG images of the pages of a collection; may be used from several threads."""

    def __init__(self, collection: Collection, *, cache_bytes: int = _CACHE_BYTES) -> None:
        """Args: cache_bytes: how many bytes of images are kept; see `KeptBytes`."""
        self._collection = collection
        self._kept = KeptBytes(cache_bytes)

    def get(self, page: str, size: str) -> bytes:
        """The image of a page, at most as large as the page itself.

        Args:
            page: its name in the collection.
            size: a key of `SIZES`.

        Raises:
            DataError: the collection has no such page, or it cannot be read.
        """
        return self._kept.get((page, size), lambda: self._encoded(page, SIZES[size]))

    def _encoded(self, page: str, side: int) -> bytes:
        return encode(fit(self._collection.source(page).load(side).pixels, side), page)


def fit(pixels: Pixels, side: int) -> Pixels:
    """The image, made smaller if its long side is above `side` pixels."""
    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return pixels
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)


def encode(pixels: Pixels, name: str) -> bytes:
    """A JPEG file of the image.

    Raises:
        DataError: OpenCV cannot encode it.
    """
    is_encoded, data = cv2.imencode(
        ".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    )
    if not is_encoded:
        raise DataError(f"page {name!r}: cannot be encoded as JPEG")
    return data.tobytes()
