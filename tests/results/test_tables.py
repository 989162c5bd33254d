"""Cells, how they differ from the reference, which are best; rows that are not rows."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.base.errors import FormatError
from farthing.base.files import write_json
from farthing.results.tables import (
    Cell,
    Column,
    Row,
    make_table,
    number,
    one_decimal,
    read_rows,
    signed,
    three_decimals,
    three_digits,
    whole,
)

AP = Column(key="ap", title="AP", format=three_decimals, better="high", relation="difference", note="")
MB = Column(key="mb", title="MB", format=three_digits, better="low", relation="ratio", note="")
MS = Column(key="ms", title="ms", format=whole, is_over_seeds=False, note="")
FIRST: Row = {"name": "first", "seeds": 3, "ap": 0.9, "ap_std": 0.012, "mb": 12.0, "ms": 40, "ms_std": 2.0}


def test_cells_by_hand() -> None:
    rows: list[Row] = [FIRST, {"name": "second", "seeds": 3, "ap": 0.8996, "mb": 1.0, "ms": None}]
    table = make_table([AP, MB, MS], rows, reference=rows[0])
    assert table.lines["first"] == [
        Cell(text="0.900", details=("\u00b10.012",), is_best=True),
        Cell(text="12"),
        Cell(text="40", details=("\u00b12",)),
    ]
    assert table.lines["second"] == [
        Cell(text="0.900", details=("\u22120.000",), is_best=True),
        Cell(text="1", details=("1/12",), is_best=True),
        Cell(text=""),
    ]


def test_a_column_without_a_value_is_left_out_and_one_row_is_not_best() -> None:
    table = make_table([AP, MB, MS], [{"name": "only", "ap": 0.5, "mb": None, "ms": float("nan")}])
    assert table.columns == [AP]
    assert table.lines == {"only": [Cell(text="0.500")]}


def test_one_seed_has_no_spread_over_seeds_but_one_over_repeats() -> None:
    cells = make_table([AP, MS], [FIRST | {"seeds": 1}]).lines["first"]
    assert [cell.details for cell in cells] == [(), ("\u00b12",)]


@pytest.mark.parametrize(
    ("own", "other", "text"),
    [(12.0, 12.0, "1.0x"), (24.0, 12.0, "2.0x"), (3.0, 12.0, "1/4.0"), (1200.0, 12.0, "100x"), (0.0, 12.0, "")],
)
def test_ratios(own: float, other: float, text: str) -> None:
    rows: list[Row] = [{"name": "own", "mb": own}, {"name": "other", "mb": other}]
    assert "".join(make_table([MB], rows, reference=rows[1]).lines["own"][0].details) == text


def test_a_difference_from_nothing_is_one() -> None:
    rows: list[Row] = [{"name": "own", "ap": 0.0}, {"name": "other", "ap": 0.25}]
    assert make_table([AP], rows, reference=rows[1]).lines["own"][0].details == ("\u22120.250",)


def test_differences_have_a_sign() -> None:
    assert [signed(value) for value in (0.0012, 0.0, -0.00016)] == ["+0.0012", "+0.0000", "\u22120.0002"]
    assert signed(-0.25, one_decimal) == "\u22120.2"


@given(st.lists(st.floats(0, 1), min_size=2, max_size=9))
def test_all_that_are_written_like_the_best_are_best(values: list[float]) -> None:
    rows: list[Row] = [{"name": str(index), "ap": value} for index, value in enumerate(values)]
    cells = [line[0] for line in make_table([AP], rows).lines.values()]
    assert [cell.is_best for cell in cells] == [
        three_decimals(value) == three_decimals(max(values)) for value in values
    ]


def test_what_is_no_number_is_none() -> None:
    row: Row = {"a": "1", "b": None, "c": float("inf"), "d": 3}
    assert [number(row, key) for key in "abcde"] == [None, None, None, 3.0, None]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "must hold at least one row"),
        ([{"ap": 0.8}], "row 0 must have a name"),
        ([{"name": "a"}], "ap of row 'a' must be a number > 0, got None"),
        ([{"name": "a", "ap": 0}], "ap of row 'a' must be a number > 0, got 0"),
        ({"rows": 1}, "not what farthing writes"),
    ],
)
def test_a_foreign_file_is_an_error_that_names_it(tmp_path: Path, content: object, message: str) -> None:
    write_json(tmp_path / "compare.json", content)
    with pytest.raises(FormatError, match=rf"compare\.json: .*{message}"):
        read_rows(tmp_path / "compare.json", positive=("ap",))


def test_rows_come_back(tmp_path: Path) -> None:
    write_json(tmp_path / "compare.json", [FIRST])
    assert read_rows(tmp_path / "compare.json", positive=("ap", "mb")) == [FIRST]
