"""The look of a collection that nobody labelled, so that synthetic pages can take it on.

Each synthetic page follows one real page drawn at random, a little varied, rather than averages: a collection of white
bitonal prints and brown photographed ones must not become one of beige pages.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np

from farthing.base.errors import DataError
from farthing.documents.collection.pages import open_collection
from farthing.documents.page import Page
from farthing.documents.synthetic.drawing import Floats, Pixels
from farthing.documents.synthetic.measure import (
    MEASURED_PX,
    PageLook,
    measure_page,
    paper_tile,
    reduced,
    shading,
)

MAX_PAGES = 150
LOOK_FILE = "look.json"
_LEAST_SIDE = 64

_log = logging.getLogger(__name__)


class CollectionLook(msgspec.Struct, frozen=True, kw_only=True):
    """How the pages of a collection look (`look.json`).

    Attributes:
        num_pages: of the collection.
        pages: those that were measured.
    """

    num_pages: int
    pages: tuple[PageLook, ...]

    def summary(self) -> str:
        """Its facts in one sentence."""
        captures = Counter(page.capture for page in self.pages)
        shares = ", ".join(f"{count / len(self.pages):.0%} {name}" for name, count in captures.most_common())
        pitches = [1 / page.pitch for page in self.pages if page.pitch]
        lines = f", about {np.median(pitches):.0f} lines a page" if pitches else ""
        columns = np.mean([page.columns > 1 for page in self.pages])
        return f"{len(self.pages)} of {self.num_pages} pages measured: {shares}{lines}, {columns:.0%} in columns"


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class FittedPage:
    """One real page, as far as synthetic ones use it.

    Attributes:
        look: in numbers.
        tile: u8 [side, side, 3], bare paper with its grain; None if the page had none to show.
        shade: f32 [rows, columns] about 1, how light falls on it.
    """

    look: PageLook
    tile: Pixels | None
    shade: Floats


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class FittedLook:
    """The look of a collection with samples of its paper.

    Attributes:
        look: in numbers.
        pages: those that were measured, one or more.
    """

    look: CollectionLook
    pages: tuple[FittedPage, ...]


def fit_collection(location: Path | str, *, max_pages: int = MAX_PAGES, seed: int = 0) -> FittedLook:
    """Measures the pages of a collection, some of them if there are many.

    Args:
        location: as `open_collection` takes it.
        max_pages: the most pages to read, from 1.
        seed: of which ones.

    Raises:
        DataError: nothing is at `location`, or no page can be read.
    """
    sources = list(open_collection(location).sources())
    order = np.random.default_rng([seed, len(sources)]).permutation(len(sources))[:max_pages]
    pages: list[Page] = []
    for place in sorted(order.tolist()):
        try:
            pages.append(sources[place].load(MEASURED_PX))
        except DataError as error:
            _log.warning("left out: %s", error)
    fitted = fit_pages(page.pixels for page in pages)
    if not fitted:
        raise DataError(f"{location}: no page can be measured, of {len(sources)}; look at the log for the reasons")
    look = CollectionLook(num_pages=len(sources), pages=tuple(page.look for page in fitted))
    return FittedLook(look=look, pages=fitted)


def fit_pages(pages: Iterable[Pixels]) -> tuple[FittedPage, ...]:
    """The looks of pages, u8 [height, width, 3] each; those below 64 x 64 are left out."""
    fitted = []
    for pixels in pages:
        if min(pixels.shape[:2]) < _LEAST_SIDE:
            continue
        small = reduced(pixels)
        look = measure_page(small)
        fitted.append(FittedPage(look=look, tile=paper_tile(small, look), shade=shading(small, look)))
    return tuple(fitted)
