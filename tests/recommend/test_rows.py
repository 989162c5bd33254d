from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from farthing.base.errors import DataError
from farthing.recommend import rows
from farthing.recommend.rejects import RejectLog
from farthing.recommend.rows import read_log
from farthing.recommend.schema import Field, LogSchema

SCHEMA = LogSchema(
    format="csv",
    separator=",",
    label="y",
    dense=("x",),
    fields=(
        Field(name="u", column="u"),
        Field(name="t", column="t", separator="|"),
        Field(name="hour", column="h", part="hour"),
        Field(name="day", column="h", part="weekday"),
    ),
    id="u",
    split="s",
)
HEADER = "y,x,u,t,h,s\n"


def _read(folder: Path, text: str, *, max_bad: float = 1.0, with_label: bool = True) -> tuple[pl.DataFrame, str]:
    (folder / "log").write_text(text)
    with RejectLog(folder / "rejects", max_bad=max_bad) as rejects:
        parts = list(read_log([folder / "log"], SCHEMA, rejects=rejects, with_label=with_label))
    listed = (folder / "rejects").read_text() if rejects.num_bad else ""
    return pl.concat(part.frame for part in parts), listed


def test_every_kind_of_column(tmp_path: Path) -> None:
    frame, _ = _read(tmp_path, HEADER + "1,2.5,u1,a||b,14102123,train\n0,,,,,VALIDATION\n")
    assert frame.to_dict(as_series=False) == {
        "row": [2, 3],
        "dense_0": [2.5, None],
        "field_0": ["u1", None],
        "field_1": [["a", "b"], None],
        "field_2": ["23", None],
        "field_3": ["2", None],  # 21 October 2014 was a Tuesday
        "id": ["u1", None],
        "label": [1, 0],
        "split": [0, 1],
    }


def test_columns_may_come_in_another_order_and_more_of_them(tmp_path: Path) -> None:
    frame, _ = _read(tmp_path, "s,more,h,t,u,x,y\ntest,?,,,u1,3,1\n")
    assert frame.select("label", "dense_0", "field_0", "split").rows() == [(1, 3.0, "u1", 2)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("2,1,u,t,,train", "the label (column y) is `2`; it must be 0 or 1"),
        (",1,u,t,,train", "the label (column y) is ``; it must be 0 or 1"),
        ("yes,1,u,t,,train", "the label (column y) is `yes`; it must be 0 or 1"),
        ("1,12a,u,t,,train", "column x: `12a` is not a finite number"),
        ("1,inf,u,t,,train", "column x: `inf` is not a finite number"),
        ("1,nan,u,t,,train", "column x: `NaN` is not a finite number"),
        ("1,1e39,u,t,,train", "column x: `inf` is not a finite number"),
        ("1,1,u,t,,later", "the split (column s) is `later`; it must be train, valid or test"),
        ("1,1,u,t,,", "the split (column s) is ``; it must be train, valid or test"),
        ("1,1,u,t", "4 fields where the format has 6"),
    ],
)
def test_bad_rows(tmp_path: Path, line: str, reason: str) -> None:
    frame, listed = _read(tmp_path, f"{HEADER}1,1,u,t,,train\n{line}\n0,1,u,t,,test\n")
    assert frame["row"].to_list() == [2, 4]
    assert f"log\t3\t{reason}\t{line}\n" in listed


def test_a_bad_row_does_not_change_how_others_are_read(tmp_path: Path) -> None:
    lines = ["1, 2,u,t,,train", "0,+3,u,t,,train", "1.0,-4e1,u,t,,train", "0,.5,u,t,,test"]
    clean, _ = _read(tmp_path, HEADER + "\n".join(lines))
    mixed, _ = _read(tmp_path, HEADER + "\n".join([*lines, "1,letters,u,t,,train"]))
    assert clean.equals(mixed)
    assert clean["dense_0"].to_list() == [2.0, 3.0, -40.0, 0.5]


def test_bad_rows_around_a_chunk_of_good_ones() -> None:
    chunks = [["0", "2"], ["1", "0"], ["x", "1"]]  # polars reads a log in chunks; a filter leaves nothing of the middle
    frame = pl.concat([pl.DataFrame({"y": chunk}) for chunk in chunks], rechunk=False)
    piece = rows._Piece(frame, np.arange(1, 7), [], 1.0)
    schema = LogSchema(format="csv", separator=",", label="y", dense=(), fields=())
    good, bad = rows._check(piece, Path("log"), schema, with_label=True)
    assert (frame.n_chunks(), good["row"].to_list(), [row.line for row in bad]) == (3, [1, 3, 4, 6], [2, 5])
    assert [row.reason for row in bad] == [f"the label (column y) is `{label}`; it must be 0 or 1" for label in "2x"]


