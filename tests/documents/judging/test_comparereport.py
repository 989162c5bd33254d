"""The page of the table of widths: what it says, with many rows, with one, with hostile names of classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from farthing.documents.judging.comparereport import COLUMNS, write_compare_report
from farthing.results.tables import Row
from tests.reference.hostile_text import HOSTILE
from tests.results.webpage import Page, assert_harmless

WIDTHS = (("fp32", 32, 0.914, 2.9, 48.0), ("int8", 8, 0.912, 0.77, 25.0), ("int4", 4, 0.897, 0.41, 25.5))
CLASSES = ("illustration", "drop_capital")
FACTS = {"Trained on": "1,236 pages", "Data": "pages <b>"}


def make_rows(classes: tuple[str, ...] = CLASSES) -> list[Row]:
    """Rows as `compare_bits` makes them."""
    rows: list[Row] = []
    for name, bits, page_ap, size, ms in WIDTHS:
        row: Row = {"name": name, "bits": bits, "seeds": 3, "pages": 309}
        rates = {"page_ap": page_ap, "ap50": page_ap - 0.2, "precision_at_95": 0.71, "kept_at_95": 0.2}
        for index, label in enumerate(classes):
            rates |= {f"page_ap/{label}": page_ap - 0.01 * index, f"ap50/{label}": 0.6 - 0.01 * index}
        for key, value in rates.items():
            row |= {key: value, f"{key}_std": 0.004}
        rows.append(row | {"size_mb": size, "train_seconds": 812.0, "ms_per_page": ms, "ms_per_page_std": 0.6})
    return rows


def test_shows_finding_table_charts_classes_and_notes(tmp_path: Path) -> None:
    path = write_compare_report(tmp_path, make_rows(), FACTS)
    assert path == tmp_path / "report.html"
    page = Page(path)
    for expected in (
        "8 bits: page AP 0.912 of 0.914 at 1/3.8 of the bytes",
        "The smallest model whose page AP is within 0.01 of fp32. The difference is \u22120.002",
        *("farthing documents compare", "309 pages", "1,236 pages", "pages <b>", "fp32 48", "8-bit weights"),
        *("\u00b10.004", "\u22120.017", "71.0 %", "\u00b10.4 %", "1/7.1", "\u00b10.6", "1/1.9"),
        *("Page AP against model size", "Page AP against time", "Page AP of each class", "Box AP50 of each class"),
        *("illustration", "drop capital", "How each figure was measured"),
        *(column.note for column in COLUMNS),
    ):
        assert expected in page.words, expected
    assert page.tags.count("svg") == 2
    assert page.tags.count("table") == 3
    assert page.tags.count("h1") == 1
    assert "script" not in page.tags
    assert path.stat().st_size < 200_000


def test_the_best_of_every_class_is_marked(tmp_path: Path) -> None:
    rows = make_rows()
    rows[2] = rows[2] | {"page_ap/illustration": 0.99}
    text = write_compare_report(tmp_path, rows, {}).read_text(encoding="utf-8")
    assert '<span class="best">0.990</span><span class="detail">\u00b10.004</span>' in text


def test_equal_rows_make_an_equal_page(tmp_path: Path) -> None:
    first = write_compare_report(tmp_path, make_rows(), FACTS).read_bytes()
    assert write_compare_report(tmp_path, make_rows(), FACTS).read_bytes() == first


def test_one_width_and_one_seed_are_enough(tmp_path: Path) -> None:
    page = Page(write_compare_report(tmp_path, [make_rows()[1] | {"seeds": 1}], {}))
    assert "int8: page AP 0.912 in 0.77 MB" in page.words
    assert "\u00b10.004" not in page.words
    assert "\u00b10.6" in page.words
    assert ("class", "best") not in page.attributes
    assert page.tags.count("svg") == 2


def test_the_least_that_a_row_can_hold_is_enough(tmp_path: Path) -> None:
    page = Page(write_compare_report(tmp_path, [{"name": "fp32", "bits": 32}], {}))
    assert page.tags.count("svg") == 0
    assert page.tags.count("table") == 1


def test_rows_without_deviations_show_none(tmp_path: Path) -> None:
    rows: list[Row] = [{key: value for key, value in row.items() if not key.endswith("_std")} for row in make_rows()]
    page = Page(write_compare_report(tmp_path, rows, {}))
    assert "\u00b1" not in page.words
    assert "drop capital" in page.words


def test_a_class_may_be_called_like_a_deviation(tmp_path: Path) -> None:
    page = Page(write_compare_report(tmp_path, make_rows(("a_std", "b")), {}))
    assert page.words.count("a std") == 2
    assert "std std" not in page.words


def test_names_of_classes_are_text_wherever_they_stand(tmp_path: Path) -> None:
    page = Page(write_compare_report(tmp_path, make_rows(HOSTILE), dict.fromkeys(HOSTILE, "<script>")))
    assert_harmless(page, like=Page(write_compare_report(tmp_path, make_rows(), FACTS)))
    assert "<script>alert(1)</script>" in page.words


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width_px", [1280, 390])
def test_in_a_browser(browser: Any, tmp_path: Path, width_px: int, scheme: str) -> None:
    path = write_compare_report(tmp_path, make_rows((*CLASSES, "x" * 200)), FACTS)
    context = browser.new_context(viewport={"width": width_px, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    page.goto(path.as_uri())
    assert messages == []
    assert page.evaluate("document.documentElement.scrollWidth") == width_px
    charts = page.locator("svg")
    for index in range(charts.count()):
        assert charts.nth(index).bounding_box()["width"] > 0.7 * min(width_px, 450)
    light = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g)[0] > 128")
    assert light == (scheme == "light")
    context.close()
