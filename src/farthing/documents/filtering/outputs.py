"""The files that are made from a store: tables, detections, crops and the report; made anew when it changes."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from farthing.base.files import atomic_path
from farthing.documents.collection.pages import Collection, open_collection
from farthing.documents.filtering.crops import CropCount, write_crops
from farthing.documents.filtering.groups import DOCUMENTS_FILE, write_documents
from farthing.documents.filtering.progress import NoProgress, PageProgress
from farthing.documents.filtering.report import write_report
from farthing.results.rows import PageQuery
from farthing.results.store import STORE_FILE, Store

PAGES_FILE = "pages.csv"
DETECTIONS_FILE = "detections.json"
FAILED_FILE = "failed.csv"


def write_pages(store: Store, path: Path) -> None:
    """Writes page, score, keep and the score of each class of every page that was read, in the collection's order."""
    classes: list[str] = store.meta()["contains"]
    with _table(path, ["page", "score", "keep", *classes]) as writer:
        for row in store.pages(PageQuery(is_readable=True)):
            scores = (row.score, *(row.scores[name] for name in classes))
            first, *others = (f"{score:.6f}" for score in scores)
            writer.writerow([row.page, first, int(row.keep), *others])


def write_failed(store: Store, path: Path) -> None:
    """Writes page and reason of every page that could not be read."""
    with _table(path, ["page", "reason"]) as writer:
        for row in store.pages(PageQuery(is_readable=False)):
            writer.writerow([row.page, row.failure])


def write_detections(store: Store, path: Path) -> None:
    """Writes a JSON list with one line per box: file_name, category, bbox (x, y, width, height; page pixels), score.

    Boxes that a person drew have no score of a model and count as sure: 1.
    """
    with atomic_path(path) as temporary, temporary.open("wb") as stream:
        start = b"[\n"
        for row in store.pages(PageQuery(is_readable=True)):
            for box in store.boxes(row.page):
                entry = {
                    "file_name": row.page,
                    "category": box.label,
                    "bbox": [round(value, 2) for value in (box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0)],
                    "score": 1.0 if box.score is None else box.score,
                }
                stream.write(start + msgspec.json.encode(entry))
                start = b",\n"
        stream.write(b"\n]\n" if start != b"[\n" else b"[]\n")


def write_outputs(
    store: Store, folder: Path, collection: Collection, *, workers: int = 1, progress: PageProgress | None = None
) -> CropCount:
    """Writes every file that is made from a store into `folder`, tables first.

    Args:
        store: what was found.
        folder: where the files go.
        collection: the pages, for crops and for the pictures of the report.
        workers: threads that decode pages.
        progress: told about the crops.

    Returns:
        What was cut out; nothing where no crops are wanted.

    Raises:
        DataError: the folder cannot be written.
    """
    facts = store.meta()
    write_pages(store, folder / PAGES_FILE)
    write_failed(store, folder / FAILED_FILE)
    write_detections(store, folder / DETECTIONS_FILE)
    if facts["group"] is not None:
        write_documents(store, folder / DOCUMENTS_FILE)
    cut = CropCount(crops=0, failed_pages=0)
    if (max_side := facts["crop_pixels"]) is not None:
        shown = progress or NoProgress()
        cut = write_crops(store, collection, folder, max_side=max_side, workers=workers, progress=shown)
    write_report(store, collection, folder)
    return cut


def refresh_outputs(folder: Path, *, workers: int = 1, progress: PageProgress | None = None) -> CropCount:
    """Writes the files of an earlier filter anew, after its threshold or its decisions changed.

    Raises:
        FormatError: `folder` holds no filter.
        DataError: the collection is not where it was, or `folder` cannot be written.
    """
    with Store.open(folder / STORE_FILE) as store:
        facts = store.meta()
        collection = open_collection(facts["collection"], max_pixels=facts["max_pixels"])
        return write_outputs(store, folder, collection, workers=workers, progress=progress)


@contextmanager
def _table(path: Path, columns: list[str]) -> Iterator[Any]:  # Any: the csv module does not name its writer's type
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(columns)
        yield writer
