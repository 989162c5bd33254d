"""Cells, their comparisons and which of them are best."""

from __future__ import annotations

import pytest

from farthing.recommend.reporttable import COLUMNS, operations_table, results_table
from farthing.results.tables import Cell, Row, three_digits
from tests.reference.comparison import make_rows

FP32: Row = {"name": "fp32", "bits": 32, "seeds": 3, "auc": 0.8033, "auc_std": 0.00041, "size_mb": 2162.0}
INT4: Row = {"name": "int4", "bits": 4, "seeds": 3, "auc": 0.80331, "auc_std": 0.0, "size_mb": 8.7, "gauc": 0.7}


def test_cells_by_hand() -> None:
    table = results_table([FP32, INT4])
    assert [column.key for column in table.columns] == ["auc", "gauc", "size_mb"]
    assert table.lines["fp32"] == [
        Cell(text="0.8033", details=("\u00b10.0004",), is_best=True),
        Cell(text=""),
        Cell(text="2,162"),
    ]
    assert table.lines["int4"] == [
        Cell(text="0.8033", details=("\u00b10.0000", "+0.0000"), is_best=True),
        Cell(text="0.7000"),
        Cell(text="8.7", details=("1/249",), is_best=True),
    ]


def test_one_seed_has_no_spread() -> None:
    table = results_table([FP32 | {"seeds": 1}])
    assert table.lines["fp32"][0].details == ()


def test_larger_models_are_compared_as_multiples() -> None:
    table = results_table([INT4 | {"name": "fp32", "bits": 32}, INT4 | {"name": "big", "size_mb": 69.6}])
    size = [column.key for column in table.columns].index("size_mb")
    assert table.lines["big"][size].details == ("8.0x",)


@pytest.mark.parametrize(("value", "text"), [(0.0412, "0.0412"), (5.724, "5.72"), (69.62, "69.6"), (2162.4, "2,162")])
def test_three_digits(value: float, text: str) -> None:
    assert three_digits(value) == text


def test_operations_are_listed_widest_first_and_only_where_there_are_any() -> None:
    rows = [row | {"mflops_w1a1": 0.2, "mflops_w8a8": 0.0} for row in make_rows()]
    table = operations_table(rows)
    assert [column.title for column in table.columns] == ["MFLOPs", "W32A32", "W4A8", "W1A1", "As the seed counts"]
    assert [cell.text for cell in table.lines["fp32"]] == ["0.950", "0.040", "0.910", "0.200", "2,375"]
    assert not operations_table([FP32]).columns


def test_every_column_says_how_it_was_measured() -> None:
    for column in COLUMNS:
        assert column.note.endswith(".")
        assert column.note.isascii()
