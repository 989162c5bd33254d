"""What a reader takes from a file, word for word, before anything is checked."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from farthing.base.errors import DataError

Corners = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class PageRecord:
    """One page as a file describes it.

    Attributes:
        page: the image's name as written.
        width: of the page in pixels.
        height: of the page in pixels.
        objects: (class name as written, (x0, y0, x1, y1) in pixels), unchecked.
    """

    page: str
    width: int
    height: int
    objects: list[tuple[str, Corners]] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True)
class Parsed:
    """All pages of one file or folder.

    Attributes:
        pages: in the file's order.
        classes: names as written that the file declares, also those that no object has.
    """

    pages: list[PageRecord]
    classes: tuple[str, ...] = ()


class Warnings:
    """Counts what is wrong with a file, one entry per kind."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._places: dict[str, str] = {}

    def add(self, kind: str, place: str) -> None:
        """Counts one more `kind` (words that follow a number: "boxes lie outside their page"), met at `place`."""
        self._counts[kind] += 1
        self._places.setdefault(kind, place)

    def messages(self) -> tuple[str, ...]:
        """One sentence per kind, in the order in which they were first met."""
        return tuple(f"{count:,} {kind} (first: {self._places[kind]})" for kind, count in self._counts.items())


def bounds(points: list[tuple[float, float]]) -> Corners:
    """The smallest box around at least one point."""
    xs, ys = zip(*points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def points(text: str, name: str) -> list[tuple[float, float]]:
    """The points of an outline, written `x,y x,y` or `x y x y`.

    Raises:
        DataError: not numbers, or an odd number of them; `name` is the file that the message names.
    """
    try:
        numbers = [float(number) for number in text.replace(",", " ").split()]
        return list(zip(numbers[::2], numbers[1::2], strict=True))
    except ValueError as error:
        raise DataError(f"{name}: an outline must be pairs of numbers, got {text[:80]!r}") from error


def positive_int(text: str | None, attribute: str, name: str) -> int:
    """A size in whole pixels.

    Raises:
        DataError: missing, no number, or below 1; `name` is the file that the message names.
    """
    try:
        value = round(float(text or ""))
    except (ValueError, OverflowError):
        value = 0
    if value < 1:
        raise DataError(f"{name}: {attribute} must be the size of the page in pixels, got {text!r}")
    return value
