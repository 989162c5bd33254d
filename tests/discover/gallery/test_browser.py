"""Looking, naming, merging, splitting and undoing in a real browser, by keyboard and by mouse."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from farthing.discover.gallery.decisions import read_decisions
from tests.discover.gallery.runs import make_run, served, sorted_images
from tests.reference.hostile_text import HOSTILE
from tests.web.routes import route

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, ViewportSize

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DESK: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}
NAMES = "sections => sections.map(section => section.querySelector('h3').textContent)"


@contextmanager
def tab(browser: Browser, address: str, **options: object) -> Iterator[Page]:
    """A browser's tab on an address, ready; it must have no complaints when it closes."""
    context = browser.new_context(**{"viewport": DESK, **options})  # type: ignore[arg-type]
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    page.goto(address)
    page.wait_for_selector("html[data-ready]")
    yield page
    context.close()
    assert not [text for text in complaints if "status of 422" not in text]


@pytest.fixture
def page(run: Path, browser: Browser) -> Iterator[Page]:
    with served(run) as address, tab(browser, address) as page:
        yield page


def names(page: Page) -> list[str]:
    return page.eval_on_selector_all(".class", NAMES)  # type: ignore[no-any-return]


def saved(page: Page) -> None:
    page.wait_for_selector("#saved[data-state=saved]")


def test_classes_stand_by_size_with_all_that_was_found(page: Page) -> None:
    assert names(page) == ["new-01", "cat", "new-02", "owl", "Unsorted"]
    assert page.inner_text("#k") == "4"
    assert page.inner_text("#k-detail") == "2 known, 2 new"
    assert page.inner_text("#cut-about") == "plausible: 3 to 9"
    assert page.locator("#sizes rect").count() == 4
    expect(page.locator(".class").first.locator("img").first).to_have_js_property("naturalWidth", 20)
    assert page.locator(".class").first.locator(".strip .image").count() == 8
    assert page.inner_text("#view-all .count") == "4"
    page.click("#view-unsorted")
    assert names(page) == ["Unsorted"]
    page.click("#view-known")
    assert names(page) == ["cat", "owl"]


def test_the_order_and_the_search_leave_what_is_asked_for(page: Page) -> None:
    page.select_option("#order", "novelty")
    assert names(page)[:2] == ["new-01", "new-02"]
    page.select_option("#order", "name")
    assert names(page) == ["cat", "new-01", "new-02", "owl", "Unsorted"]
    page.fill("#text", "new-")
    assert names(page) == ["new-01", "new-02"]
    page.fill("#text", "nothing")
    assert page.inner_text("#empty") == "No class here."


def test_naming_by_keyboard_is_on_the_disk_when_the_page_says_saved(page: Page, run: Path) -> None:
    page.keyboard.press("n")
    page.keyboard.type("bee eater")
    page.keyboard.press("Enter")
    expect(page.locator(".is-active .kind")).to_have_text("named by you")
    saved(page)
    assert set(read_decisions(run).labels.values()) == {"bee eater"}
    assert names(page)[0] == "bee eater"
    page.keyboard.press("j")
    page.keyboard.press("c")
    expect(page.locator("#progress-text")).to_have_text("2 of 4")
    assert page.locator(".is-active h3").inner_text() == "new-02"
    page.reload()
    page.wait_for_selector("html[data-ready]")
    assert names(page)[0] == "bee eater"


def test_giving_a_name_up_changes_nothing(page: Page) -> None:
    page.keyboard.press("n")
    page.keyboard.type("bee")
    page.keyboard.press("Escape")
    assert names(page)[0] == "new-01"
    assert page.is_disabled("#undo")


def test_merging_by_the_nearest_class_by_the_picker_and_by_name(page: Page) -> None:
    page.locator("[data-class='2'] .join").first.click()
    expect(page.locator(".class")).to_have_count(4)
    assert "new-01" not in names(page)
    page.keyboard.press("u")
    expect(page.locator(".class")).to_have_count(5)
    page.click("[data-class='3'] [data-act=merge]")
    page.keyboard.type("ow")
    page.keyboard.press("Enter")
    expect(page.locator("[data-class='1'] .size")).to_have_text("9 images")
    page.keyboard.press("u")
    expect(page.locator("[data-class='1'] .size")).to_have_text("4 images")
    page.click("[data-class='2'] h3")
    page.keyboard.type("cat")
    page.keyboard.press("Enter")
    expect(page.locator("[data-class='0'] .size")).to_have_text("14 images")


def test_splitting_and_undoing(page: Page) -> None:
    page.keyboard.press("s")
    expect(page.locator(".class")).to_have_count(6)
    assert names(page)[:2] == ["new-01", "new-03"]
    page.click("#undo")
    expect(page.locator(".class")).to_have_count(5)
    expect(page.locator("[data-class='2'] .size")).to_have_text("8 images")
    expect(page.locator("#toast")).to_have_text("Taken back.")