def test_prediction_needs_no_label_and_no_split(tmp_path: Path) -> None:
    frame, _ = _read(tmp_path, "x,u,t,h\n1,u,t,\n", with_label=False)
    assert frame.columns == ["row", "dense_0", "field_0", "field_1", "field_2", "field_3", "id"]


def test_a_log_that_is_mostly_bad_ends_early(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"log:2: 1 fields .*; 9 of 9 rows are bad"):
        _read(tmp_path, HEADER + "garbage\n" * 9, max_bad=0.5)


def test_blocks_have_a_bounded_number_of_cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MAX_CELLS", 6 * 4)
    text = HEADER + "".join(f"{i % 2},{i},u,t,,train\n" for i in range(50))
    (tmp_path / "log").write_text(text)
    with RejectLog(None, max_bad=0.0) as rejects:
        parts = [part.frame for part in read_log([tmp_path / "log"], SCHEMA, rejects=rejects)]
    assert max(part.height for part in parts) <= 4
    assert pl.concat(parts)["row"].to_list() == list(range(2, 52))


@pytest.mark.parametrize("columns", [{"t": [["a", None, ""], [], None]}, {"t": ["a", None, ""]}])
def test_parquet_of_any_type(tmp_path: Path, columns: Mapping[str, list[object]]) -> None:
    table = pl.DataFrame(
        {"y": [True, False, True], "x": [1, None, 3], "u": [7, None, 8], "h": [14102100, None, 14102200]}
    ).with_columns(
        pl.lit("train").cast(pl.Categorical).alias("s"), **{name: pl.Series(v) for name, v in columns.items()}
    )
    table.write_parquet(tmp_path / "log")
    with RejectLog(None, max_bad=0.0) as rejects:
        (part,) = read_log([tmp_path / "log"], SCHEMA, rejects=rejects)
    assert part.frame["label"].to_list() == [1, 0, 1]
    assert part.frame["dense_0"].to_list() == [1.0, None, 3.0]
    assert part.frame["field_0"].to_list() == ["7", None, "8"]
    assert [[value for value in values or [] if value] for values in part.frame["field_1"].to_list()] == [["a"], [], []]
    assert part.frame["field_2"].to_list() == ["00", None, "00"]
    assert part.fraction == 1.0


def test_a_parquet_file_without_rows(tmp_path: Path) -> None:
    types = {"y": pl.Int8, "x": pl.Float32, "u": pl.String, "t": pl.String, "h": pl.String, "s": pl.String}
    pl.DataFrame(schema=types).write_parquet(tmp_path / "log")
    with pytest.raises(DataError, match="the file has no rows"), RejectLog(None, max_bad=0.0) as rejects:
        list(read_log([tmp_path / "log"], SCHEMA, rejects=rejects))


def test_parquet_is_read_a_bounded_number_of_rows_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MAX_CELLS", 6 * 4)
    table = pl.DataFrame({"y": [0, 1] * 9, "x": range(18), "u": "a", "t": "b", "h": "14102100", "s": "train"})
    table.write_parquet(tmp_path / "log")
    with RejectLog(None, max_bad=0.0) as rejects:
        parts = list(read_log([tmp_path / "log"], SCHEMA, rejects=rejects))
    assert [part.frame.height for part in parts] == [4, 4, 4, 4, 2]
    assert pl.concat(part.frame for part in parts)["dense_0"].to_list() == list(range(18))
    assert parts[-1].frame["row"].to_list() == [17, 18]


def test_a_parquet_file_that_is_cut_in_the_middle(tmp_path: Path) -> None:
    table = pl.DataFrame({"y": [0, 1] * 900, "x": range(1800), "u": "a", "t": "b", "h": "14102100", "s": "train"})
    table.write_parquet(tmp_path / "whole", compression="uncompressed")
    content = bytearray((tmp_path / "whole").read_bytes())
    content[4:2000] = bytes(1996)
    (tmp_path / "log").write_bytes(content)
    with pytest.raises(DataError, match="not a whole Parquet file"), RejectLog(None, max_bad=0.0) as rejects:
        list(read_log([tmp_path / "log"], SCHEMA, rejects=rejects))
