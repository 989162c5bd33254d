"""Charts are one safe, repeatable SVG element in the page's own colours."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import matplotlib as mpl
import pytest
from markupsafe import Markup

from farthing.results.charts import COLORS, Point, Series, line_chart, point_chart
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
