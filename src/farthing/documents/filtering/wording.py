"""Numbers and classes as words for people."""

from __future__ import annotations

from collections.abc import Sequence

_NAMED = 3
_WITHOUT_ARTICLE = frozenset({"music"})


def plural(count: int, noun: str) -> str:
    """`1 page`, `2,000 pages`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def class_title(name: str) -> str:
    """`drop_capital` -> `drop capital`."""
    return name.replace("_", " ")


def any_of(classes: Sequence[str]) -> str:
    """`an illustration or a stamp`; only their number where there are many."""
    if len(classes) > _NAMED:
        return f"one of {len(classes)} kinds of object"
    *first, last = [_with_article(name) for name in classes]
    return f"{', '.join(first)} or {last}" if first else last


def share(part: int, whole: int) -> str:
    """`12 %` of a whole; `0.4 %` below one; never 0 or 100 unless it is."""
    value = 100 * part / whole if whole else 0.0
    if 0 < value < 1 or 99 < value < 100:
        return f"{min(max(value, 0.1), 99.9):.1f} %"
    return f"{value:.0f} %"


def _with_article(name: str) -> str:
    title = class_title(name)
    if name in _WITHOUT_ARTICLE:
        return title
    return f"{'an' if title[:1].lower() in 'aeiou' else 'a'} {title}"
