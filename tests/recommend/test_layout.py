from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from farthing.base.errors import DataError
from farthing.recommend.layout import AVAZU_COLUMNS, CRITEO_COLUMNS, layout_of, require_columns
from farthing.recommend.schema import CRITEO_FIELDS, Field, LogSchema
from tests.recommend.logs import criteo_lines

SCHEMA = LogSchema(format="csv", separator=",", label="y", fields=(Field(name="u", column="u"),), split="s")


def _write(folder: Path, text: str) -> Path:
    (folder / "log").write_text(text)
    return folder / "log"


def test_criteo_with_and_without_labels(tmp_path: Path) -> None:
    line = criteo_lines(1)[0]
    assert layout_of(_write(tmp_path, line)).columns == CRITEO_COLUMNS
    layout = layout_of(_write(tmp_path, line.split("\t", 1)[1]))
    assert (layout.format, layout.columns) == ("criteo", CRITEO_COLUMNS[1:])
    assert not layout.has_header
    assert len(CRITEO_FIELDS) == 26


def test_criteo_whose_first_line_is_bad(tmp_path: Path) -> None:
    assert layout_of(_write(tmp_path, "\n".join(["torn", *criteo_lines(2)]))).format == "criteo"


def test_avazu_with_and_without_labels(tmp_path: Path) -> None:
    for columns in (AVAZU_COLUMNS, tuple(name for name in AVAZU_COLUMNS if name != "click")):
        layout = layout_of(_write(tmp_path, ",".join(columns) + "\n"))
        assert (layout.format, layout.columns, layout.has_quotes) == ("avazu", columns, True)


@pytest.mark.parametrize("separator", [",", "\t", ";", "|"])
def test_csv_with_any_usual_separator(tmp_path: Path, separator: str) -> None:
    layout = layout_of(_write(tmp_path, separator.join(["y", '"u"', "v"]) + "\n"))
    assert (layout.format, layout.columns, layout.separator) == ("csv", ("y", "u", "v"), separator)


def test_parquet(tmp_path: Path) -> None:
    pl.DataFrame({"y": [1], "u": ["a"]}).write_parquet(tmp_path / "log")
    layout = layout_of(tmp_path / "log")
    assert (layout.format, layout.columns, layout.separator) == ("parquet", ("y", "u"), None)


def test_half_a_parquet_file(tmp_path: Path) -> None:
    pl.DataFrame({"y": [1], "u": ["a"]}).write_parquet(tmp_path / "whole")
    (tmp_path / "log").write_bytes((tmp_path / "whole").read_bytes()[:-10])
    with pytest.raises(DataError, match="not a whole Parquet file"):
        layout_of(tmp_path / "log")


@pytest.mark.parametrize("text", ["alone\n", "a,a\n", "a,,b\n"])
def test_a_line_that_is_no_header(tmp_path: Path, text: str) -> None:
    with pytest.raises(DataError, match="log:1: a CSV log starts with a line of column names"):
        layout_of(_write(tmp_path, text))


def test_missing_columns_are_named(tmp_path: Path) -> None:
    path = _write(tmp_path, "u,v\n")
    require_columns(path, layout_of(path), SCHEMA, with_label=False)
    with pytest.raises(DataError, match="column 'y', 's' is missing; the file has 'u', 'v'"):
        require_columns(path, layout_of(path), SCHEMA, with_label=True)


def test_another_format_is_named(tmp_path: Path) -> None:
    path = _write(tmp_path, criteo_lines(1)[0])
    schema = LogSchema(format="avazu", separator=",", label="click")
    with pytest.raises(DataError, match=r"expected the format 'avazu', .* looks like 'criteo' with 40 columns"):
        require_columns(path, layout_of(path), schema, with_label=True)
