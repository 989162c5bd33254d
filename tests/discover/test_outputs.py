"""The table of assigned images, and CSV files in general."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.base.errors import DataError, FormatError
from farthing.discover.csvfiles import read_rows
from farthing.discover.outputs import SortedImage, read_assignments, write_assignments

ROWS = [
    SortedImage(
        image="a.png", label="cat", probability=0.75, novelty=0.125, second_label="dog", second_probability=0.25
    ),
    SortedImage(
        image='b,"\u00e9.png', label="new-01", is_new=True, probability=1, extra={"page": "p1", "bbox": "[1,2,3,4]"}
    ),
    SortedImage(image="broken.png", extra={"page": "p2", "bbox": ""}),
]


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    write_assignments(tmp_path / "a.csv", ROWS)
    first, second, third = read_assignments(tmp_path / "a.csv")
    assert (first.label, first.second_label, first.probability, first.novelty) == ("cat", "dog", 0.75, 0.125)
    assert (second.image, second.is_new, second.extra["bbox"]) == ('b,"\u00e9.png', True, "[1,2,3,4]")
    assert (third.label, third.probability, third.extra["page"]) == ("", 0.0, "p2")


def test_the_header_is_the_promised_one(tmp_path: Path) -> None:
    write_assignments(tmp_path / "a.csv", ROWS)
    header, first, *_ = (tmp_path / "a.csv").read_text(encoding="utf-8").splitlines()
    assert header == "image,label,is_new,probability,novelty,second_label,second_probability,page,bbox"
    assert first == "a.png,cat,0,0.750000,0.125000,dog,0.250000,,"


text = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), min_size=1)


@given(st.lists(st.tuples(text, text), unique_by=lambda row: row[0]))
def test_any_name_survives(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]) -> None:
    path = tmp_path_factory.mktemp("names") / "a.csv"
    write_assignments(path, [SortedImage(image=image, label=label) for image, label in rows])
    assert [(row.image, row.label) for row in read_assignments(path)] == rows


@pytest.mark.parametrize("number", ["much", "nan", "inf"])
def test_a_number_that_is_none(tmp_path: Path, number: str) -> None:
    header = "image,label,is_new,probability,novelty,second_label,second_probability"
    (tmp_path / "a.csv").write_text(f"{header}\na.png,cat,0,{number},0,,\n")
    with pytest.raises(FormatError, match="not what farthing writes"):
        read_assignments(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"image\na.png\n", "lacks the column 'label'; its header is 'image'"),
        (b"image,label\na.png,cat,3\n", "line 2 has more cells"),
        (b"image,label\n\xff\xfe,cat\n", "is not a CSV file in UTF-8"),
        (b'image,label\n"a.png,cat\n', "is not a CSV file"),
        (b"", "lacks the column 'image'"),
    ],
)
def test_files_that_are_no_table(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_rows(tmp_path / "t.csv", ["image", "label"])


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_rows(tmp_path / "t.csv", [])


def test_a_byte_order_mark_and_a_short_row(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"\xef\xbb\xbfimage,label\na.png\n")
    assert read_rows(tmp_path / "t.csv", ["image", "label"]) == [{"image": "a.png", "label": ""}]
