"""The review page in a real browser with too many pages, hostile names, little space, and without eyes."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from farthing.results.store import STORE_FILE
from tests.documents.review.places import make_folder, served
from tests.documents.review.tabs import DESK, PHONE, decisions, saved, tab, view
from tests.reference.hostile_text import HOSTILE

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MANY = 20_000
MOST_CELLS = 120


def test_hostile_names_are_text(tmp_path: Path, browser: Browser) -> None:
    found = make_folder(tmp_path, num_pages=2 * len(HOSTILE))
    with sqlite3.connect(found / STORE_FILE) as connection:
        for number, name in enumerate(HOSTILE, start=1):
            page_id = 2 * len(HOSTILE) + 1 - number
            connection.execute(
                "UPDATE pages SET page = ?, document = ? WHERE id = ?", [f"{number}{name}", name, page_id]
            )
            connection.execute("UPDATE boxes SET class = ? WHERE page_id = ?", [name, page_id])
        connection.execute(
            "UPDATE meta SET value = json_quote(?) WHERE key = 'collection'", ["<img src=x onerror=alert(1)>"]
        )
        connection.execute("UPDATE pages SET reason = ? WHERE state = 'failed'", [HOSTILE[0]])
    with served(found, pages=tmp_path / "pages") as address, tab(browser, address, is_strict=False) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        view(page, "all")
        page.click("#unreadable summary")
        page.keyboard.press("Escape")
        page.focus("#grid")
        page.keyboard.press("Enter")
        for _ in HOSTILE:
            assert page.locator("#page-name *, #name *, #unreadable b *, .tag *").count() == 0
            page.keyboard.press("n")
        assert page.locator("script").count() == 1
        assert all(url.startswith(address) for url in asked)


def test_twenty_thousand_pages_are_a_few_elements(tmp_path: Path, browser: Browser) -> None:
    found = make_folder(tmp_path, num_pages=MANY, num_files=0)
    with served(found) as address, tab(browser, address, is_strict=False) as page:
        view(page, "all")
        expect(page.locator("#found")).to_have_text("20,000 pages")
        cells = page.locator(".cell")
        assert 0 < cells.count() <= MOST_CELLS
        elements = page.evaluate("document.querySelectorAll('*').length")
        for key in ("End", "PageUp", "PageDown", "Home"):
            page.keyboard.press(key)
            assert 0 < cells.count() <= MOST_CELLS
        page.keyboard.press("End")
        expect(page.locator(".cell[aria-selected=true]")).to_have_attribute("aria-posinset", "20000")
        expect(page.locator(".cell[aria-selected=true]")).to_have_attribute("title", "book0/00000.png")
        for share in (0.2, 0.4, 0.6, 0.8):
            page.locator("#grid").evaluate("(grid, share) => { grid.scrollTop = share * grid.scrollHeight; }", share)
            expect(page.locator(f".cell[aria-posinset='{int(MANY * share)}']")).to_have_count(1)
            assert cells.count() <= MOST_CELLS
        assert page.evaluate("document.querySelectorAll('*').length") < elements + 40 * MOST_CELLS
        page.fill("#text", "book1/00001")
        expect(cells).to_have_count(1)


def test_pages_that_fly_past_ask_for_no_image(tmp_path: Path, browser: Browser) -> None:
    found = make_folder(tmp_path, num_pages=2000, num_files=0)
    with served(found) as address, tab(browser, address, is_strict=False) as page:
        view(page, "all")
        page.wait_for_load_state("networkidle")
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.evaluate(
            """async () => {
                const grid = document.querySelector('#grid');
                for (let step = 0; step < 60; step++) {
                    grid.scrollTop += 900;
                    await new Promise(requestAnimationFrame);
                }
            }"""
        )
        page.wait_for_load_state("networkidle")
        assert sum("/image/" in url for url in asked) <= 2 * MOST_CELLS


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
def test_text_has_contrast_and_nothing_sticks_out(
    found: Path, browser: Browser, viewport: dict[str, int], scheme: str
) -> None:
    with served(found) as address, tab(browser, address, viewport=viewport, color_scheme=scheme) as page:
        page.keyboard.press("k")
        page.keyboard.press("r")
        if viewport is PHONE:
            page.click("#open-filters")
        assert page.evaluate(PALE_TEXT) == []
        assert page.evaluate("document.documentElement.scrollWidth") == viewport["width"]
        if viewport is PHONE:
            page.click("#open-filters")
        page.focus("#grid")
        page.keyboard.press("Enter")
        page.wait_for_selector(".box")
        assert page.evaluate(PALE_TEXT) == []
        for name in ("#keep", "#reject", "#close"):
            box = page.locator(name).bounding_box()
            assert box is not None
            assert box["y"] + box["height"] <= viewport["height"]
            assert min(box["width"], box["height"]) >= 32


def test_everything_has_a_name_for_a_screen_reader(page: Page) -> None:
    page.keyboard.press("?")
    page.keyboard.press("Escape")
    assert page.evaluate(NAMELESS) == []
    option = page.locator("#cell-0")
    assert option.get_attribute("aria-label") == "book2/00011.png, score 0.92, kept"
    assert page.get_attribute("#grid", "aria-activedescendant") == "cell-0"
    page.keyboard.press("Enter")
    page.wait_for_selector(".box")
    assert page.evaluate(NAMELESS) == []


def test_on_a_phone_a_finger_scrolls_until_it_may_edit(found: Path, browser: Browser) -> None:
    with served(found) as address, tab(browser, address, viewport=PHONE, has_touch=True, is_mobile=True) as page:
        page.tap("#cell-0 .mat")
        page.wait_for_selector(".box")
        assert page.evaluate("getComputedStyle(document.querySelector('#boxes')).touchAction") == "auto"
        page.tap("#box-list .check input")
        assert page.evaluate("getComputedStyle(document.querySelector('#boxes')).touchAction") == "none"
        page.tap("#keep")
        saved(page)
    assert decisions(found) == {"book2/00011.png": True}


# Visible texts whose colour is too close to what lies behind them (WCAG AA), as "text: ratio".
PALE_TEXT = """() => {
  const channel = (value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => 0.2126 * channel(r / 255) + 0.7152 * channel(g / 255) + 0.0722 * channel(b / 255);
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = parse(getComputedStyle(at).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const pale = [];
  for (const element of document.querySelectorAll("body *")) {
    const text = [...element.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data.trim()).join("");
    if (!text || !element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
    if (element.closest(":disabled, option, noscript, kbd, .is-weak, .skip")) continue;
    const [a, b] = [light(parse(getComputedStyle(element).color)), light(behind(element))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) pale.push(`${text}: ${ratio.toFixed(2)}`);
  }
  return pale;
}"""

# Controls without a name.
NAMELESS = """() => [...document.querySelectorAll("button, input, select, [role=option], [role=group]")]
  .filter((element) => element.checkVisibility())
  .filter((element) => !(element.getAttribute("aria-label") || element.labels?.length || element.textContent.trim()))
  .map((element) => element.outerHTML)"""
