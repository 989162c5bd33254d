"""Training pages, decoded once: grey, at training size, in one file that is mapped into memory."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from farthing.base.errors import DataError
from farthing.documents.detections import PageLabels
from farthing.documents.net.transforms import to_grey
from farthing.vision.images import Pixels, read_image

CACHE_FILE = "pages.u8"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False, slots=True)
class LabelledPage:
    """An image file and what it shows.

    Attributes:
        path: of the image.
        labels: its objects, in page pixels.
        known: the classes that whoever labelled it looked for.
    """

    path: Path
    labels: PageLabels
    known: frozenset[str]


class PageCache:
    """Grey pages of different sizes, one after the other in a file.

    Args:
        pixels: u8 [all pixels of all pages].
        pages: where each came from.
        shapes: (height, width) of each.
    """

    def __init__(
        self, pixels: npt.NDArray[np.uint8], pages: Sequence[LabelledPage], shapes: Sequence[tuple[int, int]]
    ) -> None:
        self._pixels = pixels
        self.pages, self.shapes = tuple(pages), tuple(shapes)
        self._starts = np.cumsum([0, *(height * width for height, width in shapes)])

    def __len__(self) -> int:
        return len(self.pages)

    def pixels(self, index: int) -> Pixels:
        """u8 [height, width] of a page."""
        return np.asarray(self._pixels[self._starts[index] : self._starts[index + 1]]).reshape(self.shapes[index])

    @classmethod
    def build(cls, pages: Sequence[LabelledPage], folder: Path, *, long_side: int) -> PageCache:
        """Decodes all pages into `folder`; those that cannot be read are logged and left out.

        Raises:
            DataError: no page can be read, or the disk is full.
        """
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            read = zip(pages, pool.map(lambda page: _decoded(page, long_side), pages), strict=True)
            return cls.store(((page, grey) for page, grey in read if grey is not None), folder)

    @classmethod
    def store(cls, pages: Iterable[tuple[LabelledPage, Pixels]], folder: Path) -> PageCache:
        """Writes pages and their pixels, u8 [height, width] each, to `folder`.

        Raises:
            DataError: there are none, the disk is full, or the folder cannot be written.
        """
        path = folder / CACHE_FILE
        kept: list[LabelledPage] = []
        shapes: list[tuple[int, int]] = []
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as stream:
                for page, grey in pages:
                    stream.write(grey.tobytes())
                    kept.append(page)
                    shapes.append((grey.shape[0], grey.shape[1]))
        except OSError as error:
            raise DataError(f"{path}: writing failed ({error.strerror}); free some space and run again") from error
        if not kept:
            raise DataError(f"{folder}: no page can be read; look at the log for the reasons")
        return cls(np.memmap(path, dtype=np.uint8, mode="r"), kept, shapes)


def _decoded(page: LabelledPage, long_side: int) -> Pixels | None:
    try:
        return to_grey(read_image(page.path, max_side=long_side).pixels, long_side)
    except DataError as error:
        _log.warning("left out: %s", error)
        return None
