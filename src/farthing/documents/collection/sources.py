"""One page that can be loaded, wherever it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from farthing.base.errors import DataError
from farthing.documents.page import Page
from farthing.vision.images import MAX_PIXELS, read_image


class PageSource(Protocol):
    """A page of a collection before it is read. Sources are small, frozen and can go to another process."""

    @property
    def id(self) -> str:
        """The page's name, unique in its collection: see `Page.id`."""

    @property
    def document(self) -> str:
        """What the page belongs to: see `Page.document`."""

    def load(self, max_side: int | None = None) -> Page:
        """The page, decoded to a long side in [max_side, 2 * max_side) where it is that large; None decodes all.

        Raises:
            DataError: the page cannot be read; the message names it and says why.
        """


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageSource:
    """A page in an image file, or one of the images of a TIFF file.

    Attributes:
        id: see `PageSource`.
        document: see `PageSource`.
        path: the file.
        frame: which image of the file, from 0.
        max_pixels: the largest image that is decoded.
    """

    id: str
    document: str
    path: Path
    frame: int = 0
    max_pixels: int = MAX_PIXELS

    def load(self, max_side: int | None = None) -> Page:
        """See `PageSource.load`."""
        image = read_image(self.path, max_side=max_side, max_pixels=self.max_pixels, frame=self.frame)
        return Page(id=self.id, document=self.document, pixels=image.pixels, width=image.width, height=image.height)


@dataclass(frozen=True, kw_only=True, slots=True)
class BrokenSource:
    """A page, or a file that should hold pages, of which it is known beforehand that it cannot be read.

    Attributes:
        id: see `PageSource`.
        document: see `PageSource`.
        reason: the whole message.
    """

    id: str
    document: str
    reason: str

    def load(self, max_side: int | None = None) -> Page:
        """Raises `DataError` with the reason."""
        del max_side
        raise DataError(self.reason)
