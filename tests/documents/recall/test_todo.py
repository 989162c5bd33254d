from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.base.errors import DataError
from farthing.documents.recall.todo import read_labels, write_todo


def test_what_was_answered_is_filled_in(tmp_path: Path) -> None:
    write_todo(tmp_path / "todo.csv", ["a.jpg", "b,2.jpg", "c.jpg"], {"b,2.jpg": True, "c.jpg": False})
    assert (tmp_path / "todo.csv").read_text() == 'page,contains\na.jpg,\n"b,2.jpg",1\nc.jpg,0\n'
    assert read_labels(tmp_path / "todo.csv") == {"b,2.jpg": True, "c.jpg": False}


@given(st.dictionaries(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1), st.booleans(), max_size=8))
def test_any_name_comes_back(answers: dict[str, bool]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "todo.csv"
        write_todo(path, answers, answers)
        assert read_labels(path) == answers


@pytest.mark.parametrize(
    "text",
    [
        "page;contains\na.jpg;1\nb.jpg;0\nc.jpg;\n",
        "\ufeffcontains\tpage\tnote\r\nYes\ta.jpg\tred\r\nno\tb.jpg\t\r\n",
        "page,contains\n\na.jpg, 1 \nb.jpg,FALSE\n",
    ],
)
def test_what_spreadsheets_write(tmp_path: Path, text: str) -> None:
    (tmp_path / "todo.csv").write_bytes(text.encode())
    assert read_labels(tmp_path / "todo.csv") == {"a.jpg": True, "b.jpg": False}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"page,contains\na.jpg,2\n", r"todo.csv:2: contains must be 1 or 0, got '2' for a.jpg"),
        (b"page,contains\na.jpg,1\na.jpg,0\n", "todo.csv:3: a.jpg is answered with both"),
        (b"page,score\na.jpg,1\n", "needs the columns page and contains, has page, score"),
        (b"", "needs the columns page and contains, has none"),
        (b"page,contains\n\xff,1\n", "must be text in UTF-8"),
    ],
)
def test_unusable_answers(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "todo.csv").write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_labels(tmp_path / "todo.csv")


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_labels(tmp_path / "todo.csv")
