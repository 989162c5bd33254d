"""The table of assigned images: one row per image, nothing lost."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from farthing.base.errors import DataError, FormatError
from farthing.discover.csvfiles import read_rows, write_rows

ASSIGNMENTS_FILE = "assignments.csv"
COLUMNS = ("image", "label", "is_new", "probability", "novelty", "second_label", "second_probability")


@dataclass(frozen=True, kw_only=True, slots=True)
class SortedImage:
    """One image and where it belongs.

    Attributes:
        image: its path in the collection.
        label: of its class; `unsorted` where it forms none, empty where the image could not be read.
        is_new: whether that class had no labelled image.
        probability: of the label, in [0, 1].
        novelty: from 0, surely of a known class, to 1, surely of none.
        second_label: of the next likely class; empty where there is none.
        second_probability: of that, in [0, 1].
        extra: further columns, as they came with the image.
    """

    image: str
    label: str = ""
    is_new: bool = False
    probability: float = 0.0
    novelty: float = 0.0
    second_label: str = ""
    second_probability: float = 0.0
    extra: Mapping[str, str] = field(default_factory=dict)


def write_assignments(path: Path, rows: Sequence[SortedImage]) -> None:
    """Writes the table; further columns follow `COLUMNS` in the order in which they first occur.

    Raises:
        DataError: the folder cannot be written or the disk is full.
    """
    extra = list(dict.fromkeys(name for row in rows for name in row.extra if name not in COLUMNS))
    write_rows(path, [*COLUMNS, *extra], (_cells(row, extra) for row in rows))


def read_assignments(path: Path) -> list[SortedImage]:
    """The table as `write_assignments` wrote it.

    Raises:
        FormatError: the file is missing, is not such a table, or a number in it is none.
    """
    try:
        rows = read_rows(path, COLUMNS)
        return [_row(cells) for cells in rows]
    except (DataError, ValueError) as error:
        raise FormatError(f"{path}: not what farthing writes ({error})") from error


def _cells(row: SortedImage, extra: Iterable[str]) -> list[str]:
    if not row.label:
        numbers = [""] * 5
    else:
        second = f"{row.second_probability:.6f}" if row.second_label else ""
        numbers = [str(int(row.is_new)), f"{row.probability:.6f}", f"{row.novelty:.6f}", row.second_label, second]
    return [row.image, row.label, *numbers, *(row.extra.get(name, "") for name in extra)]


def _row(cells: Mapping[str, str]) -> SortedImage:
    return SortedImage(
        image=cells["image"],
        label=cells["label"],
        is_new=cells["is_new"] == "1",
        probability=_number(cells["probability"]),
        novelty=_number(cells["novelty"]),
        second_label=cells["second_label"],
        second_probability=_number(cells["second_probability"]),
        extra={name: value for name, value in cells.items() if name not in COLUMNS},
    )


def _number(text: str) -> float:
    value = float(text or 0)
    if not math.isfinite(value):
        raise ValueError(f"{text!r} is not a number")
    return value
