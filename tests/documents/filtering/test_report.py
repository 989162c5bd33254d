"""The report says what the store says, escapes it, and can be read in a real browser."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from farthing.base.files import write_json
from farthing.documents.collection.pages import open_collection
from farthing.documents.filtering.report import NUM_FAILED, write_report
from farthing.results.rows import PageRow
from farthing.results.store import STORE_FILE
from tests.documents.fakes import draw_page, make_store, page_row
from tests.documents.filtering.test_promise import FACTS
from tests.reference.hostile_text import HOSTILE

if TYPE_CHECKING:
    from playwright.sync_api import Browser


class Html(HTMLParser):
    """The tags, attributes and text of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def report_of(folder: Path, scores: list[float], *, failed: int = 0, **facts: object) -> Path:
    """The report of pages with these scores and of some that failed."""
    rows = [page_row(f"book{number % 3}/{number:03}.png", score) for number, score in enumerate(scores)]
    for row in rows:
        path = folder / "pages" / row.page
        path.parent.mkdir(parents=True, exist_ok=True)
        draw_page(row.score or 0.0).save(path)
    (folder / "pages").mkdir(exist_ok=True)
    rows += [PageRow(page=f"bad{number}.png", document=".", failure="is empty") for number in range(failed)]
    with make_store(folder / STORE_FILE, rows, collection=folder / "pages", **facts) as store:
        return write_report(store, open_collection(folder / "pages"), folder)


SCORES = [number / 30 for number in range(30)]


def test_says_how_many_pages_were_kept_and_what_is_promised(tmp_path: Path) -> None:
    html = Html(report_of(tmp_path, SCORES, failed=2, group="folder"))
    for expected in (
        "15 of 32 pages may show an illustration",
        "2 pages could not be read and may hold what you look for.",
        "Recall: not promised",
        f"farthing documents calibrate {tmp_path.name} --sample 200 --out todo.csv",
        "50 % of the readable pages",
        *("Sure", "Doubtful", "Rejected", "Documents", "Unreadable", "bad1.png", "is empty"),
        "of 4 have a kept page",
    ):
        assert expected in html.text
    assert html.tags.count("h1") == 1
    assert html.tags.count("img") == 30
    assert "script" not in html.tags
    sources = [value for name, value in html.attributes if name == "src"]
    assert all(value and value.startswith("data:image/webp;base64,") for value in sources)


def test_a_promise_stands_where_there_is_one(tmp_path: Path) -> None:
    write_json(tmp_path / "calibration.json", FACTS | {"num_pages": 30})
    html = Html(report_of(tmp_path, SCORES, failed=1))
    assert "At least 95 % of the wanted pages are kept" in html.text
    assert "Pages that could not be read are not part of it." in html.text
    assert "calibrate" not in html.text


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([], "There are no pages here"),
        ([0.1], "None of 1 page seems to show an illustration"),
        ([0.9], "1 of 1 page may show an illustration"),
    ],
)
def test_the_least_a_filter_can_hold_is_enough(tmp_path: Path, scores: list[float], expected: str) -> None:
    assert expected in Html(report_of(tmp_path, scores)).text


def test_classes_that_were_never_tested_on_real_pages_say_so(tmp_path: Path) -> None:
    html = Html(report_of(tmp_path, [0.9], contains=["illustration", "seal", "signature"]))
    assert html.text.count("untested on real pages") == 2


def test_long_lists_are_cut_and_say_so(tmp_path: Path) -> None:
    html = Html(report_of(tmp_path, [0.9], failed=NUM_FAILED + 5))
    assert f"{NUM_FAILED + 5} pages could not be judged; the first {NUM_FAILED}, all are in failed.csv." in html.text
    assert html.text.count("is empty") == NUM_FAILED


def test_equal_stores_make_an_equal_page(tmp_path: Path) -> None:
    first = report_of(tmp_path / "a/out", SCORES[::5]).read_text().replace(str(tmp_path / "a"), "")
    second = report_of(tmp_path / "b/out", SCORES[::5]).read_text().replace(str(tmp_path / "b"), "")
    assert first == second


