"""Pages escape what they show, forbid themselves scripts, and are written whole."""

from __future__ import annotations

from pathlib import Path

import pytest
from jinja2 import UndefinedError

from farthing.base.errors import DataError
from farthing.results.webpages import TEMPLATES, render_page, write_page

PAGES = sorted(path.name for path in TEMPLATES.glob("*.html"))


def test_every_template_forbids_everything_but_styles() -> None:
    page = render_page("page.html", {})
    assert "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'" in page
    assert "<script" not in page
    for name in PAGES:
        text = (TEMPLATES / name).read_text(encoding="utf-8")
        extends_a_page = text.startswith(('{% extends "page.html" %}', '{% extends "comparison.html" %}'))
        assert name in ("page.html", "parts.html") or extends_a_page
        assert "|safe" not in text.replace(" ", "")
        assert "autoescape" not in text


def test_only_pictures_that_are_part_of_the_page_are_shown() -> None:
    for name in PAGES:
        text = (TEMPLATES / name).read_text(encoding="utf-8")
        assert ("<img" in text) == ("img-src data:" in text)
        assert "src=" not in text.replace('src="{{', "") or name == "page.html"


def test_nothing_is_fetched() -> None:
    for path in TEMPLATES.iterdir():
        text = path.read_text(encoding="utf-8")
        assert "http:" not in text
        assert "https:" not in text
        assert "url(" not in text


def test_a_missing_value_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        render_page("compare.html", {})


def test_an_unwritable_folder_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"page\.html: cannot be written"):
        write_page(tmp_path / "file" / "page.html", "page.html", {})
