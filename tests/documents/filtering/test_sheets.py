"""Contact sheets stand for the whole ranking, and no page is shown twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from farthing.documents.collection.pages import open_collection
from farthing.documents.filtering.sheets import NUM_SHOWN, Sheet, make_sheets
from farthing.results.rows import BoxRow, PageRow
from farthing.results.store import Store
from tests.documents.fakes import box_of, draw_page, make_store, page_row


def sheets_of(tmp_path: Path, scores: list[float]) -> dict[str, Sheet]:
    (tmp_path / "pages").mkdir()
    draw_page(0.4).save(tmp_path / "first.png")
    rows = []
    for number, score in enumerate(scores):
        (tmp_path / f"pages/{number}.png").hardlink_to(tmp_path / "first.png")
        rows.append(page_row(f"{number}.png", score))
    rows.append(PageRow(page="failed.png", document=".", failure="is empty"))
    with make_store(tmp_path / "store.sqlite", rows, collection=tmp_path / "pages") as store:
        return {sheet.name: sheet for sheet in make_sheets(store, open_collection(tmp_path / "pages"))}


def shown_scores(sheet: Sheet) -> list[float]:
    return [page.row.score or 0.0 for page in sheet.pages]


@pytest.mark.parametrize("num_pages", [0, 1, 2, 7, 30, 200])
def test_every_page_is_on_at_most_one_sheet_best_first(tmp_path: Path, num_pages: int) -> None:
    sheets = sheets_of(tmp_path, [number / max(num_pages, 1) for number in range(num_pages)])
    shown = [page.row.page for sheet in sheets.values() for page in sheet.pages]
    assert len(shown) == len(set(shown))
    assert "failed.png" not in shown
    assert sum(sheet.num_pages for sheet in sheets.values()) == num_pages
    for name, sheet in sheets.items():
        assert shown_scores(sheet) == sorted(shown_scores(sheet), reverse=True)
        assert len(sheet.pages) == min(NUM_SHOWN, sheet.num_pages)
        assert all((page.row.keep, name) != (False, "sure") for page in sheet.pages)
        assert all((page.row.keep, name) != (True, "rejected") for page in sheet.pages)


def test_doubtful_pages_lie_on_both_sides_of_the_threshold(tmp_path: Path) -> None:
    sheets = sheets_of(tmp_path, [number / 200 for number in range(200)])
    doubtful = shown_scores(sheets["doubtful"])
    assert (max(doubtful), min(doubtful)) == (0.555, 0.44)
    assert [score >= 0.5 for score in doubtful] == [True] * 12 + [False] * 12
    sure, rejected = shown_scores(sheets["sure"]), shown_scores(sheets["rejected"])
    assert (sure[0], rejected[0]) == (0.995, 0.435)
    assert sure[-1] < 0.6
    assert rejected[-1] < 0.03


def test_boxes_that_count_are_shown_or_the_best_one_faintly(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    rows = [page_row("good.png", 0.9), page_row("bad.png", 0.3)]
    for row in rows:
        draw_page(0.4).save(tmp_path / "pages" / row.page)
    weak = BoxRow(label="stamp", x0=0, y0=0, x1=5, y1=5, score=0.2)
    with Store.create(tmp_path / "store.sqlite", threshold=0.5) as store:
        store.add_pages((row, [box_of(row), weak]) for row in rows)
        sheets = {sheet.name: sheet for sheet in make_sheets(store, open_collection(tmp_path / "pages"))}
    good, bad = sheets["sure"].pages[0], sheets["rejected"].pages[0]
    assert (good.boxes, good.is_faint) == ((box_of(rows[0]),), False)
    assert (bad.boxes, bad.is_faint) == ((box_of(rows[1]),), True)


def test_a_page_that_went_missing_has_no_picture(tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    with make_store(tmp_path / "store.sqlite", [page_row("gone.png", 0.9)], collection=tmp_path) as store:
        sheets = make_sheets(store, open_collection(tmp_path / "pages"))
    assert sheets[0].pages[0].picture is None
