"""Lines of text straight to coded rows, by the native coder (native/coder.hpp).

It takes blocks of which every line is clean; the others are left to `rows.read_block` as a whole. The rows are those
that it would give.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from farthing.lowbit import native
from farthing.recommend.clicktext import has_plain_fields
from farthing.recommend.codes import CodedRows, code_rows, coded_columns
from farthing.recommend.layout import Layout, layout_of, require_columns
from farthing.recommend.lines import is_plain
from farthing.recommend.logfiles import BLOCK_BYTES, TextBlock, mapped_ahead
from farthing.recommend.rejects import RejectLog
from farthing.recommend.rows import body_blocks, read_block, read_log
from farthing.recommend.schema import LogSchema
from farthing.recommend.shards import narrowest

# Each has a block in memory.
_THREADS = 2


def read_coded(
    paths: Sequence[Path], schema: LogSchema, *, rejects: RejectLog, block_bytes: int = BLOCK_BYTES
) -> Iterator[tuple[CodedRows, Path, float]]:
    """The rows of some logs, a bounded number at a time, in order; bad ones go to `rejects`, as by `rows.read_log`.

    Args:
        paths: the logs; each may have its columns in another order.
        schema: what the columns mean.
        rejects: collects bad rows; the caller calls its `finish`.
        block_bytes: the most text that is in memory at once.

    Yields:
        Rows, their file, and how much of it has been read, in [0, 1].

    Raises:
        DataError: a file cannot be read, has another format or lacks a column, or is mostly bad rows.
    """
    coded = coded_columns(schema)
    for path in paths:
        layout = layout_of(path)
        require_columns(path, layout, schema, with_label=True)
        if not can_code(layout, schema):
            for rows in read_log([path], schema, rejects=rejects, block_bytes=block_bytes):
                yield code_rows(rows.frame, coded), path, rows.fraction
            continue
        coder = LineCoder(layout, schema)
        blocks = body_blocks(path, layout, block_bytes=block_bytes)
        for block, clean in mapped_ahead(coder.code, blocks, threads=_THREADS):
            if clean is not None:
                rejects.count(block.num_lines)
                yield clean, path, block.fraction
                continue
            frame = read_block(block, layout, schema, rejects=rejects, with_label=True)
            if frame.height:
                yield code_rows(frame, coded), path, block.fraction


def can_code(layout: Layout, schema: LogSchema) -> bool:
    """Whether the extension is built, and a log is text with one value per field and without a column of splits."""
    is_group_plain = schema.group is None or schema.group not in {*schema.dense, schema.label}
    return has_plain_fields(layout, schema) and is_group_plain and schema.split is None


class LineCoder:
    """Codes blocks of clean lines of logs with one layout. Its method may run in several threads at once."""

    def __init__(self, layout: Layout, schema: LogSchema) -> None:
        """A coder.

        Args:
            layout: of the lines.
            schema: what the columns mean; `can_code` takes both.

        Raises:
            KernelError: the extension is not built.
        """
        self._layout = layout
        self._num_dense, self._num_fields = len(schema.dense), len(schema.fields)
        self._coded = coded_columns(schema)
        columns = [field.column for field in schema.fields] + ([schema.group] if schema.group else [])
        self._coder: Any = native.required().LineCoder(  # Any: the extension has no types
            separator=layout.separator,
            num_columns=len(layout.columns),
            label_column=layout.columns.index(schema.label),
            dense_columns=layout.places(schema.dense),
            field_columns=layout.places(columns),
        )

    def code(self, block: TextBlock) -> CodedRows | None:
        """The rows of a block of lines without a header; None where one of them is not clean."""
        if block.num_lines == 0 or not is_plain(block.text, self._layout):
            return None
        label = np.empty(block.num_lines, dtype=np.uint8)
        logs = np.empty((self._num_dense, block.num_lines), dtype=np.float32)
        codes = np.empty((len(self._coded), block.num_lines), dtype=np.uint32)
        found = self._coder.code(block.text, label, logs, codes)
        if found is None:
            return None
        sizes, values = found
        numbers = [pl.Series(f"dense_{i}", column).fill_nan(None) for i, column in enumerate(logs)]
        known = [_column(*column) for column in zip(self._coded, codes, sizes, strict=True)]
        fields, group = known[: self._num_fields], known[self._num_fields :]
        frame = pl.DataFrame([*numbers, *fields, pl.Series("label", label), *group])
        return CodedRows(frame, pl.Series(values).alias("value"), tuple(np.cumsum([0, *sizes]).tolist()))


def _column(name: str, codes: npt.NDArray[np.uint32], num_values: int) -> pl.Series:
    return pl.Series(name, codes).cast(narrowest(num_values + 1))
