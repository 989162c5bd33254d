"""Rows of any log as one kind of frame: checked labels and numbers, categorical values as text.

The columns of such a frame: `row` (line number), `label` (UInt8), `split` (UInt8, position in SPLITS), `group` and `id`
(String), `dense_0`... (Float32, null = missing) and `field_0`... (String, or, where multi-valued, List(String) without
null and empty values; null or empty = missing). Only what the schema names is there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from farthing.base.errors import DataError
from farthing.recommend.layout import Layout, layout_of, parquet_schema, require_columns
from farthing.recommend.lines import Rows, read_lines
from farthing.recommend.logfiles import BLOCK_BYTES, MAX_CELLS, TextBlock, ahead, text_blocks
from farthing.recommend.rejects import BadRow, RejectLog
from farthing.recommend.schema import Field, LogSchema

_SPLIT_CODES = {"train": 0, "valid": 1, "val": 1, "validation": 1, "dev": 1, "test": 2}


@dataclass(frozen=True, slots=True)
class LogRows:
    """Good rows of one file.

    Attributes:
        frame: the columns that the module's docstring lists.
        path: the file.
        fraction: how much of the file has been read, in [0, 1].
    """

    frame: pl.DataFrame
    path: Path
    fraction: float


def read_log(
    paths: Sequence[Path],
    schema: LogSchema,
    *,
    rejects: RejectLog,
    with_label: bool = True,
    block_bytes: int = BLOCK_BYTES,
) -> Iterator[LogRows]:
    """The rows of some logs, a bounded number at a time, in order; bad ones go to `rejects`.

    Args:
        paths: the logs; each may have its columns in another order.
        schema: what the columns mean.
        rejects: collects bad rows; the caller calls its `finish`.
        with_label: whether label, split and group are read and checked; prediction does without them.
        block_bytes: the most text that is in memory at once.

    Raises:
        DataError: a file cannot be read, has another format or lacks a column, or is mostly bad rows.
    """
    for path in paths:
        layout = layout_of(path)
        require_columns(path, layout, schema, with_label=with_label)
        is_text = layout.separator is not None
        pieces = _text_rows(path, layout, schema, block_bytes) if is_text else _parquet_rows(path, layout, schema)
        for piece in pieces:
            good = _accept(piece, path, schema, rejects=rejects, with_label=with_label)
            if good.height:
                yield LogRows(good, path, piece.fraction)


def read_block(
    block: TextBlock, layout: Layout, schema: LogSchema, *, rejects: RejectLog, with_label: bool
) -> pl.DataFrame:
    """The good rows of some lines without a header, as the frame of a `LogRows`; bad ones go to `rejects`.

    Raises:
        DataError: too many of all rows are bad.
    """
    return _accept(_text_piece(block, layout, schema), block.path, schema, rejects=rejects, with_label=with_label)


def body_blocks(path: Path, layout: Layout, *, block_bytes: int = BLOCK_BYTES) -> Iterator[TextBlock]:
    """The lines of a text log without its header, in blocks of a bounded number of cells.

    Raises:
        DataError: the file cannot be read.
    """
    for block in ahead(text_blocks(path, block_bytes=block_bytes)):
        body = _without_header(block) if layout.has_header and block.first_line == 1 else block
        yield from _bounded(body, MAX_CELLS // len(layout.columns))


def rows_of_values(columns: pl.DataFrame, schema: LogSchema, *, name: str) -> pl.DataFrame:
    """Rows that come from elsewhere than a file, as a frame of this module.

    Args:
        columns: every column of `schema` that is read without a label, as String (or List(String)); null = missing.
        schema: what the columns mean.
        name: of the rows in messages.

    Raises:
        DataError: a number is none; names the row (from 0 on), the column and the value.
    """
    piece = _Piece(columns, np.arange(columns.height), [], 1.0)
    good, bad = _check(piece, Path(), schema, with_label=False)
    if bad:
        raise DataError(f"{name}[{bad[0].line}]: {bad[0].reason}")
    return _select(good, schema, with_label=False)


@dataclass(frozen=True, slots=True)
class _Piece:
    """Columns of a file, with the line of each row; the lines that are no rows; and the text, where there is one."""

    frame: pl.DataFrame
    lines: Rows
    bad: Sequence[BadRow]
    fraction: float
    text: TextBlock | None = None


def _text_rows(path: Path, layout: Layout, schema: LogSchema, block_bytes: int) -> Iterator[_Piece]:
    for block in body_blocks(path, layout, block_bytes=block_bytes):
        yield _text_piece(block, layout, schema)


def _text_piece(block: TextBlock, layout: Layout, schema: LogSchema) -> _Piece:
    types: dict[str, pl.DataType] = {name: pl.Float32() for name in schema.dense}
    types[schema.label] = pl.Int8()
    return _Piece(*read_lines(block, layout, types), block.fraction, block)


def _without_header(block: TextBlock) -> TextBlock:
    return TextBlock(block.path, 2, block.num_lines - 1, block.text.split(b"\n", 1)[1], block.position)


def _bounded(block: TextBlock, max_lines: int) -> Iterator[TextBlock]:
    """The block in halves of halves until none has more than `max_lines` lines."""
    if block.num_lines <= max_lines:
        yield block
        return
    cut = (block.text.rfind(b"\n", 0, len(block.text) // 2) + 1) or block.text.find(b"\n") + 1
    num_lines = block.text.count(b"\n", 0, cut)
    first = TextBlock(block.path, block.first_line, num_lines, block.text[:cut], block.position)
    rest = TextBlock(
        block.path, block.first_line + num_lines, block.num_lines - num_lines, block.text[cut:], block.position
    )
    yield from _bounded(first, max_lines)
    yield from _bounded(rest, max_lines)


def _parquet_rows(path: Path, layout: Layout, schema: LogSchema) -> Iterator[_Piece]:
    types = parquet_schema(path)
    wanted = schema.columns(with_label=True)
    columns = [_plain(name, types[name]) for name in layout.columns if name in wanted]
    num_rows = max(1, MAX_CELLS // len(columns))
    try:
        file = pl.scan_parquet(path)
        total = int(file.select(pl.len()).collect().item())
        # Slices, and not polars' batches: those keep a whole row group in memory, which may be the whole file.
        for start in range(0, total, num_rows):
            frame = file.slice(start, num_rows).select(columns).collect()
            end = start + frame.height
            yield _Piece(frame, np.arange(start + 1, end + 1), [], end / total)
    except pl.exceptions.PolarsError as error:
        raise DataError(f"{path}: not a whole Parquet file ({str(error).splitlines()[0]})") from error
    if total == 0:
        raise DataError(f"{path}: the file has no rows")


def _plain(name: str, type: pl.DataType) -> pl.Expr:
    """A Parquet column with NaN as missing and every kind of text as String."""
    column = pl.col(name)
    if type.is_float():
        return column.fill_nan(None)
    if isinstance(type, pl.List | pl.Array):
        return column.cast(pl.List(pl.String))
    if type == pl.Boolean:
        return column.cast(pl.UInt8)
    return column if type.is_numeric() else column.cast(pl.String)


def _accept(piece: _Piece, path: Path, schema: LogSchema, *, rejects: RejectLog, with_label: bool) -> pl.DataFrame:
    """The good rows of a piece as the module's docstring lists them; the others go to `rejects`."""
    good, wrong = _check(piece, path, schema, with_label=with_label)
    rejects.add(sorted([*piece.bad, *wrong], key=lambda row: row.line))
    rejects.count(good.height + len(piece.bad) + len(wrong))
    return _select(good, schema, with_label=with_label)


