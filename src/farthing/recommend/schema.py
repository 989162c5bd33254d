"""What the columns of a click log mean."""

from __future__ import annotations

from typing import Literal

import msgspec

LogFormat = Literal["criteo", "avazu", "csv", "parquet"]
Part = Literal["hour", "weekday"]

SPLITS = ("train", "valid", "test")
CRITEO_DENSE = tuple(f"I{i}" for i in range(1, 14))
CRITEO_FIELDS = tuple(f"C{i}" for i in range(1, 27))


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One categorical feature.

    Attributes:
        name: what tables and messages call it; unique in the schema.
        column: the column of the log that it is read from.
        separator: what stands between the values of a multi-valued text ("Comedy|Drama"); None for a single value.
            A Parquet list column is multi-valued whatever this says.
        part: the piece of a YYMMDDHH time that is the value; None takes the column as it is.
    """

    name: str
    column: str
    separator: str | None = None
    part: Part | None = None


class LogSchema(msgspec.Struct, frozen=True, kw_only=True):
    """Which column of a log is what.

    Attributes:
        format: how rows are written.
        separator: between the fields of a text line; None for Parquet.
        label: the column with 1 for a click and 0 for none.
        dense: numeric columns.
        fields: categorical features.
        id: a column that names the row in predictions, never a feature.
        group: the column that rows are grouped by for GAUC (a user, say).
        split: the column that says train, valid or test.
    """

    format: LogFormat
    separator: str | None
    label: str
    dense: tuple[str, ...] = ()
    fields: tuple[Field, ...] = ()
    id: str | None = None
    group: str | None = None
    split: str | None = None

    def columns(self, *, with_label: bool) -> list[str]:
        """The log columns that are read, each once; `with_label` adds what only training needs."""
        names = [*self.dense, *(field.column for field in self.fields)]
        names += [self.id] if self.id else []
        names += [name for name in (self.label, self.group, self.split) if name] if with_label else []
        return list(dict.fromkeys(names))
