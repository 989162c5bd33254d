"""What travels between the review page and its server, as JSON."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

_Corner = Annotated[float, msgspec.Meta(ge=0, le=1e6)]
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class BoxMessage(msgspec.Struct, frozen=True):
    """One box, in page pixels; `score` is None where a person drew it."""

    label: _Name
    x0: _Corner
    y0: _Corner
    x1: _Corner
    y1: _Corner
    score: float | None = None
    source: Literal["model", "person"] = "model"


class BoxesMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All boxes of a page, as a person left them."""

    boxes: Annotated[list[BoxMessage], msgspec.Meta(max_length=1000)]


class DecisionMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person says about a page: whether it holds what is looked for."""

    page: Annotated[int, msgspec.Meta(ge=0)]
    contains: bool


class PageState(msgspec.Struct, frozen=True):
    """Where a page stands after a change: its number, whether it stays, and the person's decision if there is one."""

    page: int
    keep: bool
    decision: bool | None


class UndoAnswer(msgspec.Struct, frozen=True):
    """The page whose decision was taken back; None where there was none to take back."""

    undone: PageState | None


class SampleMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Draws a sample for calibration of so many pages; None doubles the one there is."""

    pages: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] | None


class RecallMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Asks for a threshold with this recall at this confidence."""

    recall: Annotated[float, msgspec.Meta(gt=0, lt=1)]
    confidence: Annotated[float, msgspec.Meta(gt=0, lt=1)]


class PromiseMessage(msgspec.Struct, frozen=True):
    """What can be said of the recall: see `documents.promise.Promise`."""

    kind: Literal["open", "short", "promised"]
    title: str
    detail: str


class FailedPage(msgspec.Struct, frozen=True):
    """A page that could not be read, and why."""

    page: str
    reason: str


class Facts(msgspec.Struct, frozen=True):
    """What the page says about the collection as a whole.

    Attributes:
        name: of the collection.
        num_pages: how many could be read.
        wanted: the classes that pages are filtered for.
        question: what a person is asked about a page: "Does it show an illustration or a stamp?"
        classes: all classes that a box may have.
        threshold: pages from this score on are kept.
        doubtful: lowest and highest score of a page that a person should look at.
        promise: of the recall.
        num_failed: how many pages could not be read.
        failed: the first of them.
    """

    name: str
    num_pages: int
    wanted: list[str]
    question: str
    classes: list[str]
    threshold: float
    doubtful: tuple[float, float]
    promise: PromiseMessage
    num_failed: int
    failed: list[FailedPage]


class Columns(msgspec.Struct, frozen=True):
    """All readable pages, one list per fact, in the order of the collection.

    Attributes:
        id: number of the page in requests.
        page: its name.
        width: page pixels.
        height: page pixels.
        score: in [0, 1].
        keep: 1 if it stays, the person's decision counted first.
        decision: 1 or 0 where a person decided, else -1.
        sample: its place among the pages drawn for calibration, from 0; -1 where it was not drawn.
        scores: the score of each wanted class.
    """

    id: list[int]
    page: list[str]
    width: list[int]
    height: list[int]
    score: list[float]
    keep: list[int]
    decision: list[int]
    sample: list[int]
    scores: dict[str, list[float]]
