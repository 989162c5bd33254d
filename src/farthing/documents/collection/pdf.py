"""Pages of a PDF, drawn with PDFium."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pypdfium2

from farthing.base.errors import DataError
from farthing.documents.page import Page
from farthing.vision.images import MAX_PIXELS, too_large

# A PDF page has a size in points but none in pixels; at this resolution its pixels are those of a usual scan.
DPI = 300
_POINTS_PER_INCH = 72
_PASSWORD_ERROR = 4
_JUST_BELOW = 1 - 1e-6  # PDFium rounds sides up, also those a rounding error above a whole number
# PDFium keeps global state and may be called by one thread at a time.
_PDFIUM = threading.Lock()


@dataclass(frozen=True, kw_only=True, slots=True)
class PdfSource:
    """A page of a PDF; its full size is the one at 300 dpi.

    Attributes:
        id: see `PageSource`.
        document: see `PageSource`.
        path: the PDF.
        index: of the page, from 0.
        max_pixels: the largest page that is drawn.
    """

    id: str
    document: str
    path: Path
    index: int
    max_pixels: int = MAX_PIXELS

    def load(self, max_side: int | None = None) -> Page:
        """The page with a long side of `max_side` pixels, or of its full size where that is smaller or None is asked.

        Raises:
            DataError: the file or the page cannot be read, or would be larger than `max_pixels`.
        """
        with _opened(self.path) as pdf:
            if self.index >= len(pdf):
                raise DataError(f"{self.path}: has no page {self.index + 1}, only {len(pdf)}")
            page = pdf[self.index]
            points = page.get_size()
            width, height = (max(1, round(side * DPI / _POINTS_PER_INCH)) for side in points)
            scale = min(DPI, (max_side or math.inf) * _POINTS_PER_INCH / max(*points, 1e-3)) / _POINTS_PER_INCH
            if scale**2 * points[0] * points[1] > self.max_pixels:
                raise too_large(f"{self.path}: page {self.index + 1}", (width, height), self.max_pixels)
            bitmap = page.render(scale=scale * _JUST_BELOW, rev_byteorder=True)
            pixels = np.array(bitmap.to_numpy()[:, :, :3])
        return Page(id=self.id, document=self.document, pixels=pixels, width=width, height=height)


def num_pages(path: Path) -> int:
    """How many pages a PDF has.

    Raises:
        DataError: the file cannot be read, is no PDF, is damaged, has no pages, or needs a password.
    """
    with _opened(path) as pdf:
        if not len(pdf):
            raise DataError(f"{path}: the PDF has no pages")
        return len(pdf)


@contextmanager
def _opened(path: Path) -> Iterator[pypdfium2.PdfDocument]:
    """The PDF, for this thread alone; what PDFium raises is a `DataError`."""
    with _PDFIUM:
        try:
            with pypdfium2.PdfDocument(path) as pdf:
                yield pdf
        except pypdfium2.PdfiumError as error:
            if error.err_code == _PASSWORD_ERROR:
                fix = "the PDF needs a password; save a copy without one (for example with `qpdf --decrypt`)"
            else:
                fix = "is no PDF, or a damaged one; open it in a viewer and save it anew"
            raise DataError(f"{path}: {fix}") from error
        except OSError as error:
            raise DataError(f"{path}: cannot be read ({error.strerror})") from error
