"""Sentences are right for one, for many, and for none."""

from __future__ import annotations

import pytest

from farthing.documents.filtering.wording import any_of, class_title, plural, share


@pytest.mark.parametrize(
    ("count", "expected"), [(0, "0 pages"), (1, "1 page"), (2, "2 pages"), (12345, "12,345 pages")]
)
def test_plural(count: int, expected: str) -> None:
    assert plural(count, "page") == expected


@pytest.mark.parametrize(
    ("classes", "expected"),
    [
        (["illustration"], "an illustration"),
        (["music"], "music"),
        (["drop_capital", "stamp"], "a drop capital or a stamp"),
        (["illustration", "decoration", "map"], "an illustration, a decoration or a map"),
        (["a", "b", "c", "d"], "one of 4 kinds of object"),
    ],
)
def test_any_of(classes: list[str], expected: str) -> None:
    assert any_of(classes) == expected


def test_class_title() -> None:
    assert class_title("drop_capital") == "drop capital"


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [
        (0, 0, "0 %"),
        (0, 9, "0 %"),
        (9, 9, "100 %"),
        (1, 100000, "0.1 %"),
        (99999, 100000, "99.9 %"),
        (1, 3, "33 %"),
        (4, 1000, "0.4 %"),
    ],
)
def test_a_share_is_nothing_or_all_only_if_it_is(part: int, whole: int, expected: str) -> None:
    assert share(part, whole) == expected
