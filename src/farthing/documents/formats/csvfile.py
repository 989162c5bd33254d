"""CSV: one row per object, and one without a class for a page without objects."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from farthing.base.errors import DataError
from farthing.base.files import write_bytes
from farthing.documents.formats.annotations import Annotations
from farthing.documents.formats.records import PageRecord, Parsed, Warnings, positive_int

FILE_NAME = "annotations.csv"
COLUMNS = ("page", "width", "height", "class", "x0", "y0", "x1", "y1")


def read(path: Path, images: Path, warnings: Warnings) -> Parsed:
    """The pages of a file with the columns page, width, height, class, x0, y0, x1, y1; others do no harm.

    Raises:
        DataError: not UTF-8, a column is missing, or a row has no numbers where there should be some.
    """
    del images, warnings
    records: dict[str, PageRecord] = {}
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            rows = csv.DictReader(stream)
            if missing := [column for column in COLUMNS if column not in (rows.fieldnames or ())]:
                raise DataError(f"{path}: the columns {', '.join(missing)} are missing")
            for row in rows:
                _add(row, records, f"{path}:{rows.line_num}")
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: is not a CSV file in UTF-8 ({error})") from error
    return Parsed(pages=list(records.values()))


def _add(row: dict[str, str], records: dict[str, PageRecord], place: str) -> None:
    """Puts the object of a row on its page, made where it is new."""
    page = row["page"] or ""
    if page not in records:
        width, height = (positive_int(row[key], key, place) for key in ("width", "height"))
        records[page] = PageRecord(page, width, height)
    if not row["class"]:
        return
    try:
        x0, y0, x1, y1 = (float(row[key]) for key in COLUMNS[4:])
    except (TypeError, ValueError) as error:
        raise DataError(f"{place}: x0, y0, x1 and y1 must be numbers") from error
    records[page].objects.append((row["class"], (x0, y0, x1, y1)))


def write(annotations: Annotations, out: Path) -> None:
    """Writes `out`/annotations.csv."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for page in annotations.pages:
        start = (page.page, page.width, page.height)
        for label, box in zip(page.labels, page.boxes.tolist(), strict=True):
            rows.writerow((*start, label, *(round(value, 2) for value in box)))
        if not page.labels:
            rows.writerow((*start, "", "", "", "", ""))
    write_bytes(out / FILE_NAME, text.getvalue().encode())
