"""Looking, filtering and deciding in a real browser, by keyboard and by mouse."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.documents.review.places import served
from tests.documents.review.tabs import decisions, saved, tab, view
from tests.web.routes import route

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_decisions_by_keyboard_are_on_the_disk_when_the_page_says_saved(page: Page, found: Path) -> None:
    view(page, "all")
    for key in "kkrk":
        page.keyboard.press(key)
    saved(page)
    assert decisions(found) == {
        "book2/00011.png": True,
        "book1/00010.png": True,
        "book0/00009.png": False,
        "book2/00008.png": True,
    }
    states = page.eval_on_selector_all(".cell", "cells => cells.map(cell => cell.dataset.state)")
    assert states[:6] == ["yes", "yes", "no", "yes", "kept", "kept"]
    assert page.get_attribute(".cell[aria-selected=true]", "data-index") == "4"
    assert page.inner_text("#view-kept .count") == "5"


def test_undo_goes_back_to_the_page_and_takes_back_one_at_a_time(page: Page, found: Path) -> None:
    view(page, "all")
    for key in "krr":
        page.keyboard.press(key)
    page.keyboard.press("u")
    page.wait_for_selector(".cell[data-index='2'][data-state=kept][aria-selected=true]")
    page.click("header .undo")
    page.wait_for_selector(".cell[data-index='1'][data-state=kept][aria-selected=true]")
    assert decisions(found) == {"book2/00011.png": True}


def test_a_reload_shows_the_same_pages_with_their_decisions(page: Page) -> None:
    view(page, "all")
    page.keyboard.press("r")
    saved(page)
    view(page, "rejected")
    page.check("#class-stamp input", force=True)
    expect(page).to_have_url(re.compile("shows=stamp"))
    expect(page.locator(".cell")).to_have_count(4)
    before = page.eval_on_selector_all(".cell", "cells => cells.map(cell => cell.title)")
    page.reload()
    page.wait_for_selector("html[data-ready]")
    assert page.eval_on_selector_all(".cell", "cells => cells.map(cell => cell.title)") == before
    assert before == ["book2/00011.png", "book2/00005.png", "book0/00003.png", "book1/00001.png"]


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        (lambda page: page.check("#class-illustration input", force=True), 3),
        (lambda page: page.fill("#low", "80"), 2),
        (lambda page: page.fill("#high", "60"), 2),
        (lambda page: page.fill("#text", "BOOK0/"), 2),
        (lambda page: page.check("#answered input[value=open]", force=True), 6),
        (lambda page: page.check("#answered input[value=yes]", force=True), 0),
    ],
    ids=["class", "low", "high", "name", "open", "decided"],
)
def test_filters_leave_what_passes_them(page: Page, action: object, expected: int) -> None:
    action(page)  # type: ignore[operator]
    expect(page.locator(".cell")).to_have_count(expected)
    assert page.inner_text("#found") == f"{expected} pages"
    assert page.inner_text("#view-kept .count") == str(expected)
    page.click("#reset")
    expect(page.locator(".cell")).to_have_count(6)


def test_doubtful_are_the_undecided_near_the_threshold(page: Page) -> None:
    view(page, "doubtful")
    page.select_option("#order", "near")
    expect(page.locator("#cell-0")).to_have_attribute("title", "book0/00006.png")
    expect(page.locator(".cell")).to_have_count(7)
    page.focus("#grid")
    page.keyboard.press("k")
    expect(page.locator("#view-doubtful .count")).to_have_text("6")
    expect(page.locator(".cell")).to_have_count(7)  # what is on the screen does not move away under the hand


def test_one_page_alone_by_keyboard(page: Page, found: Path) -> None:
    page.keyboard.press("Enter")
    page.wait_for_selector("#viewer[open]")
    assert page.inner_text("#page-name") == "book2/00011.png"
    assert page.inner_text("#position") == "1 of 6"
    expect(page.locator("#picture")).to_have_js_property("naturalWidth", 120)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("n")
    page.keyboard.press("p")
    assert page.inner_text("#page-name") == "book1/00010.png"
    page.keyboard.press("r")
    assert page.inner_text("#page-name") == "book0/00009.png"
    page.keyboard.press("ArrowLeft")
    assert page.inner_text("#verdict") == "You rejected this page"
    assert page.get_attribute("#reject", "aria-pressed") == "true"
    saved(page)
    page.keyboard.press("Escape")
    page.wait_for_selector("#viewer:not([open])", state="attached")
    assert page.evaluate("document.activeElement.id") == "grid"
    assert decisions(found) == {"book1/00010.png": False}


def test_neighbours_are_fetched_before_they_are_asked_for(found: Path, browser: Browser) -> None:
    with served(found) as address, tab(browser, address) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url.removeprefix(address)))
        page.keyboard.press("Enter")
        expect(page.locator("#picture")).to_have_js_property("naturalWidth", 120)
        page.wait_for_load_state("networkidle")
        assert {f"image/{number}/medium" for number in (11, 10, 9, 8)} <= set(asked)
        asked.clear()
        page.keyboard.press("n")
        expect(page.locator("#picture")).to_have_attribute("src", "/image/10/medium")
        expect(page.locator("#picture")).to_have_js_property("naturalHeight", 160)
        page.wait_for_load_state("networkidle")
        assert "image/10/medium" not in asked


def test_zoom_shows_more_of_less(page: Page) -> None:
    page.keyboard.press("Enter")
    width = "document.querySelector('#frame').offsetWidth"
    whole = page.evaluate(width)
    for _ in range(3):
        page.keyboard.press("+")
    assert page.evaluate(width) == pytest.approx(3 * whole, abs=2)
    assert page.evaluate("document.querySelector('#stage').scrollTop") > 0
    assert page.get_attribute("#picture", "src") == "/image/11/large"
    page.keyboard.press("0")
    assert page.evaluate(width) == whole


def test_a_sample_is_drawn_answered_blindly_and_promised(found: Path, browser: Browser) -> None:
    with served(found) as address, tab(browser, address) as page:
        page.fill("#promise input", "12")
        page.click("#promise button")
        page.wait_for_selector("#view-sample[aria-pressed=true]")
        assert page.inner_text("#promise").count("0 of 12 sampled pages answered") == 1
        assert page.locator(".cell[data-state=open]").count() == 12
        assert page.locator(".cell rect").count() == 0
        assert "".join(page.locator(".cell .score").all_inner_texts()) == ""
        page.click("#promise .primary")
        page.wait_for_selector("#viewer[open]")
        assert page.inner_text("#verdict") == "Does it show an illustration or a stamp?"
        assert page.locator(".box").count() == 0
        for _ in range(12):
            number = int(re.findall(r"\d+", page.inner_text("#page-name"))[1])
            page.keyboard.press("k" if number >= 4 else "r")
        page.wait_for_selector("#viewer:not([open])", state="attached")
        page.wait_for_selector("#promise form")
        saved(page)
        page.select_option("#promise select", "0.8")
        page.click("#promise form button")
        page.wait_for_selector("#promise[data-kind=promised]")
        assert page.inner_text("#promise h2") == "At least 80 % of the wanted pages are kept"
    assert sum(decisions(found).values()) == 8


def test_what_cannot_be_saved_is_said_and_sent_again(page: Page, found: Path) -> None:
    route(page, "**/api/decisions", lambda request: request.abort())
    page.keyboard.press("k")
    page.wait_for_selector("#saved[data-state=failed]")
    assert "1 waiting" in page.inner_text("#saved")
    assert decisions(found) == {}
    page.unroute("**/api/decisions")
    saved(page)
    assert decisions(found) == {"book2/00011.png": True}


def test_a_change_that_the_server_refuses_is_taken_back(found: Path, browser: Browser) -> None:
    with served(found) as address, tab(browser, address, is_strict=False) as page:
        route(page, "**/api/decisions", lambda request: request.fulfill(status=404, json={"error": "no such page"}))
        page.keyboard.press("r")
        expect(page.locator("#toast")).to_have_text("Not saved: no such page")
        expect(page.locator("#cell-0")).to_have_attribute("data-state", "kept")
        saved(page)
