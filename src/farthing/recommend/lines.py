"""Lines of text to columns of values: one fast strict reading, and one that finds each bad line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from farthing.recommend.layout import Layout
from farthing.recommend.logfiles import BYTE_ORDER_MARK, TextBlock
from farthing.recommend.rejects import BadRow

Rows = npt.NDArray[np.int64]

_NEWLINE = ord("\n")
_QUOTE = ord('"')


def read_lines(
    block: TextBlock, layout: Layout, types: Mapping[str, pl.DataType]
) -> tuple[pl.DataFrame, Rows, list[BadRow]]:
    """The columns of a block of lines.

    A block without quotes whose separators number exactly lines times (columns - 1), and in which the parser meets no
    line with too many fields, has no line with too few either: this is the fast way. All else goes line by line.

    Args:
        block: the lines, without a header.
        layout: the names of the columns and what separates them.
        types: of the columns that are not text.

    Returns:
        The columns (text where a block has a value that does not fit `types`), the line number of each row, and the
        lines that are no rows. Empty lines are skipped.
    """
    if _looks_clean(block, layout):
        frame = _parse(block.text, block.num_lines, layout, types)
        if frame is not None:
            return frame, np.arange(block.first_line, block.first_line + block.num_lines), []
    return _read_carefully(block, layout, types)


def is_plain(text: bytes, layout: Layout) -> bool:
    """Whether text is UTF-8, without a byte order mark and without quotes that mean something."""
    if (layout.has_quotes and b'"' in text) or text.startswith(BYTE_ORDER_MARK):
        return False
    return text.isascii() or _is_utf8(text)


def _looks_clean(block: TextBlock, layout: Layout) -> bool:
    assert layout.separator is not None
    if layout.has_quotes and b'"' in block.text:
        return False
    return block.text.count(layout.separator.encode()) == block.num_lines * (len(layout.columns) - 1)


def _parse(text: bytes, num_lines: int, layout: Layout, types: Mapping[str, pl.DataType]) -> pl.DataFrame | None:
    """The columns of `num_lines` lines, none of them empty; None where one does not fit."""
    if num_lines == 0:
        return pl.DataFrame(schema={name: types.get(name, pl.String()) for name in layout.columns})
    assert layout.separator is not None
    try:
        frame = pl.read_csv(
            text,
            has_header=False,
            separator=layout.separator,
            quote_char='"' if layout.has_quotes else None,
            schema={name: types.get(name, pl.String()) for name in layout.columns},
        )
    except pl.exceptions.PolarsError:
        return None
    return frame if frame.height == num_lines else None


def _read_carefully(
    block: TextBlock, layout: Layout, types: Mapping[str, pl.DataType]
) -> tuple[pl.DataFrame, Rows, list[BadRow]]:
    text, lines, bad = _drop_malformed(block, layout)
    frame = _parse(text, len(lines), layout, types)
    if frame is None:
        frame, lines, unreadable = _bisect(block.path, text, layout, lines)
        bad += unreadable
    return frame, lines, bad


def _drop_malformed(block: TextBlock, layout: Layout) -> tuple[bytes, Rows, list[BadRow]]:
    """The lines with the right number of fields, their numbers, and the others."""
    content = np.frombuffer(block.text, dtype=np.uint8)
    ends = np.flatnonzero(content == _NEWLINE)
    starts = np.concatenate([[0], ends[:-1] + 1])
    widths, balanced = _count_fields(content, starts, ends, layout)
    good = (widths == len(layout.columns)) & balanced
    bad = []
    for line in np.flatnonzero(~good & (ends > starts)):
        reason = f"{widths[line]} fields where the format has {len(layout.columns)}"
        if not balanced[line]:
            reason = "a double quote that is not closed on its line"
        content_of_line = content[starts[line] : ends[line]].tobytes()
        bad.append(_bad_row(block.path, block.first_line + line, content_of_line, reason))
    text = block.text if good.all() else content[np.repeat(good, ends + 1 - starts)].tobytes()
    return text, np.flatnonzero(good) + block.first_line, bad


def _count_fields(
    content: npt.NDArray[np.uint8], starts: Rows, ends: Rows, layout: Layout
) -> tuple[Rows, npt.NDArray[np.bool_]]:
    """Per line, the number of fields and whether its double quotes come in pairs."""
    assert layout.separator is not None
    separators = content == ord(layout.separator)
    balanced = np.ones(len(ends), dtype=bool)
    if layout.has_quotes:
        # Odd after an opening quote; what an unclosed quote of an earlier line adds is taken off again.
        inside = np.bitwise_xor.accumulate((content == _QUOTE).view(np.uint8))
        before = np.where(starts > 0, inside[starts - 1], 0).astype(np.uint8)
        balanced = inside[ends] == before
        separators &= inside == np.repeat(before, ends + 1 - starts)
    positions = np.flatnonzero(separators)
    return np.searchsorted(positions, ends) - np.searchsorted(positions, starts) + 1, balanced


def _bisect(path: Path, text: bytes, layout: Layout, lines: Rows) -> tuple[pl.DataFrame, Rows, list[BadRow]]:
    """Columns of text; lines that cannot be read together are split until the bad ones stand alone."""
    frame = _parse(text, len(lines), layout, {})
    if frame is not None:
        return frame, lines, []
    if len(lines) == 1:
        reason = "a double quote inside a field" if _is_utf8(text) else "text that is not UTF-8"
        bad = _bad_row(path, lines[0], text[:-1], reason)
        return pl.DataFrame(schema=dict.fromkeys(layout.columns, pl.String())), lines[:0], [bad]
    middle = len(lines) // 2
    cut = int(np.flatnonzero(np.frombuffer(text, dtype=np.uint8) == _NEWLINE)[middle - 1]) + 1
    frame, numbers, bad_rows = _bisect(path, text[:cut], layout, lines[:middle])
    frame_2, numbers_2, bad_rows_2 = _bisect(path, text[cut:], layout, lines[middle:])
    return pl.concat([frame, frame_2]), np.concatenate([numbers, numbers_2]), bad_rows + bad_rows_2


def _bad_row(path: Path, line: np.int64, text: bytes, reason: str) -> BadRow:
    return BadRow(path, int(line), reason, text.decode(errors="backslashreplace"))


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True
