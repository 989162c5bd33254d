"""The rows of the result store, and the questions that can be asked about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

MadeBy = Literal["review", "file"]
Order = Literal["id", "score", "page"]


@dataclass(frozen=True, kw_only=True, slots=True)
class BoxRow:
    """One object on a page.

    Attributes:
        label: name of its class.
        x0, y0, x1, y1: in page pixels; x1 and y1 exclusive.
        score: the detector's, in [0, 1]; None for a box that a person drew.
        source: who made it.
    """

    label: str
    x0: float
    y0: float
    x1: float
    y1: float
    score: float | None = None
    source: Literal["model", "person"] = "model"

    def counts(self, threshold: float) -> bool:
        """Whether it scores from the threshold or was drawn."""
        return self.score is None or self.score >= threshold


@dataclass(frozen=True, kw_only=True, slots=True)
class PageRow:
    """One page of a collection and what was found on it.

    Attributes:
        page: its path relative to the collection; unique.
        document: what it belongs to.
        width: page pixels; 0 if it could not be read.
        height: page pixels; 0 if it could not be read.
        score: how sure the detector is that it holds one of the wanted classes, in [0, 1]; None if unread.
        scores: the same for each wanted class.
        keep: whether it is among the pages that are handed on; a person's decision counts before the threshold.
        failure: why it could not be read; None if it could.
        decision: whether a person said that it holds one of the wanted classes; None where nobody decided.
    """

    page: str
    document: str
    width: int = 0
    height: int = 0
    score: float | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    keep: bool = False
    failure: str | None = None
    decision: bool | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentRow:
    """The pages of one document together.

    Attributes:
        document: its name.
        num_pages: pages, unreadable ones included.
        num_kept: kept pages.
        score: of its best page; None if none could be read.
        first_kept: its first kept page in the order of the collection; None if none is kept.
    """

    document: str
    num_pages: int
    num_kept: int
    score: float | None
    first_kept: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What a person said about one page.

    Attributes:
        page: which one.
        contains: whether it holds one of the wanted classes.
        made_at: ISO 8601, UTC.
        made_by: on the review page, or in a file.
        is_undone: taken back.
    """

    page: str
    contains: bool
    made_at: str
    made_by: MadeBy
    is_undone: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class PageQuery:
    """Which pages are meant; None everywhere means all of them.

    Attributes:
        keep: only kept ones, or only rejected ones.
        is_readable: only those that were read, or only those that failed.
        is_decided: only those that a person decided, or only the others.
        label: `least_score` and `most_score` are about this class instead of the page.
        least_score: smallest score, inclusive.
        most_score: largest score, exclusive.
        document: only the pages of this one.
    """

    keep: bool | None = None
    is_readable: bool | None = None
    is_decided: bool | None = None
    label: str | None = None
    least_score: float | None = None
    most_score: float | None = None
    document: str | None = None

    def sql(self) -> tuple[str, list[object]]:
        """What stands after WHERE for the view `page_rows`, and its parameters."""
        score, of_class = "score", []
        if self.label is not None:
            score, of_class = "(SELECT score FROM scores WHERE page_id = page_rows.id AND class = ?)", [self.label]
        terms: list[tuple[str, object, list[str]]] = [
            ("keep = ?", self.keep, []),
            ("(reason IS NULL) = ?", self.is_readable, []),
            ("(decision IS NOT NULL) = ?", self.is_decided, []),
            ("document = ?", self.document, []),
            (f"{score} >= ?", self.least_score, of_class),
            (f"{score} < ?", self.most_score, of_class),
        ]
        asked = [(text, [*before, value]) for text, value, before in terms if value is not None]
        where = " AND ".join(text for text, _ in asked)
        return where or "TRUE", [value for _, values in asked for value in values]
