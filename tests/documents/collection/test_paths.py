from __future__ import annotations

from pathlib import Path

import pytest

from farthing.base.errors import DataError
from farthing.documents.collection.paths import inside

ESCAPES = [
    "",
    ".",
    "..",
    "../x",
    "a/../../x",
    "/etc/passwd",
    "a/..",
    "x\0.jpg",
    "//host/x",
    "link/x",
    "n" * 5000,
    "n/" * 5000,
    "\ud800",
]


@pytest.mark.parametrize("name", ["x.jpg", "a/b/x.jpg", "./x.jpg", "..x", "a..b/x", "\u00fcn/\u015b.jpg", "a\\b"])
def test_names_inside(tmp_path: Path, name: str) -> None:
    assert inside(tmp_path, name) == tmp_path / name


@pytest.mark.parametrize("name", ESCAPES)
def test_names_that_lead_out(tmp_path: Path, name: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "link").symlink_to(tmp_path)
    with pytest.raises(DataError, match=r"must be a relative path inside|leads out|cannot be followed"):
        inside(root, name)


def test_links_that_stay(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "a")
    assert inside(tmp_path, "link/x") == tmp_path / "link/x"


def test_a_circle_of_links(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    assert not (tmp_path / "a").exists()
    try:
        inside(tmp_path, "a")
    except DataError as error:
        assert "cannot be followed" in str(error)  # noqa: PT017 (resolve raises up to Python 3.12 only)
