"""The page of the table of heads: what it says, with gaps, with one row, with hostile names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from farthing.discover.comparereport import CHOSEN, COLUMNS, find_headline, write_compare_report
from farthing.results.tables import Row
from tests.reference.hostile_text import HOSTILE
from tests.results.webpage import Page, assert_harmless

HEADS = (("kmeans", 61.2, 0.4), ("simgcd", 60.4, 1.9), ("linkage", 66.0, 0.7), (CHOSEN, 65.6, 2.4))
FACTS = {"Images": "glyphs <b>"}


def make_rows(bits: tuple[int, ...] = (32, 8, 1), seeds: int = 3) -> list[Row]:
    """Rows as `compare_heads` makes them."""
    rows: list[Row] = []
    for width in bits:
        for name, right, seconds in HEADS:
            row: Row = {"name": f"{name}, {width} bits", "head": name, "bits": width, "seeds": seeds}
            row["size_mb"] = 2.56 * width / 32
            loss = {32: 0.0, 8: 0.1, 1: 3.0}[width]
            figures = {"images": 1250.0, "classes": 60.0, "clusters": 60.0, "all": right - loss, "old": right + 9}
            figures |= {
                "new": right - 9,
                "balanced": right - 4,
                "named_old": right + 1,
                "ece": 0.04,
                "seconds": seconds,
            }
            for key, value in figures.items():
                row |= {key: value, f"{key}_std": 0.3}
            rows.append(row | {"novelty_auroc": None, "novelty_auroc_std": None})
    return rows


def test_shows_finding_table_charts_and_notes(tmp_path: Path) -> None:
    path = write_compare_report(tmp_path, make_rows(), FACTS)
    assert path == tmp_path / "report.html"
    page = Page(path)
    for expected in (
        "The choice gets 65.6 % of all images right, the best head 66.0 %",
        "that linkage is the best head, only the truth tells. The difference is \u22120.4 points; over 3 seeds",
        *("farthing discover compare", "All heads", "1,250 unlabelled images", "glyphs <b>", "linkage 66.0"),
        *("All, % on 1-bit features", "62.6", "1/32 of the bytes", "\u00b10.3", "+0.4", "chosen by folds, as fit does"),
        *("All images against time", "All images against size"),
        *(column.note for column in COLUMNS if column.key not in {"novelty_auroc", "balanced_new"}),
    ):
        assert expected in page.words, expected
    assert "Novelty AUROC" not in page.words
    assert page.tags.count("svg") == 2
    assert page.tags.count("table") == 1
    assert "script" not in page.tags
    assert path.stat().st_size < 200_000


def test_equal_rows_make_an_equal_page(tmp_path: Path) -> None:
    first = write_compare_report(tmp_path, make_rows(), FACTS).read_bytes()
    assert write_compare_report(tmp_path, make_rows(), FACTS).read_bytes() == first


def test_the_choice_is_compared_on_the_widest_features() -> None:
    rows = make_rows((8, 32))
    rows[2]["all"] = 99.0
    assert find_headline(rows).title.endswith("the best head 66.0 %")


def test_one_width_and_one_seed_have_neither_deviations_nor_a_chart_by_size(tmp_path: Path) -> None:
    page = Page(write_compare_report(tmp_path, make_rows((32,), seeds=1), {}))
    assert "\u00b1" not in page.words
    assert "points, from one seed." in page.words
    assert page.tags.count("svg") == 1


def test_a_comparison_without_the_choice_names_the_best_head(tmp_path: Path) -> None:
    page = Page(write_compare_report(tmp_path, make_rows()[:1], {}))
    assert "kmeans, 32 bits: 61.2 % of all images right" in page.words
    assert ("class", "best") not in page.attributes


def test_the_least_that_a_row_can_hold_is_enough(tmp_path: Path) -> None:
    page = Page(write_compare_report(tmp_path, [{"name": "a", "head": CHOSEN, "bits": 32}], {}))
    assert "a: 0.0 % of all images right" in page.words
    assert page.tags.count("svg") == 0


def test_names_are_text_wherever_they_stand(tmp_path: Path) -> None:
    rows = make_rows((32,))
    hostile: list[Row] = [rows[0] | {"name": name, "head": name} for name in HOSTILE]
    page = Page(write_compare_report(tmp_path, [*hostile, rows[-1]], dict.fromkeys(HOSTILE, "<script>")))
    assert_harmless(page, like=Page(write_compare_report(tmp_path, make_rows(), FACTS)))
    assert "<script>alert(1)</script>" in page.words


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width_px", [1280, 390])
def test_in_a_browser(browser: Any, tmp_path: Path, width_px: int, scheme: str) -> None:
    path = write_compare_report(tmp_path, make_rows(), FACTS)
    context = browser.new_context(viewport={"width": width_px, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    page.goto(path.as_uri())
    assert messages == []
    assert page.evaluate("document.documentElement.scrollWidth") == width_px
    light = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g)[0] > 128")
    assert light == (scheme == "light")
    context.close()
