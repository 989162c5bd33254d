"""The review page in a real browser: keyboard, boxes by drag, undo, filters, size of the document, contrast."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from farthing.results.store import STORE_FILE, Store
from tests.documents.review.places import make_folder, served
from tests.reference.hostile_text import HOSTILE

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, FloatRect, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DESK, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
MANY = 20_000
MOST_CELLS = 120


@pytest.fixture
def found(tmp_path: Path) -> Path:
    return make_folder(tmp_path)


@pytest.fixture
def page(found: Path, browser: Browser) -> Iterator[Page]:
    """The page over twelve pages, six of them kept; the test fails if anything is written to the console."""
    with served(found) as address, tab(browser, address) as page:
        yield page


class tab:  # noqa: N801 (used like a function)
    """A browser's tab on an address, ready; it must have no complaints when it closes."""

    def __init__(self, browser: Browser, address: str, *, is_strict: bool = True, **options: object) -> None:
        """Args: is_strict: whether images that are not there count as complaints."""
        self._is_strict = is_strict
        self._context = browser.new_context(**{"viewport": DESK, **options})  # type: ignore[arg-type]
        self._page = self._context.new_page()
        self.complaints: list[str] = []
        self._page.on("console", self._complain)
        self._page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self._page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        self._page.goto(address)
        self._page.wait_for_selector("html[data-ready]")

    def _complain(self, message: ConsoleMessage) -> None:
        is_cut_off = "net::ERR_FAILED" in message.text  # by the test itself
        is_missing = "status of 404" in message.text and not self._is_strict
        if not (is_cut_off or is_missing):
            self.complaints.append(message.text)

    def __enter__(self) -> Page:
        return self._page

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._context.close()
        assert not self.complaints


def decisions(found: Path) -> dict[str, bool]:
    with Store.open(found / STORE_FILE) as store:
        return store.decisions()


def saved(page: Page) -> None:
    page.wait_for_selector("#saved[data-state=saved]")


def view(page: Page, name: str) -> None:
    page.click(f"#view-{name}")
    page.wait_for_selector(f"#view-{name}[aria-pressed=true]")


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
    page.route("**/api/decisions", lambda route: route.abort())
    page.keyboard.press("k")
    page.wait_for_selector("#saved[data-state=failed]")
    assert "1 waiting" in page.inner_text("#saved")
    assert decisions(found) == {}
    page.unroute("**/api/decisions")
    saved(page)
    assert decisions(found) == {"book2/00011.png": True}


def test_boxes_that_have_not_arrived_cannot_be_overwritten(found: Path, browser: Browser) -> None:
    with served(found) as address, tab(browser, address) as page:
        page.route("**/api/boxes?*", lambda route: route.abort())
        view(page, "rejected")
        page.keyboard.press("Enter")
        layer = page.locator("#boxes").bounding_box()
        assert layer is not None
        drag(page, (layer["x"] + 20, layer["y"] + 20), (layer["x"] + 200, layer["y"] + 200))
        expect(page.locator(".box")).to_have_count(0)
        saved(page)
    with Store.open(found / STORE_FILE) as store:
        assert [box.source for box in store.boxes("book2/00005.png")] == ["model"]


def test_a_change_that_the_server_refuses_is_taken_back(found: Path, browser: Browser) -> None:
    with served(found) as address, tab(browser, address, is_strict=False) as page:
        page.route("**/api/decisions", lambda route: route.fulfill(status=404, json={"error": "no such page"}))
        page.keyboard.press("r")
        expect(page.locator("#toast")).to_have_text("Not saved: no such page")
        expect(page.locator("#cell-0")).to_have_attribute("data-state", "kept")
        saved(page)


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
