"""Tables as CSV files: read with the columns they must have, written in one step."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from farthing.base.errors import DataError
from farthing.base.files import atomic_path


def read_rows(path: Path, required: Sequence[str]) -> list[dict[str, str]]:
    """The rows of a CSV file by column name; a cell that a short row lacks is empty.

    Args:
        path: UTF-8, with a header line.
        required: columns that must be there; others are kept as well.

    Raises:
        DataError: the file cannot be read, is not CSV, lacks a column, or a row has more cells than the header.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, restval="", restkey="", strict=True)
            columns = list(reader.fieldnames or ())
            rows = list(reader)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise DataError(f"{path}: is not a CSV file in UTF-8 ({error})") from error
    missing = [name for name in required if name not in columns]
    if missing:
        raise DataError(f"{path}: lacks the column {missing[0]!r}; its header is {','.join(columns)!r}")
    for number, row in enumerate(rows, start=2):
        if "" in row and "" not in columns:
            raise DataError(f"{path}: line {number} has more cells than the header has names; quote cells with commas")
    return rows


def write_rows(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Writes a CSV file with a header line, atomically.

    Raises:
        DataError: the folder cannot be written or the disk is full.
    """
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
