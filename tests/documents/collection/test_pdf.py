from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from farthing.base.errors import DataError
from farthing.documents.collection.pdf import PdfSource, num_pages
from tests.vision.hostile import locked_pdf, pdf


def source(path: Path, index: int = 0, max_pixels: int = 50_000_000) -> PdfSource:
    return PdfSource(id=f"book.pdf#{index + 1:04d}", document="book.pdf", path=path, index=index, max_pixels=max_pixels)


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "book.pdf"
    path.write_bytes(pdf([(120, 240), (300, 100)]))
    return path


def test_pages_are_told_in_pixels_at_300_dpi_and_drawn_as_asked(book: Path) -> None:
    assert num_pages(book) == 2
    page = source(book).load(96)
    assert (page.width, page.height, page.pixels.shape) == (500, 1000, (96, 48, 3))
    dark = page.pixels[:, :, 0] < 128
    expected = np.zeros((96, 48), bool)
    expected[:48, :12] = True
    np.testing.assert_array_equal(dark, expected)
    assert source(book).load(5000).pixels.shape == source(book).load().pixels.shape == (1000, 500, 3)
    assert source(book, 1).load(50).pixels.shape == (17, 50, 3)


def test_several_threads_may_draw(book: Path) -> None:
    with ThreadPoolExecutor(4) as pool:
        pages = list(pool.map(lambda index: source(book, index % 2).load(40), range(16)))
    for index, page in enumerate(pages):
        np.testing.assert_array_equal(page.pixels, source(book, index % 2).load(40).pixels)


def test_a_huge_page_is_drawn_small_only(tmp_path: Path) -> None:
    path = tmp_path / "poster.pdf"
    path.write_bytes(pdf([(14400, 14400)]))
    assert source(path).load(100).pixels.shape == (100, 100, 3)
    with pytest.raises(DataError, match=r"poster.pdf: page 1: 60000 x 60000 pixels are more than the 50 megapixels"):
        source(path).load()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (locked_pdf(), r"book.pdf: the PDF needs a password; save a copy without one"),
        (b"", "is no PDF, or a damaged one"),
        (b"\xff\xd8\xff an image by the wrong name", "is no PDF, or a damaged one"),
        (pdf([(9, 9)])[:60], "is no PDF, or a damaged one"),
        (pdf([]), "has no pages|is no PDF"),
    ],
)
def test_files_that_cannot_be_opened(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "book.pdf"
    path.write_bytes(content)
    with pytest.raises(DataError, match=reason):
        num_pages(path)


def test_a_missing_file_or_page(book: Path) -> None:
    with pytest.raises(DataError, match=r"absent.pdf: cannot be read"):
        num_pages(book.with_name("absent.pdf"))
    with pytest.raises(DataError, match=r"book.pdf: has no page 8"):
        source(book, 7).load(10)
