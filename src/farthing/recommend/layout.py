"""The columns of one log file: their names in order, and what separates them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from farthing.base.errors import DataError
from farthing.recommend.logfiles import head, is_parquet
from farthing.recommend.schema import CRITEO_DENSE, CRITEO_FIELDS, LogFormat, LogSchema

CRITEO_COLUMNS = ("label", *CRITEO_DENSE, *CRITEO_FIELDS)
AVAZU_COLUMNS = ("id", "click", "hour", "C1", "banner_pos", "site_id", "app_id", "device_id", "C14", "C21")
SAMPLE_LINES = 20
_SEPARATORS = "\t,;|"


@dataclass(frozen=True, slots=True)
class Layout:
    """How the rows of one file are written.

    Attributes:
        format: the format that its content shows.
        columns: names, in the order of the file.
        separator: between the fields of a line; None for Parquet.
    """

    format: LogFormat
    columns: tuple[str, ...]
    separator: str | None

    @property
    def has_header(self) -> bool:
        """Whether the first line names the columns."""
        return self.format in ("csv", "avazu")

    def places(self, names: Sequence[str]) -> npt.NDArray[np.uint32]:
        """Where columns stand in a line, from 0 on."""
        return np.array([self.columns.index(name) for name in names], dtype=np.uint32)

    @property
    def has_quotes(self) -> bool:
        """Whether a field may stand in double quotes."""
        return self.has_header


def layout_of(path: Path) -> Layout:
    """What the content of a file shows: Parquet, Criteo (39 or 40 tab-separated fields, no header), Avazu, or CSV.

    Raises:
        DataError: the file cannot be read or is empty, or its first line is no header of two different columns or more.
    """
    if is_parquet(path):
        return Layout("parquet", tuple(parquet_schema(path)), None)
    lines = head(path).split(b"\n", SAMPLE_LINES)[:SAMPLE_LINES]
    line, *_ = first = [text.decode(errors="replace") for text in lines]
    # A bad line may be the first one; no header of another format looks like a Criteo row further down.
    for columns in (CRITEO_COLUMNS, CRITEO_COLUMNS[1:]):
        if any(_is_criteo(text.split("\t"), columns) for text in first):
            return Layout("criteo", columns, "\t")
    separator = max(_SEPARATORS, key=line.count)
    columns = tuple(name.strip().strip('"') for name in line.split(separator))
    if len(columns) < 2 or "" in columns or len(set(columns)) < len(columns):
        raise DataError(
            f"{path}:1: a CSV log starts with a line of column names, all different, at least two; "
            f"this line is {line[:100]!r}"
        )
    is_avazu = separator == "," and set(AVAZU_COLUMNS) - {"click"} <= set(columns)
    return Layout("avazu" if is_avazu else "csv", columns, separator)


def require_columns(path: Path, layout: Layout, schema: LogSchema, *, with_label: bool) -> None:
    """Checks that a file has the format and the columns of `schema`.

    Raises:
        DataError: it has another format, or a column is missing.
    """
    if layout.format != schema.format and "csv" not in (layout.format, schema.format):
        raise DataError(
            f"{path}: expected the format {schema.format!r}, but the content looks like {layout.format!r} with "
            f"{len(layout.columns)} columns; use --format {layout.format}"
        )
    missing = [name for name in schema.columns(with_label=with_label) if name not in layout.columns]
    if missing:
        raise DataError(
            f"{path}: column {', '.join(map(repr, missing))} is missing; the file has {_listing(layout.columns)}"
        )


def parquet_schema(path: Path) -> dict[str, pl.DataType]:
    """Column names and types of a Parquet file.

    Raises:
        DataError: the file is damaged.
    """
    try:
        return dict(pl.read_parquet_schema(path))
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(f"{path}: not a whole Parquet file ({str(error).splitlines()[0]})") from error


def _is_criteo(values: Sequence[str], columns: Sequence[str]) -> bool:
    if len(values) != len(columns):
        return False
    numbers = values[: len(columns) - len(CRITEO_FIELDS)]
    return all(_is_integer(value) or not value for value in numbers)


def _is_integer(text: str) -> bool:
    return text.removeprefix("-").isdecimal()


def _listing(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:30]))
    return shown if len(names) <= 30 else f"{shown} and {len(names) - 30} more"
