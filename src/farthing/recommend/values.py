"""Rows that come as values by column name, as in a request: to batches, by the readers of logs."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

import msgspec
import polars as pl

from farthing.base.errors import DataError
from farthing.recommend.clicks import EncodedRows
from farthing.recommend.clicktext import Columns, LineParser, can_parse
from farthing.recommend.encoder import RowEncoder
from farthing.recommend.layout import Layout
from farthing.recommend.rows import rows_of_values

Value = str | int | float | bool | None | list[str | int | float]
Row = dict[str, Value]

# What no value has: ASCII's unit separator. One that has it all the same goes the careful way.
_SEPARATOR = "\x1f"


class ValueEncoder:
    """Encodes rows of values as `RowEncoder` encodes those of a log.

    The native parser takes what could stand in a line of text. Rows of which it does not take every one are encoded as
    columns, by polars, which also knows what is wrong with them.

    Attributes:
        columns: names that are read.
        ignored: names that a log has beside them.
    """

    def __init__(self, encoder: RowEncoder) -> None:
        """Args: encoder: of the model."""
        schema = encoder.description.schema
        self._encoder, self._schema = encoder, schema
        self.columns = tuple(name for name in schema.columns(with_label=False) if name != schema.id)
        self.ignored = frozenset(schema.columns(with_label=True)) - set(self.columns)
        self._positions = dict.fromkeys(self.ignored, -1) | {name: place for place, name in enumerate(self.columns)}
        layout = Layout("criteo", self.columns, _SEPARATOR)
        features = msgspec.structs.replace(schema, id=None)
        meaning = Columns(features, encoder.description.dense, encoder.table_rows)
        self._parser = LineParser(layout, meaning, encoder.values) if can_parse(layout, features) else None

    def encode(self, rows: list[Row], *, context: Row, name: str) -> EncodedRows:
        """The rows as the model reads them.

        Args:
            rows: values by column; a column that is absent, None or "" is missing.
            context: what all rows share where they do not say otherwise.
            name: of the rows in messages.

        Raises:
            DataError: a column that the log did not have, or a number that is none; names row and column.
        """
        encoded = None if self._parser is None else self._parser.rows(rows, context, self._positions)
        if encoded is not None:
            return encoded
        for place, row in [("context", context), *((f"{name}[{i}]", row) for i, row in enumerate(rows))]:
            self._check_names(place, row)
        columns = pl.DataFrame([self._column(column, context, rows) for column in self.columns])
        return self._encoder.encode_rows(rows_of_values(columns, self._schema, name=name))

    def _check_names(self, place: str, row: Row) -> None:
        known = self.ignored.union(self.columns)
        if row.keys() <= known:
            return
        name = min(row.keys() - known)
        close = difflib.get_close_matches(name, known, 1)
        hint = f"; did you mean {close[0]!r}?" if close else "; /v1/model lists the columns"
        raise DataError(f"{place}: the model has no column {name[:80]!r}{hint}")

    def _column(self, name: str, context: Row, rows: Sequence[Row]) -> pl.Series:
        """The texts of a column, or lists of texts."""
        separator = next((field.separator for field in self._schema.fields if field.column == name), None)
        values = [row.get(name, context.get(name)) for row in rows]
        if name in self._schema.dense:
            values = [str(value) if isinstance(value, list) else value for value in values]  # which is no number
        if separator is None and any(isinstance(value, list) for value in values):
            return pl.Series(name, [_texts(value) for value in values], dtype=pl.List(pl.String))
        return pl.Series(name, [_text(value, separator) for value in values], dtype=pl.String())


def _text(value: Value, separator: str | None) -> str | None:
    """A value as a log would have it."""
    if value is None or isinstance(value, str):
        return value or None
    if isinstance(value, list):
        return (separator or "").join(_text(one, None) or "" for one in value) or None
    return str(int(value)) if isinstance(value, bool) else repr(value)


def _texts(value: Value) -> list[str] | None:
    values: Sequence[Any] = value if isinstance(value, list) else [value]  # Any: a Value that is no list
    return [text for one in values if (text := _text(one, None))] or None