def test_selected_images_are_taken_out_moved_or_made_a_class(page: Page, run: Path) -> None:
    page.click("[data-image='10']")
    page.click("[data-image='12']", modifiers=["Shift"])
    assert page.inner_text("#selection b") == "3 selected"
    page.keyboard.press("s")
    expect(page.locator("[data-class='4'] .size")).to_have_text("3 images")
    page.keyboard.press("u")
    expect(page.locator("[data-class='2'] .size")).to_have_text("8 images")
    page.click("[data-class='2'] .title .size")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("x")
    expect(page.locator("[data-class='-1'] .size")).to_have_text("3 images")
    page.click("[data-class='0'] [data-image='3']")
    page.click("#move")
    page.keyboard.type("owl")
    page.keyboard.press("Enter")
    expect(page.locator("[data-class='1'] .size")).to_have_text("5 images")
    saved(page)
    rows = sorted_images()
    assert read_decisions(run).labels == {rows[3].image: "owl"}
    assert read_decisions(run).not_in == {rows[14].image: "new-01"}


def test_another_number_of_classes(page: Page) -> None:
    page.fill("#cut-to", "6")
    expect(page.locator(".class")).to_have_count(6)
    expect(page.locator("#toast")).to_have_text("Cut into 6 classes")
    page.click("#undo")
    expect(page.locator("#k")).to_have_text("4")


def test_one_image_alone(page: Page) -> None:
    page.dblclick("[data-image='12']")
    page.wait_for_selector("#large[open]")
    assert page.inner_text("#large-name") == sorted_images()[12].image
    expect(page.locator("#large-image")).to_have_js_property("naturalWidth", 20)
    assert "91.0 %" in page.inner_text("#large-facts")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#large-name")).to_have_text(sorted_images()[13].image)
    page.keyboard.press("Escape")
    assert not page.locator("#large").is_visible()


def test_long_classes_show_all_on_demand(tmp_path: Path, browser: Browser) -> None:
    first = sorted_images()[0]
    rows = [replace(first, image=f"box/{number:04}.png", probability=1 - number / 1000) for number in range(450)]
    run = make_run(tmp_path, rows, num_known=1, k=1)
    with served(run, is_rich=False) as address, tab(browser, address) as page:
        assert page.locator(".image").count() == 36
        page.keyboard.press("a")
        expect(page.locator(".image")).to_have_count(236)
        page.click("[data-act=more]")
        expect(page.locator(".image")).to_have_count(436)
        page.click("[data-act=more]")
        expect(page.locator(".image")).to_have_count(450)
        expect(page.locator("[data-act=more]")).to_have_count(0)


def test_every_key_of_the_help_is_told(page: Page) -> None:
    page.keyboard.press("?")
    page.wait_for_selector("#help[open]")
    assert page.locator("#keys dt").count() == 17


def test_a_lost_connection_is_said_and_the_change_arrives_later(run: Path, browser: Browser) -> None:
    with served(run) as address:
        context = browser.new_context(viewport=DESK)
        page = context.new_page()
        page.goto(address)
        route(page, "**/api/rename", lambda request: request.abort())
        page.keyboard.press("c")
        page.wait_for_selector("#saved[data-state=failed]")
        assert read_decisions(run).labels == {}
        page.unroute("**/api/rename")
        saved(page)
        assert len(read_decisions(run).labels) == 8
        context.close()


def test_a_change_of_another_tab_is_not_overwritten_but_shown(run: Path, browser: Browser) -> None:
    with served(run) as address, tab(browser, address) as page, tab(browser, address) as other:
        other.locator("[data-class='2'] .join").first.click()
        expect(other.locator(".class")).to_have_count(4)
        page.keyboard.press("c")
        expect(page.locator("#toast")).to_contain_text("this class is gone")
        expect(page.locator(".class")).to_have_count(4)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_it_fits_its_window_in_both_schemes(run: Path, browser: Browser, size: ViewportSize, scheme: str) -> None:
    with served(run) as address, tab(browser, address, viewport=size, color_scheme=scheme) as page:
        assert page.evaluate("document.documentElement.scrollWidth") == size["width"]
        is_light = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g)[0] > 128"
        assert page.evaluate(is_light) == (scheme == "light")
        assert page.is_visible("#side") == (size == DESK)
        if size == PHONE:
            page.click("#open-side")
            assert page.is_visible("#order")
            page.mouse.click(190, 160)
            assert not page.is_visible("#side")
        page.locator(".class").first.locator(".image").first.click()
        box = page.locator("#selection").bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= size["width"]


def test_hostile_names_run_nothing(tmp_path: Path, browser: Browser) -> None:
    texts = [text for text in HOSTILE if text.isprintable()]
    rows = [
        replace(sorted_images()[10], image=f"box/{number}.png", label=text, second_label=text)
        for number, text in enumerate(texts)
    ]
    run = make_run(tmp_path, rows, num_known=0)
    with served(run, is_rich=False) as address, tab(browser, address) as page:
        assert sorted(names(page)) == sorted(texts)
        page.keyboard.press("n")
        page.keyboard.type("<img src=x onerror=alert(1)>!")
        page.keyboard.press("Enter")
        saved(page)
        page.dblclick(".image >> nth=1")
        page.wait_for_selector("#large[open]")
        page.keyboard.press("Escape")
        page.keyboard.press("m")
        page.wait_for_selector("#picker[open]")
        assert page.locator("script").count() == 1
        assert page.locator("iframe").count() == 0
