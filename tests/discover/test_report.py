"""The page of a discovery says what was found and how far to believe it, shows it, and runs nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from farthing.base.errors import FormatError
from farthing.discover.outputs import SortedImage
from farthing.discover.report import NUM_GALLERIES, NUM_PICTURES, write_report
from farthing.discover.rundata import INFO_FILE, Choice
from tests.discover.gallery.runs import make_run, sorted_images
from tests.reference.hostile_text import HOSTILE

if TYPE_CHECKING:
    from playwright.sync_api import Browser


class Html(HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def report_of(folder: Path, rows: list[SortedImage] | None = None, **facts: Any) -> Html:  # Any: of Summary
    return Html(write_report(make_run(folder, rows, **facts)))


def test_says_what_was_found_and_how_far_to_believe_it(tmp_path: Path) -> None:
    html = report_of(tmp_path, warnings=["1 image could not be read."])
    for expected in (
        "25 images: 2 known classes, 2 new",
        "2 images had a label. 2 form no class and are left unsorted.",
        "plausible: 3 to 9",
        "52 % of the images",
        "3.1 points",
        "0.930",
        "41 s",
        *(
            "1 warning",
            "1 image could not be read.",
            "New classes",
            "All of them",
            "Unsorted",
            "It won.",
            "81.2",
            "55.0",
        ),
        "farthing discover gallery run",
    ):
        assert expected in html.text
    assert html.tags.count("h1") == 1
    assert html.tags.count("img") == 8 + 5 + 2
    assert "script" not in html.tags
    sources = [value for name, value in html.attributes if name == "src"]
    assert all(value and value.startswith("data:image/webp;base64,") for value in sources)


def test_the_most_probable_images_of_the_largest_new_classes_come_first(tmp_path: Path) -> None:
    html = report_of(tmp_path)
    titles = [value for name, value in html.attributes if name == "alt"]
    assert titles == [row.image for row in (*sorted_images()[10:18], *sorted_images()[18:23], *sorted_images()[23:])]
    assert html.text.index("new-01") < html.text.index("new-02")


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"num_known": 0, "k": 4, "ece": None, "calibration": []}, "25 images fall into 4 classes"),
        ({"num_known": 0, "num_labelled": 0}, "No image had a label, so this is a plain clustering"),
        ({"num_known": 1, "k": 3}, "25 images: 1 known class, 2 new"),
        ({"num_known": 4, "k": 4, "num_unsorted": 0}, "25 images in 4 known classes, and nothing new"),
        ({"num_labelled": 1, "num_unsorted": 0}, "1 image had a label. Every other image"),
        ({"seconds": 200.0}, "3.3 min"),
    ],
)
def test_the_least_a_run_can_hold_is_said(tmp_path: Path, facts: dict[str, Any], expected: str) -> None:
    assert expected in report_of(tmp_path, **facts).text


def test_without_labels_there_is_no_calibration(tmp_path: Path) -> None:
    html = report_of(tmp_path, ece=None, novelty_auroc=None, calibration=[], num_known=0)
    for absent in ("Calibration", "Left:", "AUROC", "None"):
        assert absent not in html.text


def test_a_run_where_nothing_was_read_has_a_page(tmp_path: Path) -> None:
    rows = [SortedImage(image="a.png"), SortedImage(image="b.png")]
    html = report_of(tmp_path, rows, k=1, k_low=1, k_high=1, num_known=1, num_unsorted=0)
    assert "Class sizes" not in html.text
    assert "New classes" not in html.text


def test_a_number_of_classes_that_was_given_is_not_called_plausible(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    info = json.loads((run / INFO_FILE).read_bytes())
    assert info["num_classes"] is None
    (run / INFO_FILE).write_text(json.dumps(info | {"num_classes": 4}))
    html = Html(write_report(run))
    assert "as many as were asked for" in html.text
    assert "plausible" not in html.text
    assert "How many classes" not in html.text


def test_few_classes_are_named_below_their_bars_and_long_names_are_cut(tmp_path: Path) -> None:
    rows = [SortedImage(image=f"{i}.png", label=label, probability=1.0) for i, label in enumerate(["oak", "a" * 13])]
    html = report_of(tmp_path, rows, num_unsorted=0)
    assert "oak" in html.text
    assert "aaaaaaaaa..." in html.text
    assert "a" * 13 not in html.text


def test_images_that_are_gone_are_said(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    (tmp_path / "images" / sorted_images()[12].image).unlink()
    html = Html(write_report(run))
    assert html.text.count("cannot be read") == 1
    assert html.tags.count("img") == 14
    (tmp_path / "images").rename(tmp_path / "moved")
    assert Html(write_report(run, images=tmp_path / "moved")).tags.count("img") == 14


def test_long_lists_are_cut_and_say_so(tmp_path: Path) -> None:
    first = sorted_images()[10]
    rows = [replace(first, image=f"box/{n:03}.png", label=f"new-{n % 20:02}") for n in range(20 * (NUM_PICTURES + 2))]
    html = report_of(tmp_path, rows, k=20, num_known=0, num_unsorted=0)
    assert f"The {NUM_GALLERIES} largest of 20" in html.text
    assert html.tags.count("img") == NUM_GALLERIES * NUM_PICTURES
    assert (tmp_path / "run/report.html").stat().st_size < 2_000_000


def test_equal_runs_make_an_equal_page(tmp_path: Path) -> None:
    pages = []
    for name in ("a", "b"):
        report_of(tmp_path / name)
        pages.append((tmp_path / name / "run/report.html").read_text().replace(str(tmp_path / name), ""))
    assert pages[0] == pages[1]


def test_a_run_that_is_not_finished_has_no_page(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    (run / "summary.json").unlink()
    with pytest.raises(FormatError, match="is not finished"):
        write_report(run)


def hostile_run(folder: Path) -> Path:
    texts = [text for text in HOSTILE if "\0" not in text]
    rows = [
        replace(sorted_images()[10], image=text, label=text, probability=1 - number / 100)
        for number, text in enumerate(texts)
    ]
    choice = Choice(head=texts[0], settings={}, why=texts[1], scores=dict.fromkeys(texts, 50.0))
    return make_run(folder, rows, warnings=texts, choice=choice, features={texts[2]: texts[3]}, num_unsorted=0)


def test_names_are_text_wherever_they_stand(tmp_path: Path) -> None:
    html, plain = Html(write_report(hostile_run(tmp_path / "bad"))), report_of(tmp_path / "plain", warnings=["x"])
    assert set(html.tags) <= set(plain.tags)
    assert {name for name, _ in html.attributes} <= {name for name, _ in plain.attributes}
    assert "<script>alert(1)</script>" in html.text


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width_px", [1280, 390])
def test_in_a_browser(browser: Browser, tmp_path: Path, width_px: int, scheme: str) -> None:
    path = write_report(make_run(tmp_path, warnings=["x" * 300]))
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
    page.evaluate("document.querySelectorAll('img').forEach(image => image.loading = 'eager')")
    page.wait_for_function("[...document.images].every(image => image.complete && image.naturalWidth > 0)")
    # The dot of what was taken lies within the bar of what is plausible.
    bar, dot = (page.locator(f".track > {part}").bounding_box() for part in ("i", "b"))
    assert bar is not None
    assert dot is not None
    assert bar["x"] < dot["x"] + dot["width"] / 2 < bar["x"] + bar["width"]
    assert page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g)[0] > 128") == (not dark)
    context.close()


@pytest.mark.slow
@pytest.mark.browser
def test_hostile_names_run_nothing_in_a_browser(browser: Browser, tmp_path: Path) -> None:
    path = write_report(hostile_run(tmp_path))
    page = browser.new_page(viewport={"width": 390, "height": 900})
    events: list[str] = []
    page.on("dialog", lambda dialog: events.append(dialog.message))
    page.on("request", lambda request: events.append(request.url))
    page.goto(path.as_uri())
    assert events == [path.as_uri()]
    assert page.locator("script, iframe").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.close()