def _check(piece: _Piece, path: Path, schema: LogSchema, *, with_label: bool) -> tuple[pl.DataFrame, list[BadRow]]:
    """The rows whose label, split and numbers are right (with their line as column `row`), and the others."""
    frame = piece.frame.with_columns(pl.Series("row", piece.lines, dtype=pl.Int64))
    rules = [_number_rule(name, frame.schema[name]) for name in schema.dense]
    if with_label:
        rules.append(_label_rule(schema.label, frame.schema[schema.label]))
        rules += [_split_rule(schema.split)] if schema.split else []
    broken = frame.select(
        pl.any_horizontal(pl.lit(value=False), *(rule for rule, _ in rules)).fill_null(value=False)
    ).to_series()
    if not broken.any():
        return frame, []
    wrong = frame.filter(broken)
    reasons = wrong.select(pl.coalesce(pl.when(rule).then(reason) for rule, reason in rules)).to_series()
    lines = wrong["row"].to_list()
    texts = piece.text.lines(lines) if piece.text else _texts(wrong.drop("row"))
    bad = [BadRow(path, line, reason, text) for line, reason, text in zip(lines, reasons, texts, strict=True)]
    return frame.filter(~broken), bad


def _texts(frame: pl.DataFrame) -> list[str]:
    return ["\t".join("" if value is None else str(value) for value in row) for row in frame.rows()]


