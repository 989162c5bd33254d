"""The runner, and the small forms of promises that have no other test of their own kind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.soak import page
from tests.soak.__main__ import main, run_alone
from tests.soak.answers import compare_answers
from tests.soak.kills import DISKS, STOPS, stop
from tests.soak.outcome import Budget, Outcome, Promise
from tests.soak.table import PROMISES

# Those whose figures are neither times of a quiet machine nor a run of other tests.
SMALL = (1, 2, 5, 6, 9, 10, 14)


@pytest.mark.slow
@pytest.mark.parametrize("promise", [each for each in PROMISES if each.number in SMALL], ids=lambda each: each.title)
def test_a_second_of_a_promise_keeps_it(promise: Promise, tmp_path: Path) -> None:
    outcome = promise.check(Budget(0.5), tmp_path)
    assert outcome.kept, outcome.figure


@pytest.mark.slow
@pytest.mark.parametrize("job", ["prepare", "filter", "fit"])
def test_a_job_that_was_stopped_goes_on_to_the_same_results(job: str, tmp_path: Path) -> None:
    """Trainings have their own test, with more kills."""
    stopped = stop(job, (*STOPS, *DISKS), tmp_path / job, Budget(0.5), 1.0)
    assert not stopped.wrong
    assert stopped.faults.total() > 0


@pytest.mark.slow
def test_a_probability_has_the_same_bits_in_every_way_to_compute_it(tmp_path: Path) -> None:
    found = compare_answers(Budget(0.1), tmp_path, ("int4",))
    assert found.kept, found.figure


def test_there_are_fifteen_in_order() -> None:
    assert [promise.number for promise in PROMISES] == list(range(1, 16))


@pytest.mark.slow
def test_a_soak_writes_every_row_and_says_why_one_is_not_kept(tmp_path: Path) -> None:
    rows_path, page_path = tmp_path / "soak.json", tmp_path / "page.md"
    page_path.write_text(f"before\n{page.START}{page.END}after\n")
    command = ["--minutes", "0.01", "--only", "6", "--json", str(rows_path), "--page", str(page_path)]
    assert main(command) == 1
    rows = json.loads(rows_path.read_text())
    assert [row["promise"] for row in rows] == [promise.title for promise in PROMISES]
    assert [row["kept"] for row in rows] == [promise.number == 6 for promise in PROMISES]
    assert rows[0]["figure"] == "not run: --only named others"
    text = page_path.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "1 of 15 promises kept" in text
    assert "| 6 | Paths stay inside | yes | hostile names" in text


@pytest.mark.slow
def test_a_row_that_was_not_asked_keeps_what_it_reached_before(tmp_path: Path) -> None:
    path = tmp_path / "soak.json"
    for number in (6, 2):
        main(["--minutes", "0.01", "--only", str(number), "--json", str(path)])
    rows = json.loads(path.read_text())
    assert [row["kept"] for row in rows] == [promise.number in {2, 6} for promise in PROMISES]
    assert rows[5]["figure"].startswith("hostile names")


def test_a_check_that_crashes_is_not_kept() -> None:
    nothing = Promise(99, "none", lambda _, __: Outcome("", kept=True))
    outcome, said = run_alone(nothing, 0.0)
    assert outcome == Outcome("ended with exit code 1: StopIteration", kept=False)
    assert "Traceback" in said
