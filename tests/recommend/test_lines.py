from __future__ import annotations

import csv
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.recommend.layout import Layout
from farthing.recommend.lines import read_lines
from farthing.recommend.logfiles import TextBlock

CSV = Layout("csv", ("a", "b", "c"), ",")
TSV = Layout("criteo", ("a", "b", "c"), "\t")


def _read(text: str | bytes, layout: Layout = CSV) -> tuple[list[tuple[object, ...]], list[int], list[tuple[int, str]]]:
    content = text if isinstance(text, bytes) else text.encode()
    block = TextBlock(Path("log"), 10, content.count(b"\n"), content, 0)
    frame, lines, bad = read_lines(block, layout, {"a": pl.Float32()})
    return frame.rows(), lines.tolist(), [(row.line, row.reason) for row in bad]


def test_clean_lines() -> None:
    assert _read("1,x,y\n0,,z\n") == ([(1.0, "x", "y"), (0.0, None, "z")], [10, 11], [])


def test_a_short_and_a_long_line_do_not_make_up_for_each_other() -> None:
    rows, lines, bad = _read("1,x,y\n0,x\n1,x,y,z\n0,p,q\n")
    assert rows == [(1.0, "x", "y"), (0.0, "p", "q")]
    assert lines == [10, 13]
    assert bad == [(11, "2 fields where the format has 3"), (12, "4 fields where the format has 3")]


def test_empty_lines_are_skipped() -> None:
    assert _read("\n1,x,y\n\n\n0,p,q\n") == ([(1.0, "x", "y"), (0.0, "p", "q")], [11, 14], [])


def test_quoted_fields_may_hold_separators_and_quotes() -> None:
    rows, _, bad = _read('1,"x,1","say ""hi"""\n0,p,q\n')
    assert rows == [(1.0, "x,1", 'say "hi"'), (0.0, "p", "q")]
    assert not bad


def test_a_newline_inside_quotes_makes_two_bad_lines_and_spares_the_others() -> None:
    rows, lines, bad = _read('1,x,y\n0,"one\ntwo",z\n1,"p,q",r\n')
    assert rows == [(1.0, "x", "y"), (1.0, "p,q", "r")]
    assert lines == [10, 13]
    assert [line for line, _ in bad] == [11, 12]
    assert {reason for _, reason in bad} == {"a double quote that is not closed on its line"}


def test_without_a_header_quotes_are_ordinary() -> None:
    assert _read('1\t"x\ty\n', TSV) == ([(1.0, '"x', "y")], [10], [])


def test_text_that_is_not_utf8_is_bad_by_itself() -> None:
    rows, lines, bad = _read(b"1,x,y\n0,\xff,z\n1,p,q\n")
    assert rows == [("1", "x", "y"), ("1", "p", "q")]
    assert lines == [10, 12]
    assert bad == [(11, "text that is not UTF-8")]


def test_a_value_of_the_wrong_type_makes_the_block_text() -> None:
    assert _read("1,x,y\nten,p,q\n")[0] == [("1", "x", "y"), ("ten", "p", "q")]


def test_no_lines() -> None:
    assert _read("") == ([], [], [])


_FIELDS = st.text(st.sampled_from('ab",; \u00e9'), max_size=5)


@given(st.lists(st.lists(_FIELDS, min_size=2, max_size=4).map(lambda fields: ["1", *fields]), max_size=12))
def test_what_a_csv_writer_wrote_is_read_back(rows: list[list[str]]) -> None:
    lines = []
    for row in rows:
        quoted = ['"' + field.replace('"', '""') + '"' if set(field) & set('",') else field for field in row]
        lines.append(",".join(quoted))
    assert list(csv.reader(lines, strict=True)) == rows
    good, _, bad = _read("".join(line + "\n" for line in lines))
    assert [[text or "" for text in row[1:]] for row in good] == [row[1:] for row in rows if len(row) == 3]
    assert len(bad) == sum(len(row) != 3 for row in rows)


@pytest.mark.parametrize("quote", ['x"y', 'x"y"z'])
def test_a_quote_in_the_middle_of_a_field_never_spoils_other_lines(quote: str) -> None:
    rows, _, bad = _read(f"1,a,b\n0,{quote},c\n1,d,e\n")
    assert [row[1] for row in rows if row[1] != quote] == ["a", "d"]
    assert len(rows) + len(bad) == 3
