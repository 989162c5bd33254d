"""Images are scaled to what is shown, and kept within a bound."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from farthing.base.errors import DataError
from farthing.documents.collection.sources import PageSource
from farthing.documents.page import Page
from farthing.documents.review.images import SIZES, PageImages, fit


@dataclass
class CountingCollection:
    """Pages of one size and colour; counts how often each was read."""

    width: int
    height: int
    read: list[tuple[str, int | None]] = field(default_factory=list)

    def sources(self) -> Iterator[PageSource]:
        return iter(())

    def source(self, id: str) -> PageSource:
        if not id.startswith("page"):
            raise DataError(f"page {id!r}: is not here")
        return _CountingSource(id, self)


@dataclass
class _CountingSource:
    id: str
    collection: CountingCollection
    document: str = "."

    def load(self, max_side: int | None = None) -> Page:
        self.collection.read.append((self.id, max_side))
        width, height = self.collection.width, self.collection.height
        pixels = np.empty((height, width, 3), np.uint8)
        pixels[:] = (200, 30, 10)
        return Page(id=self.id, document=self.document, pixels=pixels, width=width, height=height)


@pytest.mark.parametrize(("size", "expected"), [("small", (400, 267)), ("medium", (900, 600)), ("large", (900, 600))])
def test_long_sides_are_at_most_the_size_and_never_more_than_the_page(size: str, expected: tuple[int, int]) -> None:
    collection = CountingCollection(900, 600)
    image = Image.open(io.BytesIO(PageImages(collection).get("page", size)))
    assert image.size == expected
    assert collection.read == [("page", SIZES[size])]


def test_colours_stay_what_they_are() -> None:
    image = Image.open(io.BytesIO(PageImages(CountingCollection(60, 40)).get("page", "small"))).convert("RGB")
    assert np.allclose(np.asarray(image).reshape(-1, 3).mean(axis=0), (200, 30, 10), atol=4)


def test_an_image_is_made_once_while_it_is_kept() -> None:
    collection = CountingCollection(60, 40)
    images = PageImages(collection)
    assert images.get("page1", "small") == images.get("page1", "small")
    images.get("page1", "medium")
    assert len(collection.read) == 2


def test_the_image_used_longest_ago_goes_first() -> None:
    collection = CountingCollection(60, 40)
    one = len(PageImages(collection).get("page1", "small"))
    collection.read.clear()
    images = PageImages(collection, cache_bytes=2 * one)
    for page in ("page1", "page2", "page1", "page3", "page1", "page2"):
        images.get(page, "small")
    assert [page for page, _ in collection.read] == ["page1", "page2", "page3", "page2"]


def test_a_page_that_is_not_there_is_an_error() -> None:
    with pytest.raises(DataError, match="is not here"):
        PageImages(CountingCollection(60, 40)).get("other", "small")


@given(width=st.integers(1, 90), height=st.integers(1, 90), side=st.integers(1, 60))
def test_fitting_keeps_the_shape_and_never_enlarges(width: int, height: int, side: int) -> None:
    rows, columns, _ = fit(np.zeros((height, width, 3), np.uint8), side).shape
    assert max(rows, columns) == min(max(width, height), side)
    scale = max(rows, columns) / max(width, height)
    assert abs(columns - width * scale) <= 1
    assert abs(rows - height * scale) <= 1
