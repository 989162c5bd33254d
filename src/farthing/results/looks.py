"""How the rows of a comparison are drawn: each alike in every table and chart of a page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from farthing.results.charts import Point, point_chart
from farthing.results.tables import Row, number

_COLOR_OF_BITS: Mapping[object, str] = {32: "series-1", 8: "series-2", 4: "series-3", 2: "series-4", 1: "series-5"}
_OTHER_COLOR = "series-6"
LAST_DASH = 2


@dataclass(frozen=True, slots=True)
class Look:
    """How a row is drawn everywhere: its colour, and dash 0 (solid), 1 or 2 among the rows of that colour."""

    color: str
    dash: int


Looks = Mapping[str, Look]


@dataclass(frozen=True, kw_only=True, slots=True)
class Axes:
    """What a chart of rows shows: the keys of the values in a row, and their names."""

    x: str
    y: str
    title: str
    x_label: str
    y_label: str


def looks_by_bits(rows: Sequence[Row]) -> dict[str, Look]:
    """Colours by bits; the first row of these bits is solid, the second and all further ones have a dash each."""
    seen: Counter[object] = Counter()
    looks: dict[str, Look] = {}
    for row in rows:
        bits = row.get("bits")
        looks[str(row["name"])] = Look(_COLOR_OF_BITS.get(bits, _OTHER_COLOR), min(seen[bits], LAST_DASH))
        seen[bits] += 1
    return looks


def row_points(rows: Sequence[Row], looks: Looks, *, x: str, y: str) -> list[Point]:
    """A mark for each row, with `y_std` as its error bar; a row without `y` or without an `x` above 0 is left out."""
    points = []
    for row in rows:
        look = looks[str(row["name"])]
        across, up = number(row, x), number(row, y)
        if across is None or across <= 0 or up is None:
            continue
        error = number(row, f"{y}_std") or 0.0
        name, is_hollow = str(row["name"]), look.dash > 0
        points.append(Point(name=name, x=across, y=up, error=error, color=look.color, is_hollow=is_hollow))
    return points


def row_chart(rows: Sequence[Row], looks: Looks, axes: Axes, *, size: tuple[int, int]) -> Markup | None:
    """The rows as named marks over a logarithmic x axis, as an SVG element; None where no row has both values."""
    points = row_points(rows, looks, x=axes.x, y=axes.y)
    if not points:
        return None
    return point_chart(points, title=axes.title, x_label=axes.x_label, y_label=axes.y_label, size=size)
