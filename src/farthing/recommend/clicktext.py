"""Lines of text straight to dense values and table rows, by the native parser.

It takes clean lines only (native/clicks.hpp); what is in any doubt is left to `rows.read_block`. The rows are those
that it alone would give.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from farthing.lowbit import native
from farthing.recommend.clicks import EncodedRows, Integers
from farthing.recommend.layout import Layout
from farthing.recommend.lines import is_plain
from farthing.recommend.logfiles import TextBlock
from farthing.recommend.manifest import DenseStatistics
from farthing.recommend.schema import LogSchema

# Lines that go the careful way together: enough to hide what a call of polars costs.
_CAREFUL_LINES = 8192


@dataclass(frozen=True, slots=True)
class Columns:
    """What a row is made from, and how.

    Attributes:
        schema: what the columns mean.
        dense: how each number is standardised.
        table_rows: rows of each field's table; all tables are one, one after the other.
    """

    schema: LogSchema
    dense: tuple[DenseStatistics, ...]
    table_rows: tuple[int, ...]


def can_parse(layout: Layout, schema: LogSchema) -> bool:
    """Whether the extension is built, and a log is text with one value per field and without names of rows."""
    return has_plain_fields(layout, schema) and schema.id is None


def has_plain_fields(layout: Layout, schema: LogSchema) -> bool:
    """Whether the extension is built, and a log is text with one value per field."""
    are_single = all(field.separator is None and field.part is None for field in schema.fields)
    # A column that is read as a number, too, has another text after that.
    numbers = {*schema.dense, schema.label}
    are_texts = not any(field.column in numbers for field in schema.fields)
    return native.extension() is not None and layout.separator is not None and are_single and are_texts


class LineParser:
    """Encodes clean lines of logs with one layout. Its methods may run in several threads at once."""

    def __init__(self, layout: Layout, columns: Columns, values: Sequence[pl.Series] | None) -> None:
        """A parser that looks ids up, or hashes them.

        Args:
            layout: of the lines, one that `can_parse` takes.
            columns: what to read.
            values: per field, those of ids 2, 3, ...; None gives the value v of field f the id
                2 + (hash(v, f) * (table_rows[f] - 2)) / 2^64, with the hash of native/hashing.hpp.

        Raises:
            KernelError: the extension is not built.
        """
        module = native.required()
        self._layout = layout
        self._num_dense = len(columns.dense)
        self._num_fields = len(columns.table_rows)
        self._encode_rows: Any = module.encode_rows  # Any: the extension has no types
        known = pl.concat([pl.Series(dtype=pl.String), *(values or ())])
        self._parser: Any = module.ClickParser(  # Any: the extension has no types
            separator=layout.separator,
            num_columns=len(layout.columns),
            dense_columns=layout.places(columns.schema.dense),
            field_columns=layout.places([field.column for field in columns.schema.fields]),
            means=np.array([column.mean for column in columns.dense], dtype=np.float64),
            deviations=np.array([column.std for column in columns.dense], dtype=np.float64),
            table_rows=np.array(columns.table_rows, dtype=np.uint64),
            text="".join(known.to_list()).encode(),
            sizes=known.str.len_bytes().to_numpy(),
            is_hashed=values is None,
        )

    def parts(self, block: TextBlock, *, max_rows: int) -> Iterator[EncodedRows | TextBlock]:
        """The lines of a block in order: up to `max_rows` rows at a time and, from a line on that is not clean, text.

        Args:
            block: lines without a header.
            max_rows: at least 1.
        """
        if not is_plain(block.text, self._layout):
            yield block
            return
        start, line = 0, block.first_line
        while start < len(block.text):
            rows, start = self.parse(block.text, start, max_rows=max_rows)
            line += rows.num_rows
            if rows.num_rows:
                yield rows
            if rows.num_rows < max_rows and start < len(block.text):
                rest = _lines(block, start, line)
                yield rest
                start += len(rest.text)
                line += rest.num_lines

    def parse(self, text: bytes, start: int, *, max_rows: int) -> tuple[EncodedRows, int]:
        """Up to `max_rows` rows from the lines at `start`, which ends before the first one that is not clean.

        Returns:
            The rows, with labels of 0, and where their lines end.
        """
        dense = np.empty((max_rows, self._num_dense), dtype=np.float32)
        ids = np.empty((max_rows, self._num_fields), dtype=np.int64)
        num_rows, end = self._parser.parse(text, start, dense, ids)
        label = np.zeros(num_rows, dtype=np.float32)
        indices: Integers = ids[:num_rows].reshape(-1)
        return EncodedRows(dense[:num_rows], indices, None, label, self._num_fields), end

    def rows(
        self, rows: list[dict[str, Any]], context: dict[str, Any], positions: dict[str, int]
    ) -> EncodedRows | None:  # Any: values as JSON has them
        """Rows of values by name, as if they were lines; None where one of them would not be clean.

        Args:
            rows: what each has of its own.
            context: what all have where they do not say otherwise.
            positions: the column of each name, -1 for one that says nothing.
        """
        dense = np.empty((len(rows), self._num_dense), dtype=np.float32)
        ids = np.empty((len(rows), self._num_fields), dtype=np.int64)
        if not self._encode_rows(self._parser, rows, context, positions, dense, ids):
            return None
        return EncodedRows(dense, ids.reshape(-1), None, np.zeros(len(rows), dtype=np.float32), self._num_fields)


def _lines(block: TextBlock, start: int, line: int) -> TextBlock:
    """Up to _CAREFUL_LINES lines of a block, from the byte `start` on, which is in line `line`."""
    end, num_lines = start, 0
    while end < len(block.text) and num_lines < _CAREFUL_LINES:
        end = block.text.index(b"\n", end) + 1
        num_lines += 1
    return TextBlock(block.path, line, num_lines, block.text[start:end], block.position)
