from __future__ import annotations

from pathlib import Path

import pytest

from farthing.base.errors import DataError
from farthing.recommend.rejects import BadRow, RejectLog


def _bad(line: int) -> BadRow:
    return BadRow(Path("log"), line, "wrong", "the\ttext")


def test_rows_are_listed_and_an_older_list_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "rejects.tsv"
    path.write_text("old")
    with RejectLog(path, max_bad=0.5) as rejects:
        assert not path.exists()
        rejects.add([_bad(3), _bad(5)])
        rejects.count(10)
        rejects.finish()
    assert path.read_text() == "file\tline\treason\ttext\nlog\t3\twrong\tthe\ttext\nlog\t5\twrong\tthe\ttext\n"


def test_exactly_the_fraction_is_tolerated(tmp_path: Path) -> None:
    with RejectLog(tmp_path / "rejects", max_bad=0.2) as rejects:
        rejects.add([_bad(1), _bad(2)])
        rejects.count(10)
        rejects.finish()
        rejects.add([_bad(3)])
        rejects.count(1)
        with pytest.raises(DataError, match=r"log:1: wrong; 3 of 11 rows are bad and --max-bad 0.2 allows 2\. "):
            rejects.finish()
    assert (tmp_path / "rejects").read_text().count("\n") == 4


def test_gives_up_on_a_log_that_is_mostly_bad(tmp_path: Path) -> None:
    with RejectLog(tmp_path / "rejects", max_bad=0.1) as rejects:
        rejects.add([_bad(1)])
        rejects.count(2)
        rejects.add([_bad(2)])
        with pytest.raises(DataError, match="2 of 3 rows"):
            rejects.count(1)


def test_without_tolerance_the_first_bad_row_ends_it() -> None:
    with RejectLog(None, max_bad=0.0) as rejects:
        rejects.add([_bad(7)])
        with pytest.raises(DataError, match="log:7: wrong; correct the row, or leave it out"):
            rejects.count(1000)


def test_max_bad_is_a_fraction() -> None:
    with pytest.raises(DataError, match="from 0 to 1"):
        RejectLog(None, max_bad=2)
