"""Charts are one safe, repeatable SVG element in the page's own colours."""

from __future__ import annotations

import itertools
import math
import re
from xml.etree import ElementTree as ET

import matplotlib as mpl
import pytest
from markupsafe import Markup

from farthing.results.charts import (
    COLORS,
    Bars,
    Point,
    Series,
    _root_ticks,
    histogram_chart,
    line_chart,
    point_chart,
    rank_chart,
)
from tests.reference.hostile_text import HOSTILE

LINE = Series(x=[0, 1, 2], y=[0.5, 0.7, 0.6], color="series-1", areas=[4, 9, 16])
FAINT = Series(x=[0, 2], y=[0.4, 0.8], color="series-2", dash=1, is_faint=True)
POINTS = [
    Point(name="fp32", x=5.7, y=0.803, error=0.0003, color="series-1"),
    Point(name="int4", x=0.7, y=0.803, error=0.0, color="series-3", is_hollow=True),
]


def lines() -> Markup:
    return line_chart([LINE, FAINT], title="Curves", x_label="rows", y_label="AUC", diagonal=True)


def points() -> Markup:
    return point_chart(POINTS, title="Sizes", x_label="MB", y_label="AUC")


@pytest.mark.parametrize("draw", [lines, points])
def test_is_one_element_without_anything_that_runs_or_fetches(draw: object) -> None:
    assert callable(draw)
    svg = draw()
    root = ET.fromstring(svg)
    assert root.tag.endswith("svg")
    assert root.get("role") == "img"
    assert root.get("aria-label") in ("Curves", "Sizes")
    allowed = {"svg", "g", "path", "defs", "use", "text", "clipPath", "rect", "style", "title"}
    assert {element.tag.split("}")[-1] for element in root.iter()} <= allowed
    links = [value for e in root.iter() for name, value in e.attrib.items() if name.endswith("href")]
    assert all(link.startswith("#") for link in links)
    assert not re.search(r"\son\w+=", svg)


@pytest.mark.parametrize("draw", [lines, points])
def test_equal_numbers_make_equal_bytes(draw: object) -> None:
    assert callable(draw)
    first = draw()
    mpl.rcParams["svg.hashsalt"] = None
    assert draw() == first


def test_all_colours_come_from_the_page() -> None:
    for name in COLORS:
        svg = line_chart([Series(x=[0, 1], y=[0, 1], color=name)], title="t", x_label="x", y_label="y")
        assert f"var(--{name})" in svg
        assert not re.search(r"#[0-9a-f]{6}(?![0-9a-f])", svg), name


def test_texts_are_text_in_the_pages_font() -> None:
    texts = [element.text for element in ET.fromstring(points()).iter() if element.tag.endswith("text")]
    assert {"fp32", "int4", "MB", "AUC"} <= set(texts)
    assert "DejaVu" not in points()


@pytest.mark.parametrize("name", HOSTILE)
def test_names_stay_text(name: str) -> None:
    point = Point(name=name, x=1, y=0.8, error=0.001, color="series-1")
    svg = point_chart([point], title=name, x_label=name, y_label=name)
    root = ET.fromstring(svg)
    assert not [element for element in root.iter() if element.tag.split("}")[-1] in ("script", "img", "iframe")]
    assert "<script" not in svg


def test_the_line_joins_the_points_that_no_smaller_one_beats() -> None:
    from farthing.results.charts import _frontier

    def at(x: float, y: float) -> Point:
        return Point(name="", x=x, y=y, error=0, color="ink")

    assert _frontier([at(4, 0.8), at(1, 0.7), at(2, 0.6), at(3, 0.8), at(1, 0.5)]) == [(1, 0.7), (3, 0.8)]


def test_one_point_and_equal_points_can_be_drawn() -> None:
    for marks in (POINTS[:1], [POINTS[0], POINTS[0]]):
        assert "fp32" in point_chart(marks, title="t", x_label="x", y_label="y")


def histogram(*counts: list[int], mark: float | None = None) -> str:
    groups = [Bars(counts=values, color=color) for values, color in zip(counts, ("series-3", "muted"), strict=False)]
    return str(histogram_chart(groups, title="Scores", x_label="score", y_label="pages", mark=mark))


def bar_heights(svg: str, color: str) -> list[float]:
    """Heights of the bars of a color, from left to right."""
    paths = re.findall(rf'<path d="([^"]+)"[^>]*style="fill: var\(--{color}\)', svg)
    heights = []
    for path in paths:
        ys = [float(y) for y in re.findall(r"[ML] [\d.]+ ([\d.]+)", path)]
        heights.append(max(ys) - min(ys))
    return heights


def test_bars_grow_with_the_square_root_of_the_count() -> None:
    heights = bar_heights(histogram([1, 4, 0, 100]), "series-3")
    assert heights == pytest.approx([heights[0], 2 * heights[0], 0, 10 * heights[0]], abs=0.01)


def test_groups_stand_on_each_other() -> None:
    svg = histogram([9, 0], [16, 4])
    lower, upper = bar_heights(svg, "series-3")[0], bar_heights(svg, "muted")[0]
    assert (lower + upper) / lower == pytest.approx(5 / 3, abs=0.01)


@pytest.mark.parametrize("counts", [[0, 0], [1], [0, 3, 10**7]])
def test_any_counts_can_be_drawn(counts: list[int]) -> None:
    svg = histogram(counts, mark=0.5)
    assert svg.count("stroke-dasharray") == 1
    assert "nan" not in svg
    assert svg == histogram(counts, mark=0.5)


@pytest.mark.parametrize(
    ("most", "ticks"), [(1, [1]), (3, [2, 1]), (33, [20, 10, 2]), (20000, [20000, 10000, 5000, 2000, 200])]
)
def test_ticks_are_round_and_stand_apart(most: float, ticks: list[float]) -> None:
    found = _root_ticks(most)
    assert found == ticks
    roots = [math.sqrt(tick / most) for tick in found]
    assert all(above - below >= 0.17 for above, below in itertools.pairwise(roots))


def ranks(values: list[int]) -> Markup:
    colors = ["series-2" if place % 2 else "series-4" for place in range(len(values))]
    return rank_chart(values, colors, title="Sizes", x_label="classes", y_label="images", size=(400, 300))


def test_ranked_bars_grow_with_the_logarithm_from_a_little_below_one() -> None:
    svg = ranks([100, 10, 1])
    first, third = bar_heights(svg, "series-4")
    (second,) = bar_heights(svg, "series-2")
    assert third > 0
    assert first - second == pytest.approx(second - third, abs=0.01)
    assert second - third == pytest.approx(third * math.log(10) / math.log(1 / 0.6), abs=0.1)


@pytest.mark.parametrize("values", [[1], [3, 2], [10**6, 1], list(range(1000, 0, -1))])
def test_any_ranked_values_can_be_drawn(values: list[int]) -> None:
    svg = ranks(values)
    assert "nan" not in svg
    assert svg == ranks(values)


@pytest.mark.parametrize("name", ["new-01", "$x_1$", *HOSTILE])
def test_ranked_bars_can_have_names_and_nothing_in_them_is_run(name: str) -> None:
    labels = {"title": "Sizes", "x_label": "classes", "y_label": "images"}
    svg = rank_chart([9, 3], ["ink", "ink"], names=[name, "b"], size=(400, 300), **labels)
    texts = [
        "".join(element.itertext()).split() for element in ET.fromstring(svg).iter() if element.tag.endswith("text")
    ]
    assert "".join(c if c.isprintable() else "\ufffd" for c in name).split() in texts
    assert ["b"] in texts
