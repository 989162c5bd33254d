from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.base.errors import FormatError
from farthing.recommend.vocabulary import factorize, read_vocabulary, table_rows, translate

VALUES = st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"]), max_size=3))


@given(st.lists(st.tuples(VALUES, st.one_of(st.none(), st.lists(VALUES.filter(bool), max_size=3))), max_size=30))
def test_codes_give_the_values_back(rows: list[tuple[str | None, list[str] | None]]) -> None:
    columns = pl.DataFrame(rows, schema={"one": pl.String, "many": pl.List(pl.String)}, orient="row")
    (one, many), codes = factorize(columns)
    assert one.to_list() == sorted({value for value, _ in rows if value}, key=str.encode)
    assert many.to_list() == sorted({value for _, values in rows for value in values or []}, key=str.encode)
    missing: list[str | None] = [None]
    decode_one: list[str | None] = [*one.to_list(), None]
    decode_many: list[str | None] = [*many.to_list(), None]
    assert [decode_one[code] for code in codes["one"]] == [value or None for value, _ in rows]
    assert [[decode_many[code] for code in own] for own in codes["many"].to_list()] == [
        values or missing for _, values in rows
    ]


@pytest.mark.parametrize("size", [255, 256, 257])
def test_the_code_of_a_missing_value_fits_beside_any_number_of_values(size: int) -> None:
    (values,), codes = factorize(pl.DataFrame({"a": [None, *(f"{i:03d}" for i in range(size))]}))
    assert len(values) == size
    assert codes["a"].to_list() == [size, *range(size)]


def test_table_rows_by_hand() -> None:
    counts = np.array([9, 5, 5, 2, 1, 1])
    assert [table_rows(counts, cut) for cut in (1, 2, 3, 5, 6, 10)] == [8, 6, 5, 5, 3, 2]


@dataclass
class _Fields:
    values: list[pl.Series]


def test_translate_by_hand() -> None:
    old = _Fields([pl.Series(["a", "b"]), pl.Series(["x"])])
    new = _Fields([pl.Series(["b", "c", "a"]), pl.Series(["y", "x"])])
    #                            unknown missing b  c  a   unknown missing y  x
    assert translate(old, new).tolist() == [0, 1, 3, 0, 2, 4, 5, 4, 6]
    assert translate(old, old).tolist() == list(range(7))


def test_a_file_that_is_no_vocabulary(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="not a vocabulary"):
        read_vocabulary(tmp_path / "absent.parquet")
    (tmp_path / "text.parquet").write_text("no")
    with pytest.raises(FormatError, match="not a vocabulary"):
        read_vocabulary(tmp_path / "text.parquet")
    pl.DataFrame({"other": [1]}).write_parquet(tmp_path / "other.parquet")
    with pytest.raises(FormatError, match="not a vocabulary"):
        read_vocabulary(tmp_path / "other.parquet")
