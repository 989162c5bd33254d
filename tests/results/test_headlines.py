"""The headline says what the rows say, whatever they are judged by."""

from __future__ import annotations

import pytest

from farthing.results.headlines import Figure, Quality, Shown, find_headline, reference_row, spread_text
from farthing.results.tables import Row, three_decimals, whole

AP = Quality(key="ap", name="page AP", format=three_decimals, tolerance=0.01)
SHOWN = (Shown(key="ap", label="AP", format=three_decimals), Shown(key="ms", label="Time", format=whole))


def row(name: str, bits: int, ap: float, size: float, **more: float) -> Row:
    return {"name": name, "bits": bits, "ap": ap, "size_mb": size, **more}


FP32 = row("fp32", 32, 0.912, 12.0, seeds=3, ap_std=0.004, ms=50)


def test_the_smallest_model_as_good_as_full_precision_is_the_finding() -> None:
    rows = [FP32, row("int8", 8, 0.913, 3.0), row("int4", 4, 0.9021, 1.6, seeds=3, ap_std=0.004, ms=30)]
    headline = find_headline(rows, AP, SHOWN)
    assert headline.title == "4 bits: page AP 0.902 of 0.912 at 1/7.5 of the bytes"
    assert headline.detail == (
        "The smallest model whose page AP is within 0.01 of fp32. The difference is \u22120.010; "
        "over 3 seeds the page AP has a standard deviation of 0.004."
    )
    assert headline.figures == [
        Figure(label="AP", value="0.902", detail="fp32 0.912"),
        Figure(label="Time", value="30", detail="fp32 50"),
    ]


def test_where_none_is_as_good_the_closest_is_named() -> None:
    headline = find_headline([FP32, row("int8", 8, 0.85, 3.0), row("int4", 4, 0.86, 1.6)], AP, SHOWN)
    assert headline.title.startswith("4 bits: page AP 0.860")
    assert headline.detail.startswith("No smaller model comes within 0.01 of the page AP of fp32")


@pytest.mark.parametrize("rows", [[FP32], [FP32, row("int8", 8, 0.9, 13.0)]])
def test_without_a_smaller_row_the_best_one_is_named(rows: list[Row]) -> None:
    headline = find_headline(rows, AP, SHOWN)
    assert headline.title == "fp32: page AP 0.912 in 12 MB"
    assert headline.figures == []


def test_a_row_without_the_value_is_not_taken_for_a_good_one() -> None:
    headline = find_headline([FP32, {"name": "int8", "bits": 8, "size_mb": 3.0}], AP, SHOWN)
    assert headline.title == "8 bits: page AP 0.000 of 0.912 at 1/4.0 of the bytes"
    assert headline.figures == []


def test_the_reference_is_fp32_or_else_the_first_of_32_bits() -> None:
    other = row("fp32-other", 32, 0.8, 70.0)
    assert reference_row([other, FP32]) is FP32
    assert reference_row([other]) is other
    assert reference_row([row("int4", 4, 0.8, 1.0)]) is None


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({}, ""),
        ({"seeds": 1, "ap_std": 0.0}, ", from one seed"),
        ({"seeds": 2, "ap_std": 0.1}, "; over 2 seeds the page AP has a standard deviation of 0.100"),
    ],
)
def test_how_far_seeds_differ_is_said_where_it_is_known(more: dict[str, float], text: str) -> None:
    assert spread_text(row("a", 8, 0.9, 1.0, **more), AP) == text
