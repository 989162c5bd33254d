"""Pages go to the document that the group says, and documents are judged by their pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from farthing.documents.collection.sources import BrokenSource
from farthing.documents.filtering.groups import Group, document_of, write_documents
from farthing.results.rows import PageRow
from tests.documents.fakes import make_store, page_row


@pytest.mark.parametrize(
    ("id", "document", "group", "expected"),
    [
        ("a/b/1.jpg", "a/b", "folder", "a/b"),
        ("1.jpg", ".", "folder", "."),
        ("a/book.pdf#0003", "a/book.pdf", "folder", "a"),
        ("a/book.pdf#0003", "a/book.pdf", "pdf", "a/book.pdf"),
        ("a/1.jpg", "a", "pdf", "a"),
        ("m.json#0001", "m.json", "manifest", "m.json"),
        ("a/book.pdf#0003", "a/book.pdf", None, "a/book.pdf"),
    ],
)
def test_document_of(id: str, document: str, group: Group | None, expected: str) -> None:
    assert document_of(BrokenSource(id=id, document=document, reason=""), group) == expected


def test_a_document_is_kept_if_one_of_its_pages_is(tmp_path: Path) -> None:
    rows = [
        page_row("b/1.jpg", 0.2),
        page_row("b/2.jpg", 0.7),
        page_row("b/3.jpg", 0.9),
        page_row("a/1.jpg", 0.4),
        PageRow(page="c/1.jpg", document="c", failure="is empty"),
    ]
    with make_store(tmp_path / "store.sqlite", rows, collection=tmp_path) as store:
        write_documents(store, tmp_path / "documents.csv")
    assert (tmp_path / "documents.csv").read_text() == (
        "document,pages,kept_pages,score,keep,first_page\nb,3,2,0.900000,1,b/2.jpg\na,1,0,0.400000,0,\nc,1,0,,0,\n"
    )