def _number(name: str, type: pl.DataType) -> pl.Expr:
    """The column as Float32; null where it is no number. Spaces around one are no fault, as in the fast reading."""
    column = pl.col(name).str.strip_chars(" ") if type == pl.String else pl.col(name)
    return column if type == pl.Float32 else column.cast(pl.Float32, strict=False)


def _number_rule(name: str, type: pl.DataType) -> tuple[pl.Expr, pl.Expr]:
    broken = ~_number(name, type).is_finite()
    if not type.is_numeric():
        broken = broken.fill_null(pl.col(name).is_not_null())
    return broken, _sentence(f"column {name}: `", pl.col(name), "` is not a finite number")


def _label_rule(name: str, type: pl.DataType) -> tuple[pl.Expr, pl.Expr]:
    number = _number(name, type)
    broken = ~((number == 0.0) | (number == 1.0)).fill_null(value=False)
    text = pl.col(name).cast(pl.String).fill_null("")
    return broken, _sentence(f"the label (column {name}) is `", text, "`; it must be 0 or 1")


def _split_code(name: str) -> pl.Expr:
    lower = pl.col(name).cast(pl.String).str.to_lowercase()
    return lower.replace_strict(_SPLIT_CODES, default=None, return_dtype=pl.UInt8)


def _split_rule(name: str) -> tuple[pl.Expr, pl.Expr]:
    text = pl.col(name).cast(pl.String).fill_null("")
    reason = _sentence(f"the split (column {name}) is `", text, "`; it must be train, valid or test")
    return _split_code(name).is_null(), reason


def _sentence(before: str, value: pl.Expr, after: str) -> pl.Expr:
    # Not pl.format, which panics (polars 2.1) where a filter left nothing of one of a column's chunks.
    return pl.concat_str(pl.lit(before), value, pl.lit(after))


def _select(frame: pl.DataFrame, schema: LogSchema, *, with_label: bool) -> pl.DataFrame:
    columns = [pl.col("row")]
    columns += [_number(name, frame.schema[name]).alias(f"dense_{i}") for i, name in enumerate(schema.dense)]
    columns += [_value(field, frame.schema[field.column]).alias(f"field_{i}") for i, field in enumerate(schema.fields)]
    columns += [pl.col(schema.id).cast(pl.String).alias("id")] if schema.id else []
    if with_label:
        columns.append(_number(schema.label, frame.schema[schema.label]).cast(pl.UInt8).alias("label"))
        columns += [_split_code(schema.split).alias("split")] if schema.split else []
        columns += [pl.col(schema.group).cast(pl.String).alias("group")] if schema.group else []
    return frame.select(columns)


def _value(field: Field, type: pl.DataType) -> pl.Expr:
    if isinstance(type, pl.List):
        return _without_empty(pl.col(field.column))
    text = pl.col(field.column).cast(pl.String)
    if field.part == "hour":
        return text.str.slice(6, 2)
    if field.part == "weekday":
        return text.str.slice(0, 6).str.to_date("%y%m%d", strict=False).dt.weekday().cast(pl.String)
    return _without_empty(text.str.split(field.separator)) if field.separator else text


def _without_empty(lists: pl.Expr) -> pl.Expr:
    return lists.list.eval(pl.element().filter(pl.element() != ""))
