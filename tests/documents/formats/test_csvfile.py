from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from farthing.base.errors import DataError
from farthing.documents.formats import Annotations, read_annotations, write_annotations
from tests.documents.formats.pages_on_disk import labels, make_pages

HEAD = "page,width,height,class,x0,y0,x1,y1\n"


def test_what_is_written(tmp_path: Path) -> None:
    pages = (labels("a,b.jpg", (100, 200), ("seal", (1.25, 2, 3, 4))), labels("c.jpg", (9, 9)))
    write_annotations(Annotations(pages=pages, classes=("seal",)), tmp_path, "csv")
    text = (tmp_path / "annotations.csv").read_text()
    assert text == HEAD + '"a,b.jpg",100,200,seal,1.25,2.0,3.0,4.0\nc.jpg,9,9,,,,,\n'


def test_other_columns_and_orders(tmp_path: Path) -> None:
    make_pages(tmp_path, {"a.jpg": (100, 200)})
    path = tmp_path / "x.csv"
    path.write_text("\ufeffscore,class,page,x0,x1,y0,y1,height,width\r\n.5,Seal,a.jpg,1,3,2,4,200,100\r\n")
    np.testing.assert_array_equal(read_annotations(path).pages[0].boxes, [[1, 2, 3, 4]])


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("a.jpg,wide,200,seal,1,2,3,4", "width must be the size of the page in pixels, got 'wide'"),
        ("a.jpg,100,200,seal,1,2,3", "x0, y0, x1 and y1 must be numbers"),
        ("a.jpg,100,200,seal,1,2,3,x", "x0, y0, x1 and y1 must be numbers"),
        ("a.jpg", "width must be the size"),
    ],
)
def test_rows_without_numbers(tmp_path: Path, row: str, reason: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(f"{HEAD}{row}\n")
    with pytest.raises(DataError, match=rf"x.csv:2: {reason}"):
        read_annotations(path)
