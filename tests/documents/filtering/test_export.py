"""Exported annotations hold the kept pages and the boxes that count, in every format."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from farthing.base.errors import ConfigError, FormatError
from farthing.documents.filtering.export import export_annotations
from farthing.documents.formats import WRITERS, read_annotations
from farthing.results.rows import BoxRow
from farthing.results.store import STORE_FILE
from tests.documents.fakes import box_of, draw_page, make_store, page_row


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pages").mkdir()
    for name in ("a.png", "b.png", "c.png"):
        draw_page(0.5).save(tmp_path / "pages" / name)
    rows = [page_row("a.png", 0.9), page_row("b.png", 0.6), page_row("c.png", 0.2)]
    contains = ["illustration", "stamp"]
    with make_store(tmp_path / STORE_FILE, rows, collection=tmp_path / "pages", contains=contains) as store:
        drawn = BoxRow(label="stamp", x0=5, y0=6, x1=25, y1=30)
        store.replace_boxes("a.png", [box_of(rows[0]), drawn])
        store.decide("c.png", contains=True, made_by="review")
    return tmp_path


@pytest.mark.parametrize("format", sorted(set(WRITERS) - {"iiif"}))
def test_kept_pages_and_their_boxes_come_back(folder: Path, format: str) -> None:
    out = export_annotations(folder, format=format)
    assert out == folder / "export" / format
    found = read_annotations(out, images=folder / "pages")
    pages = {page.page: page for page in found.pages}
    assert list(pages) == ["a.png", "b.png", "c.png"]
    assert pages["a.png"].labels == ("illustration", "stamp")
    expected = [[10, 20, 60, 80], [5, 6, 25, 30]]
    assert np.abs(pages["a.png"].boxes - np.array(expected)).max() <= 0.5
    assert pages["c.png"].labels == ()


def test_iiif_is_written_too(folder: Path) -> None:
    out = export_annotations(folder, format="iiif", out=folder / "elsewhere")
    assert any(out.iterdir())


def test_an_unknown_format_is_refused(folder: Path) -> None:
    with pytest.raises(ConfigError, match="format must be one of coco, "):
        export_annotations(folder, format="docx")


def test_a_folder_without_a_filter_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="there is no store here"):
        export_annotations(tmp_path, format="coco")
