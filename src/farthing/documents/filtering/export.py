"""The kept pages of a filter and their objects as annotations that other programs read."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from farthing.documents.collection.pages import canvases, open_collection
from farthing.documents.detections import PageLabels
from farthing.documents.formats import Annotations, write_annotations
from farthing.results.rows import PageQuery, PageRow
from farthing.results.store import STORE_FILE, Store

EXPORT_FOLDER = "export"


def export_annotations(folder: Path, *, format: str, out: Path | None = None) -> Path:
    """Writes the objects of the kept pages that score from the threshold or were drawn; returns where.

    Args:
        folder: of a filter.
        format: one of `formats.WRITERS`.
        out: the folder of annotations; `folder/export/FORMAT` where not given.

    Raises:
        ConfigError: an unknown format.
        FormatError: `folder` holds no filter.
        DataError: `out` cannot be written, or (IIIF) the collection is not where it was.
    """
    out = out or folder / EXPORT_FOLDER / format
    with Store.open(folder / STORE_FILE) as store:
        facts = store.meta()
        kept = store.pages(PageQuery(keep=True))
        pages = tuple(_labels(store, row, facts["threshold"]) for row in kept)
        annotations = Annotations(pages=pages, classes=tuple(facts["contains"]))
        targets = canvases(open_collection(facts["collection"])) if format == "iiif" else None
        write_annotations(annotations, out, format, canvases=targets)
    return out


def _labels(store: Store, row: PageRow, threshold: float) -> PageLabels:
    boxes = [box for box in store.boxes(row.page) if box.counts(threshold)]
    corners = [(box.x0, box.y0, box.x1, box.y1) for box in boxes]
    return PageLabels(
        page=row.page,
        width=row.width,
        height=row.height,
        boxes=np.array(corners, np.float32).reshape(-1, 4),
        labels=tuple(box.label for box in boxes),
    )
