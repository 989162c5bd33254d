"""What a comparison of widths found, in one sentence and a few figures, computed from its rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from farthing.results.tables import Row, number, ratio, signed

FLOAT_BITS = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """One figure beside the headline: its label, its value, and what it is compared with."""

    label: str
    value: str
    detail: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Headline:
    """The main finding.

    Attributes:
        title: one sentence.
        detail: how it was chosen and how sure it is.
        figures: the chosen row against the reference; empty where there is no reference.
    """

    title: str
    detail: str
    figures: list[Figure]


@dataclass(frozen=True, kw_only=True, slots=True)
class Quality:
    """What rows are judged by.

    Attributes:
        key: of the value in a row; higher is better.
        name: in a sentence.
        format: writes the value.
        tolerance: the difference that is none.
    """

    key: str
    name: str
    format: Callable[[float], str]
    tolerance: float

    def of(self, row: Row) -> float:
        """The value of a row; 0 where it has none."""
        return number(row, self.key) or 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """A value that is shown beside the headline: its key in a row, its label, how it is written."""

    key: str
    label: str
    format: Callable[[float], str]


def reference_row(rows: Sequence[Row]) -> Row | None:
    """The row that the others are compared with: `fp32`, or else the first one of 32 bits."""
    floats = [row for row in rows if row.get("bits") == FLOAT_BITS]
    return next((row for row in floats if row["name"] == "fp32"), floats[0] if floats else None)


def find_headline(rows: Sequence[Row], quality: Quality, shown: Sequence[Shown]) -> Headline:
    """The smallest row that is as good as full precision, or what there is instead.

    Args:
        rows: at least one; `size_mb` tells the size.
        quality: what they are judged by.
        shown: the figures, each left out where one of the two rows lacks it.
    """
    reference = reference_row(rows)
    smaller = [row for row in rows if reference and row.get("bits") != FLOAT_BITS and _size(row) < _size(reference)]
    if reference is None or not smaller:
        best = max(rows, key=quality.of)
        title = f"{best['name']}: {quality.name} {quality.format(quality.of(best))} in {_size(best):.3g} MB"
        return Headline(title=title, detail="No smaller row to compare it with.", figures=[])
    least = quality.of(reference) - quality.tolerance
    equal = [row for row in smaller if quality.of(row) >= least]
    chosen = min(equal, key=_size) if equal else max(smaller, key=quality.of)
    title = (
        f"{_bits_text(chosen, rows)}: {quality.name} {quality.format(quality.of(chosen))} of "
        f"{quality.format(quality.of(reference))} at 1/{ratio(_size(reference) / _size(chosen))} of the bytes"
    )
    detail = _why(chosen, reference, quality, is_equal=bool(equal))
    return Headline(title=title, detail=detail, figures=_figures(chosen, reference, shown))


def spread_text(row: Row, quality: Quality) -> str:
    """How far seeds differ, as the end of a sentence; empty where that is not known."""
    deviation, seeds = number(row, f"{quality.key}_std"), number(row, "seeds")
    if seeds == 1:
        return ", from one seed"
    if deviation is None or seeds is None:
        return ""
    return f"; over {seeds:.0f} seeds the {quality.name} has a standard deviation of {quality.format(deviation)}"


def _why(chosen: Row, reference: Row, quality: Quality, *, is_equal: bool) -> str:
    name, bound = reference["name"], f"{quality.tolerance:g}"
    if is_equal:
        why = f"The smallest model whose {quality.name} is within {bound} of {name}."
    else:
        why = f"No smaller model comes within {bound} of the {quality.name} of {name}; this one is the closest."
    difference = signed(quality.of(chosen) - quality.of(reference), quality.format)
    return f"{why} The difference is {difference}{spread_text(chosen, quality)}."


def _figures(row: Row, reference: Row, shown: Sequence[Shown]) -> list[Figure]:
    figures = []
    for one in shown:
        own, other = number(row, one.key), number(reference, one.key)
        if own is not None and other is not None:
            detail = f"{reference['name']} {one.format(other)}"
            figures.append(Figure(label=one.label, value=one.format(own), detail=detail))
    return figures


def _bits_text(row: Row, rows: Sequence[Row]) -> str:
    """`4 bits`, with the name where it is not the first row of these bits."""
    bits = row.get("bits")
    text = "1 bit" if bits == 1 else f"{bits} bits"
    first = next(other for other in rows if other.get("bits") == bits)
    return text if first is row else f"{text} ({row['name']})"


def _size(row: Row) -> float:
    return number(row, "size_mb") or 0.0
