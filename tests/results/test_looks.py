"""Rows look alike in every table and chart; what has no place in a chart is not in it."""

from __future__ import annotations

from farthing.results.looks import Axes, Look, looks_by_bits, row_chart, row_points
from farthing.results.tables import Row

AXES = Axes(x="mb", y="ap", title="AP against size", x_label="MB", y_label="AP")


def row(name: str, bits: int | None, mb: float | None = 1.0, ap: float | None = 0.5, **more: float) -> Row:
    return {"name": name, "bits": bits, "mb": mb, "ap": ap, **more}


def test_colours_tell_bits_and_dashes_tell_rows_of_equal_bits_apart() -> None:
    rows = [row("a", 32), row("b", 8), row("c", 32), row("d", 32), row("e", 32), row("f", 3), row("g", None)]
    looks = looks_by_bits(rows)
    assert [looks[name] for name in "abcdefg"] == [
        Look("series-1", 0),
        Look("series-2", 0),
        Look("series-1", 1),
        Look("series-1", 2),
        Look("series-1", 2),
        Look("series-6", 0),
        Look("series-6", 0),
    ]


def test_points_carry_their_deviation_and_rows_without_a_place_have_none() -> None:
    rows = [row("a", 8, ap_std=0.1), row("b", 8), row("c", 8, mb=0.0), row("d", 8, ap=None), row("e", 8, mb=None)]
    points = row_points(rows, looks_by_bits(rows), x="mb", y="ap")
    assert [(point.name, point.error, point.is_hollow) for point in points] == [("a", 0.1, False), ("b", 0.0, True)]


def test_a_chart_names_its_rows_and_there_is_none_without_a_point() -> None:
    rows = [row("first", 8), row("second", 4, mb=2.0)]
    chart = row_chart(rows, looks_by_bits(rows), AXES, size=(400, 300))
    assert chart is not None
    assert all(text in chart for text in ("first", "second", 'aria-label="AP against size"', "var(--series-2)"))
    empty = [row("a", 8, ap=None)]
    assert row_chart(empty, looks_by_bits(empty), AXES, size=(400, 300)) is None
