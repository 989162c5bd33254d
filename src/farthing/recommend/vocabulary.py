"""Values of a categorical field and the ids that stand for them.

Id 0 is an unknown or rare value, id 1 a missing one; the values seen in training follow from id 2 on, the most
frequent first and, among equally frequent ones, in the order of their UTF-8 bytes. A file of the vocabulary holds one
row per value in the order of ids, with the number of times that training rows show it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from farthing.base.errors import FormatError

UNKNOWN_ID = 0
MISSING_ID = 1
NUM_RESERVED = 2


def factorize(columns: pl.DataFrame) -> tuple[list[pl.Series], pl.DataFrame]:
    """Every column as codes into its own sorted distinct values.

    Args:
        columns: String, where null and empty text are missing; or List(String), where null and empty lists are.

    Returns:
        Per column its distinct values, ascending; and the codes as unsigned integers, or lists of at least one. A
        missing value has the code that follows the last value's.
    """
    flat = [pl.col(name).explode() if _is_list(columns, name) else pl.col(name) for name in columns.columns]
    distinct = columns.select(column.drop_nulls().unique().sort().implode() for column in flat)
    values = [column.filter(column != "") for column in (sets.explode() for sets in distinct)]
    return values, columns.select(
        _codes(pl.col(name), known, is_list=_is_list(columns, name))
        for name, known in zip(columns.columns, values, strict=True)
    )


def _codes(column: pl.Expr, known: pl.Series, *, is_list: bool) -> pl.Expr:
    """Positions among the known values and, after them, the empty text that stands for a missing one."""
    categories = pl.Enum(pl.concat([known, pl.Series([""])]))
    if not is_list:
        return positions(column, categories).fill_null(len(known))
    filled = pl.when(column.list.len() > 0).then(column).otherwise(pl.lit(pl.Series([[""]])))
    return filled.list.eval(pl.element().cast(categories).to_physical())


def positions(column: pl.Expr, known: pl.Enum) -> pl.Expr:
    """Positions of a column's values in `known`; null where one is not there."""
    return column.cast(known, strict=False).to_physical()


def _is_list(columns: pl.DataFrame, name: str) -> bool:
    return isinstance(columns.schema[name], pl.List)


# Polars panics, which no `except Exception` stops, on some files whose parts contradict each other; met while fuzzing.
PARQUET_ERRORS = (pl.exceptions.PolarsError, pl.exceptions.PanicException)


def read_vocabulary(path: Path, *columns: str) -> pl.DataFrame:
    """Columns of a vocabulary file, which has `value` (String) and `count` (Int64); row i is id i + 2.

    Raises:
        FormatError: the file is missing, damaged or another kind of file.
    """
    try:
        file = pl.scan_parquet(path, schema={"value": pl.String, "count": pl.Int64})
        return file.select(columns or ("value", "count")).collect()
    except (*PARQUET_ERRORS, OSError) as error:
        raise FormatError(f"{path}: not a vocabulary that farthing wrote ({str(error).splitlines()[0]})") from error


def table_rows(counts: npt.NDArray[np.int64], min_count: int) -> int:
    """Rows of a field's table when values seen fewer than `min_count` times share row 0.

    Args:
        counts: [values] in the order of ids, which is descending.
        min_count: at least 1, which keeps every value.
    """
    return NUM_RESERVED + int(np.searchsorted(-counts, -min_count, side="right"))


class Encoding(Protocol):
    """What gives values their table rows: per field the values that have one of their own, in the order of ids."""

    @property
    def values(self) -> Sequence[pl.Series]:
        """Per field, the values of ids 2, 3, ..."""


def translate(old: Encoding, new: Encoding) -> npt.NDArray[np.int64]:
    """For each row of a new table of all fields, the row of an old one that stands for the same value.

    Args:
        old: fields in the same order as in `new`.
        new: the encoding whose rows are asked for.

    Returns:
        [rows of the new table] int64. A value that the old table lacks maps to its field's row for unknown ones.
    """
    rows, start = [], 0
    for old_values, new_values in zip(old.values, new.values, strict=True):
        known = pl.DataFrame({"value": old_values, "row": np.arange(len(old_values)) + NUM_RESERVED})
        found = new_values.alias("value").to_frame().join(known, on="value", how="left", maintain_order="left")["row"]
        rows.append(np.array([UNKNOWN_ID, MISSING_ID]) + start)
        rows.append(found.fill_null(UNKNOWN_ID).to_numpy() + start)
        start += NUM_RESERVED + len(old_values)
    return np.concatenate(rows).astype(np.int64)
