"""The table of bit widths as a web page: what few bits cost a detector, over all classes and for each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from farthing.documents.filtering.wording import class_title, plural
from farthing.results.comparisons import ChartSection, ComparisonPage, TableSection, row_figure, write_comparison
from farthing.results.headlines import Quality, Shown, find_headline, reference_row
from farthing.results.looks import Axes, Looks, looks_by_bits
from farthing.results.tables import Column, Row, make_table, number, three_decimals, three_digits, whole

# About what the same training differs by from seed to seed.
PAGE_AP = Quality(key="page_ap", name="page AP", format=three_decimals, tolerance=0.01)
MEANINGS = {
    "fp32": "full precision",
    "int8": "8-bit weights and activations",
    "int4": "4-bit weights (first and last layer 8), 8-bit activations",
    "int2": "2-bit weights (first and last layer 8), 8-bit activations",
}


def percent(value: float) -> str:
    """`12.3 %` of 0.123."""
    return f"{100 * value:.1f} %"


COLUMNS = (
    Column(
        key="page_ap",
        title="Page AP",
        format=three_decimals,
        better="high",
        relation="difference",
        note="Average precision of the test pages, ranked by their best box of a class; the mean over the classes that "
        "occur in them, then over seeds. Measured with the packed model.",
    ),
    Column(
        key="ap50",
        title="Box AP50",
        format=three_decimals,
        better="high",
        relation="difference",
        note="Average precision of the boxes; one is right if it overlaps an object of its class by half (IoU >= 0.5). "
        "The mean over classes, then over seeds.",
    ),
    Column(
        key="precision_at_95",
        title="Precision at 95 % recall",
        format=percent,
        better="high",
        note="Of the pages that must be kept to find 95 % of those that show the class, the share that shows it. "
        "The mean over classes, then over seeds.",
    ),
    Column(
        key="kept_at_95",
        title="Kept at 95 % recall",
        format=percent,
        better="low",
        note="The share of all test pages that must be kept to find 95 % of those that show the class. The mean over "
        "classes, then over seeds.",
    ),
    Column(
        key="size_mb",
        title="Size, MB",
        format=three_digits,
        better="low",
        relation="ratio",
        note="Bytes of the model folder on disk / 1e6, really packed; the first seed's, since all are as large.",
    ),
    Column(
        key="ms_per_page",
        title="One page, ms",
        format=three_digits,
        better="low",
        relation="ratio",
        is_over_seeds=False,
        note="Median time to search a page that is decoded already, on one thread of this machine; the deviation is "
        "one over repeats. The widths take turns, so that a drifting machine hits all alike.",
    ),
    Column(
        key="train_seconds",
        title="Training, s",
        format=whole,
        note="Mean wall time of one training, its evaluations included; the float part is trained once for all widths.",
    ),
)
SHOWN = (
    Shown(key="page_ap", label="Page AP", format=three_decimals),
    Shown(key="ap50", label="Box AP50", format=three_decimals),
    Shown(key="size_mb", label="Model size, MB", format=three_digits),
    Shown(key="ms_per_page", label="Time for one page, ms", format=three_digits),
)
_BY_SIZE = Axes(
    x="size_mb", y="page_ap", title="Page AP against model size", x_label="model size, MB", y_label="page AP"
)
_BY_TIME = Axes(x="ms_per_page", y="page_ap", title="Page AP against time", x_label="ms per page", y_label="page AP")
_ABOUT_CLASSES = (
    "Only classes that occur in the test pages. Below a value: its standard deviation over seeds, and its difference "
    "from full precision."
)
_BY_CLASS = {"page_ap": "Page AP of each class", "ap50": "Box AP50 of each class"}


def write_compare_report(folder: Path, rows: Sequence[Row], facts: Mapping[str, str]) -> Path:
    """Writes `folder/report.html` from the rows of a comparison; returns its path.

    Args:
        folder: of the comparison.
        rows: as `compare_bits` makes them, at least one.
        facts: what was trained and measured on, as label and text.

    Raises:
        DataError: the folder cannot be written.
    """
    looks = looks_by_bits(rows)
    page = ComparisonPage(
        command="farthing documents compare",
        subject="Model",
        headline=find_headline(rows, PAGE_AP, SHOWN),
        facts=[*_measured_on(rows), *facts.items()],
        looks=looks,
        table=make_table(COLUMNS, rows, reference=reference_row(rows)),
        meanings=MEANINGS,
        chart_sections=_charts(rows, looks),
        table_sections=_class_tables(rows),
    )
    return write_comparison(folder, page)


def _measured_on(rows: Sequence[Row]) -> list[tuple[str, str]]:
    facts = []
    if (num_pages := number(rows[0], "pages")) is not None:
        facts.append(("Measured on", plural(int(num_pages), "page")))
    if (seeds := number(rows[0], "seeds")) is not None:
        facts.append(("Seeds", whole(seeds)))
    return facts


def _charts(rows: Sequence[Row], looks: Looks) -> list[ChartSection]:
    """Quality against bytes and against time."""
    smaller, faster = "On the pale line: what no smaller model beats.", "On the pale line: what no faster model beats."
    figures = [*row_figure(rows, looks, _BY_SIZE, smaller), *row_figure(rows, looks, _BY_TIME, faster)]
    if not figures:
        return []
    about = "How well pages are ranked, against what it costs. Bars: one standard deviation over seeds."
    return [ChartSection(title="Quality against cost", about=about, figures=figures)]


def _class_tables(rows: Sequence[Row]) -> list[TableSection]:
    """A table for each of `_BY_CLASS`, one column per class; none for a value that no row has by class."""
    sections = []
    for key, title in _BY_CLASS.items():
        names = dict.fromkeys(
            name.removeprefix(f"{key}/")
            for row in rows
            for name in row
            if name.startswith(f"{key}/") and not _is_deviation(name, row)
        )
        columns = [
            Column(
                key=f"{key}/{name}",
                title=class_title(name),
                format=three_decimals,
                note="",
                better="high",
                relation="difference",
            )
            for name in names
        ]
        table = make_table(columns, rows, reference=reference_row(rows))
        if table.columns:
            sections.append(TableSection(title=title, about=_ABOUT_CLASSES, table=table))
    return sections


def _is_deviation(key: str, row: Row) -> bool:
    """Whether a key is that of another's standard deviation, and not of a class whose name ends alike."""
    return key.endswith("_std") and key.removesuffix("_std") in row
