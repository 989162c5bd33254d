"""Pages as parts of documents: which document a page belongs to, and the table of documents."""

from __future__ import annotations

import csv
from pathlib import Path, PurePosixPath
from typing import Literal

from farthing.base.files import atomic_path
from farthing.documents.collection.sources import PageSource
from farthing.results.store import Store

DOCUMENTS_FILE = "documents.csv"
Group = Literal["folder", "pdf", "manifest"]


def document_of(source: PageSource, group: Group | None) -> str:
    """The name of the document that a page counts to.

    Args:
        source: the page.
        group: `folder`: all files of a folder are one document; otherwise each PDF, multipage TIFF, manifest is one,
            and so are the loose images of each folder.
    """
    if group == "folder":
        return PurePosixPath(source.id.partition("#")[0]).parent.as_posix()
    return source.document


def write_documents(store: Store, path: Path) -> None:
    """Writes the table of documents: document, pages, kept_pages, score, keep, first_page.

    A document scores as high as its best page and is kept if one of its pages is; `first_page` is the first kept one.

    Raises:
        DataError: the file cannot be written.
    """
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["document", "pages", "kept_pages", "score", "keep", "first_page"])
        for row in store.documents():
            score = "" if row.score is None else f"{row.score:.6f}"
            writer.writerow(
                [row.document, row.num_pages, row.num_kept, score, int(row.num_kept > 0), row.first_kept or ""]
            )