@pytest.mark.slow
def test_a_report_of_many_large_pages_stays_small(tmp_path: Path) -> None:
    import numpy as np
    from PIL import Image

    noise = np.random.default_rng(0).integers(0, 256, (360, 270, 3), np.uint8)
    path = report_of(tmp_path, [number / 80 for number in range(80)])
    before = path.stat().st_size
    for page in (tmp_path / "pages").rglob("*.png"):
        Image.fromarray(noise).save(page)
    with make_store(
        tmp_path / "noise" / STORE_FILE,
        [page_row(f"book{n % 3}/{n:03}.png", n / 80) for n in range(80)],
        collection=tmp_path / "pages",
    ) as store:
        path = write_report(store, open_collection(tmp_path / "pages"), tmp_path / "noise")
    assert before < 1_000_000
    assert path.stat().st_size < 5_000_000


def hostile_report(folder: Path) -> Path:
    names = [name for name in HOSTILE if "\0" not in name]
    rows = [PageRow(page=f"failed {name}", document=name, failure=name) for name in names]
    rows += [page_row(name, 0.9 - 0.03 * number) for number, name in enumerate(names)]
    contains = ["illustration", *names]
    (folder / "pages").mkdir(parents=True)
    store = make_store(
        folder / STORE_FILE, rows, collection=folder / "pages", contains=contains, group="folder", model=names[0]
    )
    with store:
        return write_report(store, open_collection(folder / "pages"), folder)


def test_names_are_text_wherever_they_stand(tmp_path: Path) -> None:
    html, plain = Html(hostile_report(tmp_path / "bad")), Html(report_of(tmp_path / "plain", SCORES, group="folder"))
    assert set(html.tags) <= set(plain.tags)
    assert {name for name, _ in html.attributes} <= {name for name, _ in plain.attributes}
    styles = {value for name, value in html.attributes if name == "style"}
    assert not [style for style in styles if style and ("url(" in style.replace("url(#", "") or "<" in style)]
    assert "<script>alert(1)</script>" in html.text


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width_px", [1280, 390])
def test_in_a_browser(browser: Browser, tmp_path: Path, width_px: int, scheme: str) -> None:
    path = report_of(tmp_path, SCORES, failed=2, group="folder")
    dark = scheme == "dark"
    context = browser.new_context(viewport={"width": width_px, "height": 900}, color_scheme="dark" if dark else "light")
    page = context.new_page()
    messages: list[str] = []
    requests: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(path.as_uri())
    assert messages == []
    assert [url for url in requests if not url.startswith("data:")] == [path.as_uri()]
    assert page.evaluate("document.documentElement.scrollWidth") == width_px
    assert page.locator("h1").inner_text() == "15 of 32 pages may show an illustration"
    page.evaluate("document.querySelectorAll('img').forEach(image => image.loading = 'eager')")
    page.wait_for_function("[...document.images].every(image => image.complete && image.naturalWidth > 0)")
    # A box lies on its picture where it lies on its page: (10, 20) to (60, 80) of 120 x 160.
    picture, box = (page.locator(f".page {part}").first.bounding_box() for part in (".picture", "rect"))
    assert picture is not None
    assert box is not None
    assert box["x"] - picture["x"] == pytest.approx(picture["width"] * 10 / 120, abs=3)
    assert box["y"] - picture["y"] == pytest.approx(picture["height"] * 20 / 160, abs=3)
    assert box["height"] == pytest.approx(picture["height"] * 60 / 160, abs=4)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g)[0] > 128") == (not dark)
    context.close()


@pytest.mark.slow
@pytest.mark.browser
def test_hostile_names_run_nothing_in_a_browser(browser: Browser, tmp_path: Path) -> None:
    path = hostile_report(tmp_path)
    page = browser.new_page(viewport={"width": 390, "height": 900})
    events: list[str] = []
    page.on("dialog", lambda dialog: events.append(dialog.message))
    page.on("request", lambda request: events.append(request.url))
    page.goto(path.as_uri())
    assert events == [path.as_uri()]
    assert page.locator("script, iframe").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.close()
