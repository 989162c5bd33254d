"""The report shows what the files say, escapes it, and can be read in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from farthing.base.errors import FormatError
from farthing.base.files import write_json
from farthing.recommend.report import write_report
from tests.reference.comparison import MODELS, make_curves, make_rows, write_comparison
from tests.reference.hostile_text import HOSTILE
from tests.results.webpage import Page, assert_harmless


def test_shows_headline_data_models_and_charts(tmp_path: Path) -> None:
    path = write_report(write_comparison(tmp_path))
    assert path == tmp_path / "report.html"
    page = Page(path)
    text = " ".join(page.text)
    for expected in (
        "4 bits: AUC 0.8031 of 0.8033 at 1/7.7 of the bytes",
        *("96,000 train, 12,000 valid, 12,000 test", "13 numeric, 26 categorical", "512,345"),
        *("ids seen fewer than 10 times share a row", "train.lr=0.003", "clicks.tsv"),
        *(name for name, *_ in MODELS),
        *("ROC", "Calibration", "Training: validation AUC", "Training: log loss", "W32A32"),
    ):
        assert expected in text
    assert page.tags.count("svg") == 6
    assert page.tags.count("h1") == 1
    assert "script" not in page.tags
    assert path.stat().st_size < 400_000


@pytest.mark.slow
def test_equal_files_make_an_equal_page(tmp_path: Path) -> None:
    first = write_report(write_comparison(tmp_path / "a")).read_bytes()
    assert write_report(write_comparison(tmp_path / "b")).read_bytes() == first


def test_the_least_a_comparison_can_hold_is_enough(tmp_path: Path) -> None:
    write_json(tmp_path / "compare.json", [{"name": "fp32", "auc": 0.8, "size_mb": 1.0}])
    write_json(tmp_path / "curves.json", {})
    page = Page(write_report(tmp_path))
    assert "fp32: AUC 0.8000 in 1 MB" in " ".join(page.text)
    assert page.tags.count("svg") == 2


def test_curves_with_gaps_and_of_unknown_models_are_drawn_or_left_out(tmp_path: Path) -> None:
    write_json(tmp_path / "compare.json", make_rows()[:1])
    curves = {"fp32": {"training": [[1000, 0.7, 0.5, None], [2000, None, 0.5, 0.4]]}, "other": make_curves()["int4"]}
    write_json(tmp_path / "curves.json", curves)
    page = Page(write_report(tmp_path))
    assert page.tags.count("svg") == 4
    assert "Calibration" not in page.text


@pytest.mark.slow
def test_names_are_text_wherever_they_stand(tmp_path: Path) -> None:
    rows = [row | {"name": name, "bits": 4} for row, name in zip(make_rows() * 3, HOSTILE, strict=False)]
    rows.append(make_rows()[0])
    write_json(tmp_path / "compare.json", rows)
    curves = {name: make_curves()["int4"] for name in HOSTILE}
    data = {"rows": dict.fromkeys(HOSTILE, 1), "settings": list(HOSTILE)} | {name: name for name in HOSTILE}
    write_json(tmp_path / "curves.json", curves | {"data": data})
    page = Page(write_report(tmp_path))
    plain = Page(write_report(write_comparison(tmp_path / "plain")))
    assert_harmless(page, like=plain)
    assert "<script>alert(1)</script>" in " ".join(page.text)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("compare.json", [], "must hold at least one row"),
        ("compare.json", [{"auc": 0.8, "size_mb": 1}], "row 0 must have a name"),
        ("compare.json", [{"name": "fp32", "size_mb": 1}], "auc of row 'fp32' must be a number > 0, got None"),
        ("compare.json", [{"name": "a", "auc": 0.8, "size_mb": 0}], "size_mb of row 'a' must be a number > 0, got 0"),
        ("compare.json", {"rows": 1}, "not what farthing writes"),
        ("curves.json", {"fp32": {"roc": [[1]]}}, "not what farthing writes"),
        ("curves.json", [], "not what farthing writes"),
    ],
)
def test_a_foreign_file_is_an_error_that_names_it(tmp_path: Path, name: str, content: Any, message: str) -> None:
    write_comparison(tmp_path)
    write_json(tmp_path / name, content)
    with pytest.raises(FormatError, match=f"{name}: .*{message}"):
        write_report(tmp_path)


def test_a_missing_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"compare\.json: cannot be read"):
        write_report(tmp_path)


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width_px", [1280, 390])
def test_in_a_browser(browser: Any, tmp_path: Path, width_px: int, scheme: str) -> None:
    path = write_report(write_comparison(tmp_path))
    context = browser.new_context(viewport={"width": width_px, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    messages: list[str] = []
    requests: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(path.as_uri())
    assert messages == []
    assert requests == [path.as_uri()]
    assert page.evaluate("document.documentElement.scrollWidth") == width_px
    assert page.locator("h1").inner_text() == "4 bits: AUC 0.8031 of 0.8033 at 1/7.7 of the bytes"
    charts = page.locator("svg")
    shown = [charts.nth(index) for index in range(charts.count()) if charts.nth(index).is_visible()]
    assert len(shown) == 5
    for chart in shown:
        assert chart.bounding_box()["width"] > 0.7 * min(width_px, 450)
        assert (
            page.evaluate("e => parseFloat(getComputedStyle(e.querySelector('text')).fontSize)", chart.element_handle())
            >= 10
        )
    light = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g)[0] > 128")
    assert light == (scheme == "light")
    context.close()


@pytest.mark.slow
@pytest.mark.browser
def test_hostile_names_run_nothing_in_a_browser(browser: Any, tmp_path: Path) -> None:
    rows = [make_rows()[0], *({"name": name, "bits": 4, "auc": 0.8, "size_mb": 1.0} for name in HOSTILE)]
    path = write_report(write_comparison(tmp_path, rows))
    page = browser.new_page()
    events: list[str] = []
    page.on("dialog", lambda dialog: events.append(dialog.message))
    page.on("request", lambda request: events.append(request.url))
    page.goto(path.as_uri())
    assert events == [path.as_uri()]
    assert page.locator("script, iframe, img").count() == 0
    page.close()
