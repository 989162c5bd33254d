"""What a comparison found, in one sentence and a few figures, computed from its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Row = dict[str, str | int | float | None]

TOLERANCE = 0.001  # an AUC difference that three seeds do not resolve (their spread is .0005-.0009)


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


def number(row: Row, key: str) -> float | None:
    """A row's number, or None where it has none."""
    value = row.get(key)
    return float(value) if isinstance(value, int | float) else None


def signed(difference: float) -> str:
    """A difference of AUCs with its sign, such as `+0.0012`, with a real minus."""
    return f"{difference:+.4f}".replace("-", "\u2212")


def reference_row(rows: Sequence[Row]) -> Row | None:
    """The row that the others are compared with: `fp32`, or else the first one of 32 bits."""
    floats = [row for row in rows if row.get("bits") == 32]
    return next((row for row in floats if row["name"] == "fp32"), floats[0] if floats else None)


def find_headline(rows: Sequence[Row]) -> Headline:
    """The smallest row whose AUC is within `TOLERANCE` of full precision, or what there is instead."""
    reference = reference_row(rows)
    smaller = [row for row in rows if reference and row.get("bits") != 32 and _size(row) < _size(reference)]
    if reference is None or not smaller:
        best = max(rows, key=_auc)
        title = f"{best['name']}: AUC {_auc(best):.4f} in {_size(best):.3g} MB"
        return Headline(title=title, detail="No smaller row to compare it with.", figures=[])
    equal = [row for row in smaller if _auc(row) >= _auc(reference) - TOLERANCE]
    chosen = min(equal, key=_size) if equal else max(smaller, key=_auc)
    ratio = _size(reference) / _size(chosen)
    title = (
        f"{_bits_text(chosen, rows)}: AUC {_auc(chosen):.4f} of {_auc(reference):.4f} "
        f"at 1/{ratio:.{0 if ratio >= 10 else 1}f} of the bytes"
    )
    name = reference["name"]
    if equal:
        why = f"The smallest model whose AUC is within {TOLERANCE:g} of {name}."
    else:
        why = f"No smaller model comes within {TOLERANCE:g} of the AUC of {name}; this one is the closest."
    detail = f"{why} The difference is {signed(_auc(chosen) - _auc(reference))}{_spread(chosen)}."
    return Headline(title=title, detail=detail, figures=_figures(chosen, reference))


def _figures(row: Row, reference: Row) -> list[Figure]:
    name = reference["name"]
    figures = [
        Figure(label="Test AUC", value=f"{_auc(row):.4f}", detail=f"{name} {_auc(reference):.4f}"),
        Figure(label="Model size, MB", value=f"{_size(row):.3g}", detail=f"{name} {_size(reference):.3g}"),
    ]
    for key, label in (
        ("p50_us_1", "Time for one row, \u00b5s"),
        ("rows_per_second_2048", "Rows per second, 2,048 at once"),
    ):
        own, other = number(row, key), number(reference, key)
        if own is not None and other is not None:
            figures.append(Figure(label=label, value=f"{own:,.0f}", detail=f"{name} {other:,.0f}"))
    return figures


def _bits_text(row: Row, rows: Sequence[Row]) -> str:
    """`4 bits`, with the name where it is not the first row of these bits."""
    bits = row.get("bits")
    text = "1 bit" if bits == 1 else f"{bits} bits"
    first = next(other for other in rows if other.get("bits") == bits)
    return text if first is row else f"{text} ({row['name']})"


def _spread(row: Row) -> str:
    deviation, seeds = number(row, "auc_std"), number(row, "seeds")
    if seeds == 1:
        return ", from one seed"
    if deviation is None or seeds is None:
        return ""
    return f"; over {seeds:.0f} seeds the AUC has a standard deviation of {deviation:.4f}"


def _auc(row: Row) -> float:
    return number(row, "auc") or 0.0


def _size(row: Row) -> float:
    return number(row, "size_mb") or 0.0
