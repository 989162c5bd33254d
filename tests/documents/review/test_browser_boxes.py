"""Boxes in a real browser: drawn, moved, resized and deleted, and never by accident."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from farthing.results.store import STORE_FILE, Store
from tests.documents.review.places import served
from tests.documents.review.tabs import saved, tab, view
from tests.web.routes import route

if TYPE_CHECKING:
    from playwright.sync_api import Browser, FloatRect, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def box_of(page: Page, index: int = 0) -> FloatRect:
    box = page.locator(f".box[data-index='{index}']").bounding_box()
    assert box is not None
    return box


def open_first(page: Page) -> None:
    page.keyboard.press("Enter")
    page.wait_for_selector(".box")


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    page.mouse.move(*end)
    page.mouse.up()


def boxes(found: Path) -> list[tuple[str, list[float], str]]:
    with Store.open(found / STORE_FILE) as store:
        return [(b.label, [b.x0, b.y0, b.x1, b.y1], b.source) for b in store.boxes("book2/00011.png")]


def test_a_box_is_drawn_by_drag_and_gets_a_class_by_number(page: Page, found: Path) -> None:
    open_first(page)
    layer = page.locator("#boxes").bounding_box()
    assert layer is not None
    scale = layer["width"] / 120
    drag(
        page,
        (layer["x"] + 30 * scale, layer["y"] + 80 * scale),
        (layer["x"] + 90 * scale, layer["y"] + 140 * scale),
    )
    page.keyboard.press("2")
    saved(page)
    (_, model, _), (label, corners, source) = boxes(found)
    assert model == [8, 16, 68, 48]
    assert (label, source) == ("stamp", "person")
    assert corners == pytest.approx([30, 80, 90, 140], abs=0.6)


def test_a_box_is_moved_after_it_was_selected_and_undo_puts_it_back(page: Page, found: Path) -> None:
    open_first(page)
    box = box_of(page)
    scale = box["width"] / 60
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.click(*middle)
    drag(page, middle, (middle[0] + 12 * scale, middle[1] + 20 * scale))
    saved(page)
    [(label, corners, source)] = boxes(found)
    assert (label, source) == ("stamp", "person")
    assert corners == pytest.approx([20, 36, 80, 68], abs=0.6)
    page.keyboard.press("u")
    expect(page.locator("#saved")).to_have_attribute("data-state", "saved")
    assert box_of(page)["x"] == pytest.approx(box["x"], abs=1)
    assert boxes(found)[0][1] == [8, 16, 68, 48]


def test_a_corner_resizes_and_stops_at_the_edge_of_the_page(page: Page, found: Path) -> None:
    open_first(page)
    box = box_of(page)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    drag(page, (box["x"] + box["width"], box["y"] + box["height"]), (box["x"] + 5000, box["y"] + 5000))
    saved(page)
    assert boxes(found)[0][1] == pytest.approx([8, 16, 120, 160], abs=0.6)


def test_boxes_by_keyboard_alone(page: Page, found: Path) -> None:
    open_first(page)
    page.focus(".box")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    saved(page)
    assert boxes(found)[0][1] == pytest.approx([8.8, 16, 68.8, 48.8])
    page.keyboard.press("Escape")
    assert page.locator("#viewer[open]").count() == 1
    page.focus(".box")
    page.keyboard.press("Delete")
    saved(page)
    assert boxes(found) == []
    assert "Drag over the page" in page.inner_text("#box-hint")


def test_the_list_relabels_and_deletes(page: Page, found: Path) -> None:
    open_first(page)
    page.select_option("#box-list select", "map")
    saved(page)
    assert [label for label, *_ in boxes(found)] == ["map"]
    page.click("#box-list .remove")
    saved(page)
    assert boxes(found) == []


def test_marks_in_the_grid_lie_where_the_boxes_are(page: Page) -> None:
    mark = page.locator("#cell-0 rect.edge")
    expect(mark).to_have_count(1)
    found, picture = mark.bounding_box(), page.locator("#cell-0 img").bounding_box()
    assert found is not None
    assert picture is not None
    scale = min(picture["width"] / 120, picture["height"] / 160)
    left = picture["x"] + (picture["width"] - 120 * scale) / 2
    top = picture["y"] + (picture["height"] - 160 * scale) / 2
    assert found["x"] == pytest.approx(left + 8 * scale, abs=2)
    assert found["y"] == pytest.approx(top + 16 * scale, abs=2)
    assert found["width"] == pytest.approx(60 * scale, abs=4)
    assert found["height"] == pytest.approx(32 * scale, abs=4)


def test_hidden_boxes_cannot_be_touched(page: Page, found: Path) -> None:
    open_first(page)
    page.keyboard.press("b")
    assert page.locator(".box").count() == 0
    assert not page.locator("#box-list").is_visible()
    layer = page.locator("#boxes").bounding_box()
    assert layer is not None
    drag(page, (layer["x"] + 20, layer["y"] + 20), (layer["x"] + 200, layer["y"] + 200))
    page.keyboard.press("Delete")
    saved(page)
    assert [source for *_, source in boxes(found)] == ["model"]


def test_boxes_that_have_not_arrived_cannot_be_overwritten(found: Path, browser: Browser) -> None:
    with served(found) as address, tab(browser, address) as page:
        route(page, "**/api/boxes?*", lambda request: request.abort())
        view(page, "rejected")
        page.keyboard.press("Enter")
        layer = page.locator("#boxes").bounding_box()
        assert layer is not None
        drag(page, (layer["x"] + 20, layer["y"] + 20), (layer["x"] + 200, layer["y"] + 200))
        expect(page.locator(".box")).to_have_count(0)
        saved(page)
    with Store.open(found / STORE_FILE) as store:
        assert [box.source for box in store.boxes("book2/00005.png")] == ["model"]
