"""Which pages a report shows, and how: a few sure, doubtful and rejected ones with their boxes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from farthing.base.errors import DataError
from farthing.documents.collection.pages import Collection
from farthing.documents.filtering.thumbnails import thumbnail_uri
from farthing.results.rows import BoxRow, PageQuery, PageRow
from farthing.results.store import Store

NUM_SHOWN = 24
_SIDE_PX = 360
_MOST_BOXES = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownPage:
    """One page of a contact sheet.

    Attributes:
        row: what is known of the page.
        picture: a data URI; None if the page could not be read again.
        boxes: the objects that count, or the best one where none does.
        is_faint: whether that best one is all there is.
    """

    row: PageRow
    picture: str | None
    boxes: tuple[BoxRow, ...]
    is_faint: bool

    @property
    def aspect(self) -> float:
        """Width over height, within what a sheet can show."""
        return min(max(self.row.width / max(self.row.height, 1), 0.3), 3.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sheet:
    """A contact sheet.

    Attributes:
        name: sure, doubtful or rejected.
        num_pages: pages that it stands for.
        pages: those that are shown.
    """

    name: str
    num_pages: int
    pages: tuple[ShownPage, ...]


def make_sheets(store: Store, collection: Collection) -> list[Sheet]:
    """The three contact sheets, with their pictures.

    Doubtful are up to half a sheet of pages on each side of the line, but at most a quarter of that side. The others
    are spread evenly over the ranking of the kept and of the rejected pages, best first.
    """
    threshold = float(store.meta()["threshold"])
    kept, rejected = (PageQuery(keep=keep, is_readable=True) for keep in (True, False))
    num_kept, num_rejected = store.count(kept), store.count(rejected)
    near_kept, near_rejected = (min(NUM_SHOWN // 2, count // 4) for count in (num_kept, num_rejected))
    lines = {
        "sure": (num_kept - near_kept, _spread(store, kept, 0, num_kept - near_kept)),
        "doubtful": (
            near_kept + near_rejected,
            [*_ranked(store, kept, num_kept - near_kept, near_kept), *_ranked(store, rejected, 0, near_rejected)],
        ),
        "rejected": (num_rejected - near_rejected, _spread(store, rejected, near_rejected, num_rejected)),
    }
    return [
        Sheet(name=name, num_pages=count, pages=tuple(_show(store, collection, row, threshold) for row in rows))
        for name, (count, rows) in lines.items()
    ]


def _ranked(store: Store, query: PageQuery, start: int, count: int) -> Iterator[PageRow]:
    return store.pages(query, order="score", descending=True, limit=count, offset=start)


def _spread(store: Store, query: PageQuery, start: int, stop: int) -> Sequence[PageRow]:
    """Up to a sheet of pages, evenly over the ranks from `start` to `stop`."""
    count = min(NUM_SHOWN, stop - start)
    ranks = [start + (stop - start) * position // count for position in range(count)]
    return [row for rank in ranks for row in _ranked(store, query, rank, 1)]


def _show(store: Store, collection: Collection, row: PageRow, threshold: float) -> ShownPage:
    boxes = store.boxes(row.page)
    counting = [box for box in boxes if box.counts(threshold)]
    try:
        picture = thumbnail_uri(collection.source(row.page).load(_SIDE_PX), max_side=_SIDE_PX)
    except DataError:
        picture = None  # it was there when the page was filtered; the page says so in its place
    shown = tuple((counting or boxes[:1])[:_MOST_BOXES])
    return ShownPage(row=row, picture=picture, boxes=shown, is_faint=not counting)
