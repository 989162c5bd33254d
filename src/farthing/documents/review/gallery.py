"""The questions of the review page, answered from the store; pages are numbered in the order of the collection."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from farthing.documents.classes import CLASSES
from farthing.documents.filtering.promise import read_promise
from farthing.documents.filtering.wording import any_of, class_title
from farthing.documents.recall.sampling import read_sample
from farthing.documents.review.messages import BoxMessage, Columns, Facts, FailedPage, PageState, PromiseMessage
from farthing.results.rows import BoxRow, PageQuery
from farthing.results.store import Store
from farthing.web.endpoints import RequestError

_MOST_FAILED = 200  # listed by name
_DECIMALS = 4  # of scores
_DOUBT_ODDS = 3.0
_MOST_IN_A_SENTENCE = 3  # classes; `any_of` says no more than their number beyond


class Gallery:
    """A store as the review page sees it; may be used from several threads.

    A page's number is its place among the store's pages in the order in which they were added. Pages are only ever
    added at the end, so a number stays good while a filter is still running.

    Attributes:
        folder: of the filter, with its sample and its calibration.
        is_changed: whether anything was decided or corrected.
    """

    def __init__(self, store: Store, folder: Path) -> None:
        self._store, self.folder = store, folder
        self._pages: list[str] = []
        self.is_changed = False

    def facts(self) -> Facts:
        """What is known of the collection as a whole.

        Raises:
            FormatError: the calibration is damaged.
        """
        meta = self._store.meta()
        wanted = [str(label) for label in meta["contains"]]
        num_pages, unread = self._store.count(PageQuery(is_readable=True)), PageQuery(is_readable=False)
        promise = read_promise(self.folder, num_pages=num_pages)
        return Facts(
            name=str(meta["collection"]).rstrip("/").rpartition("/")[2],
            num_pages=num_pages,
            wanted=wanted,
            question=_question(wanted),
            classes=list(dict.fromkeys([*wanted, *CLASSES])),
            threshold=float(meta["threshold"]),
            doubtful=doubtful_range(float(meta["threshold"])),
            promise=PromiseMessage(kind=promise.kind, title=promise.title, detail=promise.detail),
            num_failed=self._store.count(unread),
            failed=[
                FailedPage(page=row.page, reason=row.failure or "")
                for row in islice(self._store.pages(unread), _MOST_FAILED)
            ],
        )

    def columns(self) -> Columns:
        """All readable pages.

        Raises:
            FormatError: the sample is damaged.
        """
        sample = read_sample(self.folder)
        places = {} if sample is None else {page: place for place, page in enumerate(sample.pages)}
        columns = _no_columns(self._store.meta()["contains"])
        names = []
        for number, row in enumerate(self._store.pages()):
            names.append(row.page)
            if row.failure is not None:
                continue
            columns.id.append(number)
            columns.page.append(row.page)
            columns.width.append(row.width)
            columns.height.append(row.height)
            columns.score.append(round(row.score or 0.0, _DECIMALS))
            columns.keep.append(int(row.keep))
            columns.decision.append(-1 if row.decision is None else int(row.decision))
            columns.sample.append(places.get(row.page, -1))
            for label, scores in columns.scores.items():
                scores.append(round(row.scores[label], _DECIMALS))
        self._pages = names  # one assignment: other threads see the old list or the new one
        return columns

    def name_of(self, number: int) -> str:
        """The page with this number.

        Raises:
            RequestError: there is none.
        """
        if number >= len(self._pages):
            self._read_names()
        if not 0 <= number < len(self._pages):
            raise RequestError(f"page {number}: the collection has pages 0 to {len(self._pages) - 1}")
        return self._pages[number]

    def boxes(self, numbers: Sequence[int]) -> dict[int, list[BoxMessage]]:
        """The boxes of pages, by number.

        Raises:
            RequestError: there is no such page.
        """
        return {number: [_message(box) for box in self._store.boxes(self.name_of(number))] for number in numbers}

    def replace_boxes(self, number: int, boxes: Sequence[BoxMessage]) -> list[BoxMessage]:
        """Makes these the boxes of a page, on the disk when it returns; returns them as the store has them.

        Raises:
            RequestError: there is no such page, a class has another name, or a box is empty or outside the page.
        """
        row = self._store.page(self.name_of(number))
        known = {*CLASSES, *self.facts().wanted}
        for box in boxes:
            if box.label not in known:
                raise RequestError(f"label of a box must be one of {', '.join(sorted(known))}; got {box.label!r}")
            if not (box.x0 < box.x1 <= row.width and box.y0 < box.y1 <= row.height):
                raise RequestError(
                    f"a box must have x0 < x1 and y0 < y1 and lie inside the page of {row.width} x {row.height} "
                    f"pixels, got {box.x0:g}, {box.y0:g}, {box.x1:g}, {box.y1:g}"
                )
        self._store.replace_boxes(row.page, [_row(box) for box in boxes])
        self.is_changed = True
        return [_message(box) for box in self._store.boxes(row.page)]

    def decide(self, number: int, *, contains: bool) -> PageState:
        """Records what a person says about a page, on the disk when it returns.

        Raises:
            RequestError: there is no such page.
        """
        page = self.name_of(number)
        self._store.decide(page, contains, "review")
        self.is_changed = True
        return self._state(number, page)

    def undo(self) -> PageState | None:
        """Takes back the last decision made on the review page; returns its page as it is then."""
        page = self._store.undo()
        if page is None:
            return None
        self.is_changed = True
        return self._state(self._number_of(page), page)

    def _number_of(self, page: str) -> int:
        if page not in self._pages:
            self._read_names()
        return self._pages.index(page)

    def _read_names(self) -> None:
        self._pages = [row.page for row in self._store.pages()]

    def _state(self, number: int, page: str) -> PageState:
        row = self._store.page(page)
        return PageState(page=number, keep=row.keep, decision=row.decision)


def doubtful_range(threshold: float) -> tuple[float, float]:
    """Lowest and highest score whose odds, s / (1 - s), are within a factor of 3 of the threshold's."""
    tiny = 1e-6
    odds = max(threshold, tiny) / max(1 - threshold, tiny)
    low, high = odds / _DOUBT_ODDS, odds * _DOUBT_ODDS
    return round(low / (1 + low), _DECIMALS), round(high / (1 + high), _DECIMALS)


def _question(wanted: Sequence[str]) -> str:
    """What a person is asked about a page: every class by its name, because "wanted" is what they answer."""
    if len(wanted) <= _MOST_IN_A_SENTENCE:
        return f"Does it show {any_of(wanted)}?"
    return f"Does it show any of these: {', '.join(class_title(name) for name in wanted)}?"


def _no_columns(labels: Sequence[str]) -> Columns:
    scores: dict[str, list[float]] = {label: [] for label in labels}
    return Columns(id=[], page=[], width=[], height=[], score=[], keep=[], decision=[], sample=[], scores=scores)


def _message(box: BoxRow) -> BoxMessage:
    return BoxMessage(label=box.label, x0=box.x0, y0=box.y0, x1=box.x1, y1=box.y1, score=box.score, source=box.source)


def _row(box: BoxMessage) -> BoxRow:
    return BoxRow(label=box.label, x0=box.x0, y0=box.y0, x1=box.x1, y1=box.y1, score=box.score, source=box.source)
