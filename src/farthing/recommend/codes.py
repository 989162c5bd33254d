"""Rows of a log with codes for their values: what `prepare` reads first, not knowing yet which values there are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from farthing.recommend.schema import LogSchema
from farthing.recommend.standardise import log_transform
from farthing.recommend.vocabulary import factorize


@dataclass(frozen=True, slots=True)
class CodedRows:
    """Some rows.

    Attributes:
        frame: as `rows.LogRows` has it, but for `row` and `id`. Numbers are sign(x) log(1 + |x|); the coded columns are
            unsigned integers, or lists of at least one: positions in the column's part of `values`, and, for a missing
            value, the position behind its last.
        values: String, the distinct values of each coded column, ascending, one column after the other.
        starts: [coded columns + 1] where those of each column start.
    """

    frame: pl.DataFrame
    values: pl.Series
    starts: tuple[int, ...]


def coded_columns(schema: LogSchema) -> list[str]:
    """The columns of a frame of rows that are coded, in their order."""
    return [f"field_{i}" for i in range(len(schema.fields))] + (["group"] if schema.group else [])


def code_rows(frame: pl.DataFrame, coded: list[str]) -> CodedRows:
    """Codes rows as `rows.read_log` gives them.

    Args:
        frame: of a `rows.LogRows`.
        coded: its columns of values.
    """
    values, codes = factorize(frame.select(coded))
    dense = [name for name in frame.columns if name.startswith("dense_")]
    logs = frame.drop("row", "id", strict=False).with_columns(log_transform(name) for name in dense)
    starts = np.cumsum([0, *(len(known) for known in values)])
    texts = pl.concat([pl.Series("value", dtype=pl.String), *(known.alias("value") for known in values)])
    return CodedRows(logs.with_columns(codes), texts, tuple(starts.tolist()))
