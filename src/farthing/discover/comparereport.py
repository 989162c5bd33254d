"""The table of heads and feature widths as a web page: what the choice by folds costs, and what few bits cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from farthing.results.comparisons import ChartSection, ComparisonPage, row_figure, write_comparison
from farthing.results.headlines import Figure, Headline, Quality, spread_text
from farthing.results.looks import LAST_DASH, Axes, Look, Looks
from farthing.results.tables import (
    Column,
    Row,
    make_table,
    number,
    one_decimal,
    ratio,
    signed,
    three_decimals,
    three_digits,
    whole,
)

CHOSEN = "chosen"
NUM_COLORS = 8
ALL = Quality(key="all", name="share", format=one_decimal, tolerance=0.0)
_LAID_OUT = "Images whose found class is matched with their own, in percent of the unlabelled images"
COLUMNS = (
    Column(
        key="all",
        title="All, %",
        format=one_decimal,
        better="high",
        relation="difference",
        note=f"{_LAID_OUT}; found and true classes are matched once, over all of them.",
    ),
    Column(
        key="old",
        title="Known, %",
        format=one_decimal,
        better="high",
        relation="difference",
        note="The same for the images of known classes, under the same matching.",
    ),
    Column(
        key="new",
        title="New, %",
        format=one_decimal,
        better="high",
        relation="difference",
        note="The same for the images of new classes, under the same matching.",
    ),
    Column(
        key="balanced",
        title="Balanced, %",
        format=one_decimal,
        better="high",
        relation="difference",
        note="The mean over classes of the share of their images that are matched: small classes count as large ones.",
    ),
    Column(
        key="balanced_new",
        title="Balanced new, %",
        format=one_decimal,
        better="high",
        note="The same over new classes.",
    ),
    Column(
        key="named_old",
        title="Named, %",
        format=one_decimal,
        better="high",
        note="Images of known classes that were given their own name, without any matching.",
    ),
    Column(
        key="ece",
        title="ECE",
        format=three_decimals,
        better="low",
        note="Expected calibration error of the probability of the found class, over 15 bins. A head alone is not "
        "calibrated, which takes folds.",
    ),
    Column(
        key="novelty_auroc",
        title="Novelty AUROC",
        format=three_decimals,
        better="high",
        note="How well the novelty tells images of new classes from those of known ones.",
    ),
    Column(
        key="clusters",
        title="Classes",
        format=whole,
        note="Found classes that hold an unlabelled image; the mean over seeds.",
    ),
    Column(
        key="size_mb",
        title="Features, MB",
        format=three_digits,
        better="low",
        note="Bytes of the features of all images in this width / 1e6, without scales.",
    ),
    Column(
        key="seconds",
        title="Sorting, s",
        format=three_digits,
        better="low",
        note="Mean wall time of one sorting, the choice among heads included, the making of features not.",
    ),
)
_SHOWN = {"all": "All, %", "old": "Known classes, %", "new": "New classes, %", "balanced": "Balanced, %"}
_BY_TIME = Axes(x="seconds", y="all", title="All images against time", x_label="seconds", y_label="right, %")
_BY_SIZE = Axes(x="size_mb", y="all", title="All images against size", x_label="features, MB", y_label="right, %")
_ABOUT_TABLE = (
    "Best values are marked. Below a value: its standard deviation over seeds, and its difference from the choice on "
    "the widest features."
)


def write_compare_report(folder: Path, rows: Sequence[Row], facts: Mapping[str, str]) -> Path:
    """Writes `folder/report.html` from the rows of a comparison; returns its path.

    Args:
        folder: of the comparison.
        rows: as `compare_heads` makes them, at least one.
        facts: what was sorted, as label and text.

    Raises:
        DataError: the folder cannot be written.
    """
    looks = _looks(rows)
    page = ComparisonPage(
        command="farthing discover compare",
        subject="Head",
        headline=find_headline(rows),
        facts=[*_measured_on(rows), *facts.items()],
        looks=looks,
        table=make_table(COLUMNS, rows, reference=chosen_row(rows)),
        about_table=_ABOUT_TABLE,
        meanings={str(row["name"]): "chosen by folds, as fit does" for row in rows if row.get("head") == CHOSEN},
        chart_sections=_charts(rows, looks),
    )
    return write_comparison(folder, page)


def chosen_row(rows: Sequence[Row]) -> Row | None:
    """What fit does, on the widest features; None where that was not measured."""
    return max((row for row in rows if row.get("head") == CHOSEN), key=_bits, default=None)


def find_headline(rows: Sequence[Row]) -> Headline:
    """What the choice finds beside the best head, which only the truth can tell."""
    chosen = chosen_row(rows)
    alone = [row for row in rows if row.get("head") != CHOSEN and (chosen is None or _bits(row) == _bits(chosen))]
    best = max(alone, key=ALL.of, default=None)
    if chosen is None or best is None:
        row = max(rows, key=ALL.of)
        title = f"{row['name']}: {ALL.of(row):.1f} % of all images right"
        return Headline(title=title, detail="No choice among heads to compare with the heads.", figures=[])
    title = f"The choice gets {ALL.of(chosen):.1f} % of all images right, the best head {ALL.of(best):.1f} %"
    difference = signed(ALL.of(chosen) - ALL.of(best), one_decimal)
    detail = (
        f"The choice is made by folds, without the truth; that {best.get('head')} is the best head, only the truth "
        f"tells. The difference is {difference} points{spread_text(chosen, ALL)}."
    )
    return Headline(title=title, detail=detail, figures=[*_against(chosen, best), *_narrow(rows, chosen)])


def _against(chosen: Row, best: Row) -> list[Figure]:
    figures = []
    for key, label in _SHOWN.items():
        own, other = number(chosen, key), number(best, key)
        if own is not None and other is not None:
            figures.append(Figure(label=label, value=f"{own:.1f}", detail=f"{best.get('head')} {other:.1f}"))
    return figures


def _narrow(rows: Sequence[Row], chosen: Row) -> list[Figure]:
    """The choice on the narrowest features, where there are narrower ones."""
    narrow = min((row for row in rows if row.get("head") == CHOSEN), key=_bits)
    if narrow is chosen:
        return []
    label = f"All, % on {whole(_bits(narrow))}-bit features"
    detail = f"1/{ratio(_bits(chosen) / _bits(narrow))} of the bytes"
    return [Figure(label=label, value=f"{ALL.of(narrow):.1f}", detail=detail)]


def _bits(row: Row) -> float:
    return number(row, "bits") or 0.0


def _width(row: Row) -> str:
    return f"{_bits(row):.0f} bit{'s' * (_bits(row) != 1)}"


def _measured_on(rows: Sequence[Row]) -> list[tuple[str, str]]:
    texts: dict[str, tuple[str, Callable[[float], str]]] = {
        "Judged": ("images", lambda value: f"{value:,.0f} unlabelled images"),
        "True classes": ("classes", whole),
        "Seeds": ("seeds", whole),
    }
    found = {label: (number(rows[0], key), form) for label, (key, form) in texts.items()}
    return [(label, form(value)) for label, (value, form) in found.items() if value is not None]


def _looks(rows: Sequence[Row]) -> dict[str, Look]:
    """A colour for each head, ink for the choice; solid for the first width and dashed for others."""
    heads = [head for head in dict.fromkeys(row.get("head") for row in rows) if head != CHOSEN]
    colors = {head: f"series-{index % NUM_COLORS + 1}" for index, head in enumerate(heads)} | {CHOSEN: "ink"}
    widths = list(dict.fromkeys(row.get("bits") for row in rows))
    return {
        str(row["name"]): Look(colors[row.get("head")], min(widths.index(row.get("bits")), LAST_DASH)) for row in rows
    }


def _charts(rows: Sequence[Row], looks: Looks) -> list[ChartSection]:
    """All heads on the widest features against time; the choice on all widths against bytes."""
    most = max(_bits(row) for row in rows)
    widest = [row for row in rows if _bits(row) == most]
    faster, smaller = "On the widest features. On the pale line: what no faster head beats.", "Of the choice by folds."
    figures = row_figure(*_named_by("head", widest, looks), _BY_TIME, faster)
    chosen = [row | {"width": _width(row)} for row in rows if row.get("head") == CHOSEN]
    if len({row.get("bits") for row in chosen}) > 1:
        figures += row_figure(*_named_by("width", chosen, looks), _BY_SIZE, smaller)
    if not figures:
        return []
    about = "How many images are right, against what it costs. Bars: one standard deviation over seeds."
    return [ChartSection(title="Quality against cost", about=about, figures=figures)]


def _named_by(key: str, rows: Sequence[Row], looks: Looks) -> tuple[list[Row], dict[str, Look]]:
    """The rows under shorter names, which tell them apart among themselves, and their looks."""
    named = [row | {"name": str(row.get(key))} for row in rows]
    return named, {str(new["name"]): looks[str(old["name"])] for new, old in zip(named, rows, strict=True)}
