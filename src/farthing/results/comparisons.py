"""A comparison as one web page: the finding, the table, charts of quality against cost, how all of it was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path

from markupsafe import Markup

from farthing.results.headlines import Headline
from farthing.results.looks import Axes, Looks, row_chart
from farthing.results.tables import ABOUT_TABLE, Row, Table
from farthing.results.webpages import write_page

REPORT_FILE = "report.html"
_CHART_SIZE = (430, 340)


@dataclass(frozen=True, kw_only=True, slots=True)
class ChartFigure:
    """One chart with its title above and a sentence below."""

    title: str
    svg: Markup
    caption: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ChartSection:
    """Charts beside each other."""

    title: str
    about: str
    figures: Sequence[ChartFigure]


@dataclass(frozen=True, kw_only=True, slots=True)
class TableSection:
    """One more table below the charts."""

    title: str
    about: str
    table: Table


@dataclass(frozen=True, kw_only=True, slots=True)
class ComparisonPage:
    """All that a page of a comparison shows.

    Attributes:
        command: that made it.
        subject: what a row is, such as `Model`.
        headline: the finding.
        facts: label and text of what was compared on; the first three stand below the headline.
        looks: how each row is drawn.
        table: all rows; its columns' notes tell how each value was measured.
        about_table: what the marks and the lines below a value are.
        meanings: what a row's name means, where that is not plain.
        chart_sections: after the table.
        table_sections: after the charts; their lines are rows of `looks`.
    """

    command: str
    subject: str
    headline: Headline
    facts: Sequence[tuple[str, str]]
    looks: Looks
    table: Table
    about_table: str = ABOUT_TABLE
    meanings: Mapping[str, str] = field(default_factory=dict)
    chart_sections: Sequence[ChartSection] = ()
    table_sections: Sequence[TableSection] = ()


def row_figure(rows: Sequence[Row], looks: Looks, axes: Axes, caption: str) -> list[ChartFigure]:
    """The chart of the rows as a list of one figure; of none where no row has both values."""
    svg = row_chart(rows, looks, axes, size=_CHART_SIZE)
    return [] if svg is None else [ChartFigure(title=axes.title, svg=svg, caption=caption)]


def write_comparison(folder: Path, page: ComparisonPage) -> Path:
    """Writes `folder/report.html`, equal bytes for equal pages; returns its path.

    Raises:
        DataError: the folder cannot be written.
    """
    values = {one.name: getattr(page, one.name) for one in fields(page)}
    return write_page(folder / REPORT_FILE, "comparison.html", values)
