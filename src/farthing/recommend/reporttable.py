"""The tables of the report: which columns there are, how their values are written and which are the best."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from farthing.recommend.findings import Row, number, reference_row, signed

MEANINGS = {
    "fp32": "full precision",
    "int8": "8-bit embeddings, W8A8 network",
    "int4": "4-bit embeddings, W4A8 network",
    "int2": "2-bit embeddings, W4A8 network",
    "binary": "1-bit embeddings, W1A1 network",
    "fp32-distilled": "full precision with a teacher, as the rounded rows have",
    "fp32-unfiltered": "full precision, a row for every id",
    "int4-ptq": "fp32, rounded after training",
    "seed-binary": "sign embeddings and top network, every id",
}


def four_decimals(value: float) -> str:
    """`0.8031`."""
    return f"{value:.4f}"


def three_digits(value: float) -> str:
    """`0.741`, `5.72`, `2,162`: at least three significant digits."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def whole(value: float) -> str:
    """`243,810`."""
    return f"{value:,.0f}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """One column of the table.

    Attributes:
        key: of the value in a row; `key_std`, where there, is its standard deviation over seeds.
        title: its head.
        format: writes the value.
        note: how the value was measured.
        better: which end is best; None emphasises none.
        relation: how the value is compared with the reference row below it; None does not.
    """

    key: str
    title: str
    format: Callable[[float], str]
    note: str
    better: Literal["high", "low"] | None = None
    relation: Literal["difference", "ratio"] | None = None


COLUMNS = (
    Column(
        key="auc",
        title="AUC",
        format=four_decimals,
        better="high",
        relation="difference",
        note="Area under the ROC curve on the test split, scored with the packed model: the mean over seeds.",
    ),
    Column(
        key="gauc",
        title="gAUC",
        format=four_decimals,
        better="high",
        note="AUC within each group, such as a user, averaged with the groups' rows as weights. Groups of one class "
        "are left out.",
    ),
    Column(
        key="size_mb",
        title="Size, MB",
        format=three_digits,
        better="low",
        relation="ratio",
        note="Bytes of the model on disk / 1e6, really packed; the vocabulary is not counted.",
    ),
    Column(
        key="embedding_mb",
        title="Embeddings, MB",
        format=three_digits,
        better="low",
        note="The part of the size that is embedding codes and their scales.",
    ),
    Column(
        key="log_loss",
        title="Log loss",
        format=four_decimals,
        better="low",
        note="Mean negative log-likelihood, natural logarithm.",
    ),
    Column(
        key="accuracy",
        title="Accuracy",
        format=four_decimals,
        better="high",
        note="Share of test rows on the right side of 0.5.",
    ),
    Column(
        key="ece",
        title="ECE",
        format=four_decimals,
        better="low",
        note="Expected calibration error: mean distance between predicted and observed click rate over 15 equally wide "
        "bins of the prediction, weighted by rows.",
    ),
    Column(
        key="p50_us_1",
        title="One row, \u00b5s",
        format=whole,
        better="low",
        note="Median time to score one encoded row on one thread of this machine. All models take turns, so that a "
        "drifting machine hits all alike.",
    ),
    Column(
        key="rows_per_second_2048",
        title="Rows/s at 2,048",
        format=whole,
        better="high",
        relation="ratio",
        note="2,048 rows divided by the median time to score them in one call, on one thread.",
    ),
    Column(
        key="train_seconds",
        title="Training, s",
        format=whole,
        note="Mean wall time of one training, its evaluations included.",
    ),
)


def used_columns(rows: Sequence[Row]) -> list[Column]:
    """The columns for which some row has a value."""
    return [column for column in COLUMNS if any(number(row, column.key) is not None for row in rows)]


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


def results_table(rows: Sequence[Row]) -> Table:
    """The main table: every column for which some row has a value."""
    columns = [column for column in COLUMNS if any(number(row, column.key) is not None for row in rows)]
    reference = reference_row(rows)
    best = {column.key: _best(column, rows) for column in columns}
    lines = {str(row["name"]): [_cell(column, row, reference, best[column.key]) for column in columns] for row in rows}
    return Table(columns=columns, lines=lines)


def operations_table(rows: Sequence[Row]) -> Table:
    """Operations of one row by operand widths, widest first; without columns where no row tells them."""
    prefix = "mflops_w"
    widths = sorted({key for row in rows for key in row if key.startswith(prefix)}, key=_operand_bits)
    titles = {"mflops": "MFLOPs"} | {key: key.removeprefix("mflops_").upper() for key in widths}
    titles["mflops_seed"] = "As the seed counts"
    columns = [
        Column(key=key, title=title, format=_operations, note="")
        for key, title in titles.items()
        if any(number(row, key) for row in rows)
    ]
    lines = {str(row["name"]): [_cell(column, row, None, None) for column in columns] for row in rows}
    return Table(columns=columns, lines=lines)


def _cell(column: Column, row: Row, reference: Row | None, best: str | None) -> Cell:
    value, deviation = number(row, column.key), number(row, f"{column.key}_std")
    if value is None:
        return Cell(text="")
    details = []
    if deviation is not None and (number(row, "seeds") or 0) > 1:
        details.append("\u00b1" + column.format(deviation))
    if reference is not None and row is not reference:
        details.append(_relation(column, value, number(reference, column.key)))
    text = column.format(value)
    return Cell(text=text, details=tuple(detail for detail in details if detail), is_best=text == best)


def _relation(column: Column, value: float, other: float | None) -> str:
    """A value against that of the reference row, such as `-0.0002`, `1/7.7` or `1.3x`."""
    if column.relation is None or not value or not other:
        return ""
    if column.relation == "difference":
        return signed(value - other)
    if value >= other:
        return f"{_ratio(value / other)}x"
    return f"1/{_ratio(other / value)}"


def _ratio(value: float) -> str:
    """A ratio >= 1 with two digits, or all of those before the point."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.1f}"


def _best(column: Column, rows: Sequence[Row]) -> str | None:
    """The best value as it is written, so that all values that look equal to it are emphasised alike."""
    values = [value for row in rows if (value := number(row, column.key)) is not None]
    if column.better is None or len(values) < 2:
        return None
    return column.format(max(values) if column.better == "high" else min(values))


def _operand_bits(key: str) -> tuple[int, int]:
    weight, _, activation = key.removeprefix("mflops_w").partition("a")
    return -int(weight), -int(activation)


def _operations(value: float) -> str:
    return "" if not value else whole(value) if value >= 100 else f"{value:.3f}"
