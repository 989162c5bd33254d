"""From a filtered folder over a to-do list to kept pages."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest

from farthing.base.errors import DataError, FormatError
from farthing.documents.filtering.filter import FilterConfig, filter_pages
from farthing.documents.recall.calibrate import calibrate, sample_more, sample_pages, sample_state
from farthing.documents.recall.sampling import SAMPLE_FILE
from farthing.results.store import STORE_FILE, Store
from tests.documents.fakes import ColorDetector, write_collection


@pytest.fixture(scope="module")
def filtered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("calibrate")
    pages = write_collection(folder / "pages")
    filter_pages(ColorDetector(), pages, folder / "out", FilterConfig(contains=("illustration",), threshold=0.9))
    return folder / "out"


@pytest.fixture
def out(filtered: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(filtered, tmp_path / "out"))


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def _is_wanted(page: str) -> bool:
    """Pages with an odd number show a red rectangle."""
    return int(Path(page).stem) % 2 == 1


def _answer(todo: Path) -> None:
    rows = _rows(todo)
    lines = ["page,contains", *(f"{row['page']},{int(_is_wanted(row['page']))}" for row in rows)]
    todo.write_text("\n".join(lines))


def test_a_list_answers_and_a_promise(out: Path, tmp_path: Path) -> None:
    todo = tmp_path / "todo.csv"
    state = sample_pages(out, 20, seed=4, out=todo)
    assert (state.total, state.answered, state.num_pages, state.round) == (20, 0, 24, 1)
    assert [list(row.values())[1] for row in _rows(todo)] == [""] * 20
    _answer(todo)
    result = calibrate(out, labels=todo, recall=0.6, confidence=0.9)
    assert result.is_reached
    kept = {row["page"] for row in _rows(out / "pages.csv") if row["keep"] == "1"}
    answered = {row["page"] for row in _rows(todo)}
    for row in _rows(out / "pages.csv"):
        expected = _is_wanted(row["page"]) if row["page"] in answered else float(row["score"]) >= result.threshold
        assert (row["page"] in kept) == expected
    told = json.loads((out / "calibration.json").read_text())
    assert told["threshold"] == result.threshold
    assert told["recall_lower_bound"] == 0.6
    assert "At least 60 %" in (out / "report.html").read_text()
    with Store.open(out / STORE_FILE) as store:
        assert store.meta()["threshold"] == result.threshold
        assert {decision.made_by for decision in store.history()} == {"file"}


def test_what_cannot_be_promised_keeps_every_page(out: Path, tmp_path: Path) -> None:
    sample_pages(out, 6, out=tmp_path / "todo.csv")
    _answer(tmp_path / "todo.csv")
    result = calibrate(out, labels=tmp_path / "todo.csv", recall=0.95)
    assert not result.is_reached
    assert result.more_labels_wanted > 0
    answered = {row["page"] for row in _rows(tmp_path / "todo.csv")}
    assert all(row["keep"] == "1" for row in _rows(out / "pages.csv") if row["page"] not in answered)


def test_decisions_of_the_review_page_count(out: Path) -> None:
    sample_pages(out, 24)
    with Store.open(out / STORE_FILE) as store:
        for row in store.pages():
            if row.failure is None:
                store.decide(row.page, _is_wanted(row.page), "review")
    state = sample_state(out)
    assert state is not None
    assert (state.answered, state.total) == (24, 24)
    result = calibrate(out, recall=0.95)
    assert result.is_reached
    assert result.labels_used == 24


def test_more_pages_keep_earlier_answers(out: Path, tmp_path: Path) -> None:
    sample_pages(out, 8, out=tmp_path / "todo.csv")
    with pytest.raises(DataError, match="8 of the 8 sampled pages have no answer"):
        sample_more(out)
    _answer(tmp_path / "todo.csv")
    calibrate(out, labels=tmp_path / "todo.csv", recall=0.9)
    state = sample_more(out, out=tmp_path / "more.csv")
    assert (state.total, state.answered, state.round) == (16, 8, 2)
    assert [row["contains"] != "" for row in _rows(tmp_path / "more.csv")] == [True] * 8 + [False] * 8
    _answer(tmp_path / "more.csv")
    assert calibrate(out, labels=tmp_path / "more.csv", recall=0.9).round == 2


def test_the_same_answers_make_the_same_files(out: Path, tmp_path: Path) -> None:
    sample_pages(out, 12, seed=1, out=tmp_path / "todo.csv")
    _answer(tmp_path / "todo.csv")
    calibrate(out, labels=tmp_path / "todo.csv", recall=0.7)
    names = ("pages.csv", "calibration.json", SAMPLE_FILE, "report.html")
    before = {name: (out / name).read_bytes() for name in names}
    sample_pages(out, 12, seed=1)
    calibrate(out, recall=0.7)
    assert before == {name: (out / name).read_bytes() for name in names}


def test_a_collection_that_moved_away_still_gets_its_keep(out: Path, tmp_path: Path) -> None:
    with Store.open(out / STORE_FILE) as store:
        store.set_meta(collection=str(tmp_path / "gone"))
    sample_pages(out, 24, out=tmp_path / "todo.csv")
    _answer(tmp_path / "todo.csv")
    with pytest.raises(DataError, match="gone"):
        calibrate(out, labels=tmp_path / "todo.csv", recall=0.9)
    assert {row["page"] for row in _rows(out / "pages.csv") if row["keep"] == "1"} == {
        row["page"] for row in _rows(out / "pages.csv") if _is_wanted(row["page"])
    }


def test_a_missing_answer_changes_nothing(out: Path, tmp_path: Path) -> None:
    sample_pages(out, 10, out=tmp_path / "todo.csv")
    _answer(tmp_path / "todo.csv")
    *lines, last = (tmp_path / "todo.csv").read_text().splitlines()
    (tmp_path / "todo.csv").write_text("\n".join([*lines, last.split(",")[0] + ","]))
    before = (out / "pages.csv").read_bytes()
    with pytest.raises(DataError, match="1 of the 10 sampled pages have no answer"):
        calibrate(out, labels=tmp_path / "todo.csv")
    assert (out / "pages.csv").read_bytes() == before
    state = sample_state(out)
    assert state is not None
    assert state.answered == 0


def test_no_filter_and_no_sample(out: Path, tmp_path: Path) -> None:
    assert sample_state(out) is None
    with pytest.raises(DataError, match="no sample was drawn yet"):
        calibrate(out)
    with pytest.raises(FormatError, match="there is no store here"):
        sample_pages(tmp_path, 5)


def test_answers_about_unknown_pages(out: Path, tmp_path: Path) -> None:
    sample_pages(out, 4, out=tmp_path / "todo.csv")
    _answer(tmp_path / "todo.csv")
    with (tmp_path / "todo.csv").open("a") as stream:
        stream.write("\nelsewhere.jpg,1\n")
    with pytest.raises(DataError, match="elsewhere"):
        calibrate(out, labels=tmp_path / "todo.csv", recall=0.5)
    assert not (out / "calibration.json").exists()
