from __future__ import annotations

from pathlib import Path

import polars as pl

from farthing.recommend.codes import code_rows
from farthing.recommend.spool import Spool


def test_rows_dictionaries_and_entries_come_back(tmp_path: Path) -> None:
    spool = Spool(tmp_path, ["a", "b"])
    frame = pl.DataFrame({"a": ["y", None, "x"], "b": [["p"], [], ["q", "p"]], "label": [1, 0, 1]})
    spool.append(code_rows(frame, spool.coded))
    spool.append(code_rows(pl.DataFrame({"a": ["z"], "b": [["q"]], "label": [0]}), spool.coded))
    first, second = spool.blocks
    assert (first.first_row, first.num_rows, first.starts) == (0, 3, (0, 2, 4))
    assert (second.first_row, second.num_rows, second.starts) == (3, 1, (0, 1, 2))
    assert spool.num_rows == 4
    assert spool.rows(first).to_dict(as_series=False) == {"a": [1, 2, 0], "b": [[0], [2], [1, 0]], "label": [1, 0, 1]}
    assert spool.values(first, 1).collect()["value"].to_list() == ["p", "q"]
    assert spool.values(first, 1, 1, 2).collect()["value"].to_list() == ["q"]
    spool.column_entries(first, 1)[:] = [7, 8]
    assert spool.entries(first).tolist() == [0, 0, 7, 8]


def test_a_block_in_which_all_values_are_missing(tmp_path: Path) -> None:
    spool = Spool(tmp_path, ["a"])
    spool.append(code_rows(pl.DataFrame({"a": [None, ""]}, schema={"a": pl.String}), spool.coded))
    assert spool.rows(spool.blocks[0])["a"].to_list() == [0, 0]
    assert spool.entries(spool.blocks[0]).tolist() == []
