"""Rows that come as values by column name, as in a request: to batches, by the readers of logs."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import polars as pl

from farthing.base.errors import DataError
from farthing.recommend.clicks import ClickBatch
from farthing.recommend.clicktext import Columns, LineParser, can_parse
from farthing.recommend.encoder import RowEncoder
from farthing.recommend.layout import Layout
from farthing.recommend.rows import rows_of_values

Value = str | int | float | bool | None | list[str | int | float]
Row = Mapping[str, Value]

# What no value has: ASCII's unit separator. One that has it all the same goes the careful way.
_SEPARATOR = "\x1f"


class ValueEncoder:
    """Encodes rows of values as `RowEncoder` encodes those of a log.

    A row is written as a line of text and read by the native parser. Rows of which that does not take every one are
    encoded as columns, by polars, which also knows what is wrong with them.

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
        self._positions = {name: position for position, name in enumerate(self.columns)}
        layout = Layout("criteo", self.columns, _SEPARATOR)
        features = msgspec.structs.replace(schema, id=None)
        meaning = Columns(features, encoder.description.dense, encoder.table_rows)
        self._parser = LineParser(layout, meaning, encoder.values) if can_parse(layout, features) else None

    def encode(self, rows: Sequence[Row], *, context: Row, name: str) -> ClickBatch:
        """The rows as one batch.

        Args:
            rows: values by column; a column that is absent, None or "" is missing.
            context: what all rows share where they do not say otherwise.
            name: of the rows in messages.

        Raises:
            DataError: a column that the log did not have, or a number that is none; names row and column.
        """
        batch = self._parsed(rows, context)
        if batch is not None:
            return batch
        for place, row in [("context", context), *((f"{name}[{i}]", row) for i, row in enumerate(rows))]:
            self._check_names(place, row)
        columns = pl.DataFrame([self._column(column, context, rows) for column in self.columns])
        return self._encoder.encode(rows_of_values(columns, self._schema, name=name))

    def _parsed(self, rows: Sequence[Row], context: Row) -> ClickBatch | None:
        """The rows by the native parser; None where it does not take every one."""
        if self._parser is None:
            return None
        shared = self._fields(context, [""] * len(self.columns))
        if shared is None:
            return None
        lines = []
        for row in rows:
            fields = self._fields(row, shared.copy())
            if fields is None:
                return None
            lines.append(_SEPARATOR.join(fields))
        text = "\n".join(lines) + "\n"
        separators = len(rows) * (len(self.columns) - 1)
        if text.count(_SEPARATOR) != separators or text.count("\n") != len(rows) or "\r" in text:
            return None
        parsed, _ = self._parser.parse(text.encode(), 0, max_rows=len(rows))
        return parsed.batch() if parsed.num_rows == len(rows) else None

    def _fields(self, row: Row, fields: list[str]) -> list[str] | None:
        """Writes a row's values over `fields`; None where a name is unknown or a value is a list."""
        for name, value in row.items():
            position = self._positions.get(name)
            if position is None:
                if name in self.ignored:
                    continue
                return None
            if isinstance(value, list):
                return None
            fields[position] = _text(value, None) or ""
        return fields

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
