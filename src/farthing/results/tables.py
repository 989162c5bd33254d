"""Tables of a comparison: which columns there are, how their values are written, which are the best, how they differ.

A row is a JSON object with a `name`, numbers, `KEY_std` beside a mean over `seeds` trainings, and `bits` where it has a
width.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from farthing.base.errors import FormatError
from farthing.base.files import read_json

Row = dict[str, str | int | float | None]

MINUS = "\u2212"
ABOUT_TABLE = (
    "Best values are marked. Below a value: its standard deviation over seeds, and its difference from or ratio to "
    "full precision."
)


def number(row: Row, key: str) -> float | None:
    """A row's number, or None where it has none."""
    value = row.get(key)
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def three_decimals(value: float) -> str:
    """`0.912`."""
    return f"{value:.3f}"


def four_decimals(value: float) -> str:
    """`0.8031`."""
    return f"{value:.4f}"


def three_digits(value: float) -> str:
    """`0.741`, `5.72`, `2,162`: at least three significant digits."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def whole(value: float) -> str:
    """`243,810`."""
    return f"{value:,.0f}"


def one_decimal(value: float) -> str:
    """`74.3`."""
    return f"{value:.1f}"


def signed(difference: float, form: Callable[[float], str] = four_decimals) -> str:
    """A difference with its sign, such as `+0.0012`, with a real minus; `form` writes its size."""
    return (MINUS if difference < 0 else "+") + form(abs(difference))


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """One column of a table.

    Attributes:
        key: of the value in a row; `key_std`, where there, is its standard deviation.
        title: its head.
        format: writes the value.
        note: how the value was measured.
        better: which end is best; None emphasises none.
        relation: how the value is compared with the reference row below it; None does not.
        is_over_seeds: whether the standard deviation is one over seeds, which a single seed does not have.
    """

    key: str
    title: str
    format: Callable[[float], str]
    note: str
    better: Literal["high", "low"] | None = None
    relation: Literal["difference", "ratio"] | None = None
    is_over_seeds: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """One value as text, with the lines below it."""

    text: str
    details: tuple[str, ...] = ()
    is_best: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """Heads, and cells by row name."""

    columns: Sequence[Column]
    lines: Mapping[str, Sequence[Cell]]


def make_table(columns: Sequence[Column], rows: Sequence[Row], *, reference: Row | None = None) -> Table:
    """Every column for which some row has a value; values that are written like the best one are all the best.

    Args:
        columns: in their order.
        rows: with different names, in their order.
        reference: one of `rows`, which the others are compared with; None compares none.
    """
    used = [column for column in columns if any(number(row, column.key) is not None for row in rows)]
    best = {column.key: _best(column, rows) for column in used}
    lines = {str(row["name"]): [_cell(column, row, reference, best[column.key]) for column in used] for row in rows}
    return Table(columns=used, lines=lines)


def read_rows(path: Path, *, positive: Sequence[str]) -> list[Row]:
    """The rows that a comparison wrote.

    Args:
        path: of a JSON list of objects.
        positive: keys under which every row must have a number above 0.

    Raises:
        FormatError: the file is missing, is something else, or a row lacks its name or one of these numbers.
    """
    rows = read_json(path, list[Row])
    if not rows:
        raise FormatError(f"{path}: must hold at least one row, got none")
    for index, row in enumerate(rows):
        if not isinstance(row.get("name"), str):
            raise FormatError(f"{path}: row {index} must have a name, got {row.get('name')!r}")
        for key in positive:
            if not (number(row, key) or 0) > 0:
                raise FormatError(f"{path}: {key} of row {row['name']!r} must be a number > 0, got {row.get(key)!r}")
    return rows


def _cell(column: Column, row: Row, reference: Row | None, best: str | None) -> Cell:
    value, deviation = number(row, column.key), number(row, f"{column.key}_std")
    if value is None:
        return Cell(text="")
    details = []
    if deviation is not None and ((number(row, "seeds") or 0) > 1 or not column.is_over_seeds):
        details.append("\u00b1" + column.format(deviation))
    if reference is not None and row is not reference:
        details.append(_relation(column, value, number(reference, column.key)))
    text = column.format(value)
    return Cell(text=text, details=tuple(detail for detail in details if detail), is_best=text == best)


def _relation(column: Column, value: float, other: float | None) -> str:
    """A value against that of the reference row, such as `-0.0002`, `1/7.7` or `1.3x`."""
    if column.relation is None or other is None:
        return ""
    if column.relation == "difference":
        return signed(value - other, column.format)
    if not value or not other:
        return ""
    if value >= other:
        return f"{ratio(value / other)}x"
    return f"1/{ratio(other / value)}"


def ratio(value: float) -> str:
    """A ratio >= 1 with two digits, or all of those before the point."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


def _best(column: Column, rows: Sequence[Row]) -> str | None:
    """The best value as it is written, so that all values that look equal to it are emphasised alike."""
    values = [value for row in rows if (value := number(row, column.key)) is not None]
    if column.better is None or len(values) < 2:
        return None
    return column.format(max(values) if column.better == "high" else min(values))
