"""The headline says what the rows say."""

from __future__ import annotations

import pytest

from farthing.recommend.findings import find_headline
from farthing.results.headlines import reference_row
from farthing.results.tables import Row, signed
from tests.reference.comparison import make_rows


def row(name: str, bits: int, auc: float, size: float, **more: float) -> Row:
    return {"name": name, "bits": bits, "auc": auc, "size_mb": size, **more}


FP32 = row("fp32", 32, 0.8033, 12.0, seeds=3, auc_std=0.0004)


def test_the_smallest_model_as_good_as_full_precision_is_the_finding() -> None:
    headline = find_headline(make_rows())
    assert headline.title == "4 bits: AUC 0.8031 of 0.8033 at 1/7.7 of the bytes"
    assert headline.detail == (
        "The smallest model whose AUC is within 0.001 of fp32. The difference is \u22120.0002; "
        "over 3 seeds the AUC has a standard deviation of 0.0003."
    )
    assert [(f.label, f.value, f.detail) for f in headline.figures] == [
        ("Test AUC", "0.8031", "fp32 0.8033"),
        ("Model size, MB", "0.741", "fp32 5.72"),
        ("Time for one row, \u00b5s", "304", "fp32 332"),
        ("Rows per second, 2,048 at once", "226,996", "fp32 226,968"),
    ]


@pytest.mark.parametrize(
    ("others", "title", "detail"),
    [
        ([row("int4", 4, 0.8023, 1.0)], "4 bits: AUC 0.8023 of 0.8033 at 1/12 of the bytes", "is \u22120.0010."),
        ([row("int4", 4, 0.8022, 1.0)], "4 bits: AUC 0.8022 of 0.8033 at 1/12 of the bytes", "No smaller model comes"),
        ([row("int4", 4, 0.81, 4.0, seeds=1)], "4 bits: AUC 0.8100 of 0.8033 at 1/3.0 of the bytes", "from one seed"),
        (
            [row("int8", 8, 0.7, 3.0), row("binary", 1, 0.8030, 0.5)],
            "1 bit: AUC 0.8030 of 0.8033 at 1/24 of the bytes",
            "The smallest model",
        ),
        (
            [row("int4", 4, 0.7, 1.0), row("int4-ptq", 4, 0.8033, 1.0)],
            "4 bits (int4-ptq): AUC 0.8033 of 0.8033 at 1/12 of the bytes",
            "is +0.0000",
        ),
        ([row("int8", 8, 0.81, 13.0)], "int8: AUC 0.8100 in 13 MB", "No smaller row"),
        ([], "fp32: AUC 0.8033 in 12 MB", "No smaller row"),
    ],
)
def test_other_findings(others: list[Row], title: str, detail: str) -> None:
    headline = find_headline([FP32, *others])
    assert headline.title == title
    assert detail in headline.detail


def test_without_full_precision_the_best_row_is_named() -> None:
    headline = find_headline([row("int4", 4, 0.79, 1.0), row("int8", 8, 0.80, 2.0)])
    assert headline.title == "int8: AUC 0.8000 in 2 MB"
    assert not headline.figures


def test_the_reference_is_fp32_or_else_the_first_of_32_bits() -> None:
    unfiltered = row("fp32-unfiltered", 32, 0.8, 70.0)
    assert reference_row([unfiltered, FP32]) is FP32
    assert reference_row([unfiltered]) is unfiltered
    assert reference_row([row("int4", 4, 0.8, 1.0)]) is None


def test_differences_have_a_sign() -> None:
    assert [signed(value) for value in (0.0012, 0.0, -0.00016)] == ["+0.0012", "+0.0000", "\u22120.0002"]
