"""What is written is read back, decisions are never lost, and every change is whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.base.errors import DataError, FormatError
from farthing.results.rows import BoxRow, DocumentRow, PageQuery, PageRow
from farthing.results.store import Store

ROOT = Path(__file__).resolve().parents[2]
SCORES = {"a/1.jpg": 0.9, "a/2.jpg": 0.5, "b/1.jpg": 0.5, "b/2.jpg": 0.1}
BOX = BoxRow(label="stamp", x0=1.5, y0=2.0, x1=30.25, y1=40.0, score=0.5)


def page_row(page: str, score: float, keep: bool = False) -> PageRow:
    scores = {"stamp": score, "seal": score / 2}
    return PageRow(
        page=page, document=page.partition("/")[0], width=100, height=200, score=score, scores=scores, keep=keep
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.create(tmp_path / "store.sqlite", contains=["stamp"], threshold=0.5) as store:
        store.add_pages((page_row(page, score, keep=score >= 0.5), [BOX]) for page, score in SCORES.items())
        store.add_pages([(PageRow(page="b/broken.jpg", document="b", failure="is empty"), [])])
        yield store


def kept(store: Store) -> list[str]:
    return [row.page for row in store.pages(PageQuery(keep=True))]


def test_rows_come_back_as_they_went_in(store: Store) -> None:
    assert store.page("a/1.jpg") == page_row("a/1.jpg", 0.9, keep=True)
    assert store.page("b/broken.jpg") == PageRow(page="b/broken.jpg", document="b", failure="is empty")
    assert [row.page for row in store.pages()] == [*SCORES, "b/broken.jpg"]
    assert store.boxes("a/1.jpg") == [BOX]
    assert store.boxes("b/broken.jpg") == []
    assert store.meta() == {"contains": ["stamp"], "threshold": 0.5}


def test_an_opened_store_is_the_one_that_was_closed(store: Store) -> None:
    store.decide("b/2.jpg", contains=True, made_by="review")
    store.set_meta(threshold=0.7, more={"a": [1, None]})
    store.close()
    with Store.open(store.path) as again:
        assert again.decisions() == {"b/2.jpg": True}
        assert again.meta() == {"contains": ["stamp"], "threshold": 0.7, "more": {"a": [1, None]}}
        assert again.count() == 5


def test_has_page_knows_failed_ones_too(store: Store) -> None:
    assert store.has_page("b/broken.jpg")
    assert not store.has_page("b/3.jpg")


@pytest.mark.parametrize("contains", [None, False, True])
def test_a_failed_page_that_is_read_later_keeps_its_place_and_its_decision(store: Store, contains: bool | None) -> None:
    names = [row.page for row in store.pages()]
    if contains is not None:
        store.decide("b/broken.jpg", contains, "review")
    store.add_pages([(page_row("b/broken.jpg", 0.9), [BOX])])
    assert [row.page for row in store.pages()] == names
    read = store.page("b/broken.jpg")
    assert (read.failure, read.score, read.decision) == (None, 0.9, contains)
    assert read.keep is bool(contains)
    assert store.boxes("b/broken.jpg") == [BOX]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (PageQuery(keep=True), ["a/1.jpg", "a/2.jpg", "b/1.jpg"]),
        (PageQuery(keep=False), ["b/2.jpg", "b/broken.jpg"]),
        (PageQuery(is_readable=False), ["b/broken.jpg"]),
        (PageQuery(is_decided=True), ["a/2.jpg"]),
        (PageQuery(is_decided=False, keep=True), ["a/1.jpg", "b/1.jpg"]),
        (PageQuery(least_score=0.5), ["a/1.jpg", "a/2.jpg", "b/1.jpg"]),
        (PageQuery(most_score=0.5), ["b/2.jpg"]),
        (PageQuery(label="seal", least_score=0.25, most_score=0.45), ["a/2.jpg", "b/1.jpg"]),
        (PageQuery(label="map", least_score=0.0), []),
        (PageQuery(document="b", is_readable=True), ["b/1.jpg", "b/2.jpg"]),
    ],
)
def test_a_query_means_the_pages_it_describes(store: Store, query: PageQuery, expected: list[str]) -> None:
    store.decide("a/2.jpg", contains=True, made_by="review")
    assert [row.page for row in store.pages(query)] == expected
    assert store.count(query) == len(expected)


def test_a_page_without_any_score_of_a_class_is_not_below_it(store: Store) -> None:
    assert "b/broken.jpg" not in [row.page for row in store.pages(PageQuery(most_score=2.0))]


def test_equal_scores_stay_in_the_order_of_the_collection_both_ways(store: Store) -> None:
    readable = PageQuery(is_readable=True)
    falling = [row.page for row in store.pages(readable, order="score", descending=True)]
    rising = [row.page for row in store.pages(readable, order="score")]
    assert falling == ["a/1.jpg", "a/2.jpg", "b/1.jpg", "b/2.jpg"]
    assert rising == ["b/2.jpg", "a/2.jpg", "b/1.jpg", "a/1.jpg"]
    assert [row.page for row in store.pages(order="page", descending=True, limit=2, offset=1)] == ["b/2.jpg", "b/1.jpg"]


def test_pages_may_be_changed_while_they_are_listed(store: Store) -> None:
    store.add_pages((page_row(f"c/{number:04}.jpg", 0.2), []) for number in range(1200))
    seen = 0
    for row in store.pages(PageQuery(document="c")):
        if seen % 100 == 0:
            store.decide(row.page, contains=True, made_by="review")
        seen += 1
    assert seen == 1200
    assert store.count(PageQuery(is_decided=True)) == 12


def test_documents_are_summed_up_in_the_order_of_their_first_pages(store: Store) -> None:
    store.add_pages([(PageRow(page="c.pdf", document="c.pdf", failure="needs a password"), [])])
    assert list(store.documents()) == [
        DocumentRow(document="a", num_pages=2, num_kept=2, score=0.9, first_kept="a/1.jpg"),
        DocumentRow(document="b", num_pages=3, num_kept=1, score=0.5, first_kept="b/1.jpg"),
        DocumentRow(document="c.pdf", num_pages=1, num_kept=0, score=None, first_kept=None),
    ]


def test_a_histogram_counts_every_readable_page_once(store: Store) -> None:
    store.add_pages([(page_row("c/1.jpg", 1.0, keep=True), []), (page_row("c/2.jpg", 0.0), [])])
    assert store.histogram(2) == ([0, 4], [2, 0])
    assert store.histogram(10) == ([0, 0, 0, 0, 0, 2, 0, 0, 0, 2], [1, 1, 0, 0, 0, 0, 0, 0, 0, 0])


def test_class_counts_take_pages_and_boxes_from_the_threshold(store: Store) -> None:
    assert store.class_counts(0.5) == {"seal": (0, 0), "stamp": (3, 4)}
    assert store.class_counts(0.45) == {"seal": (1, 0), "stamp": (3, 4)}
    store.replace_boxes("b/2.jpg", [BoxRow(label="seal", x0=0, y0=0, x1=5, y1=5)])
    assert store.class_counts(0.6) == {"seal": (0, 1), "stamp": (1, 0)}


def test_a_threshold_moves_the_line_and_decisions_stand(store: Store) -> None:
    store.decide("b/2.jpg", contains=True, made_by="review")
    store.decide("a/1.jpg", contains=False, made_by="file")
    store.set_threshold(0.6)
    assert kept(store) == ["b/2.jpg"]
    store.set_threshold(0.0)
    assert kept(store) == ["a/2.jpg", "b/1.jpg", "b/2.jpg"]
    assert store.meta()["threshold"] == 0.0


def test_the_last_decision_counts_and_all_stay_in_the_history(store: Store) -> None:
    for contains in (True, False, True, False):
        store.decide("b/2.jpg", contains=contains, made_by="review")
    assert store.decisions() == {"b/2.jpg": False}
    assert store.page("b/2.jpg").decision is False
    assert [decision.contains for decision in store.history()] == [True, False, True, False]
    assert not any(decision.is_undone for decision in store.history())


def test_undo_takes_back_the_latest_first_and_nothing_that_came_from_a_file(store: Store) -> None:
    store.decide("a/1.jpg", contains=False, made_by="review")
    store.decide("b/2.jpg", contains=True, made_by="review")
    store.decide_all({"a/2.jpg": False, "b/1.jpg": True}, "file")
    assert store.undo() == "b/2.jpg"
    assert kept(store) == ["b/1.jpg"]
    assert store.undo() == "a/1.jpg"
    assert kept(store) == ["a/1.jpg", "b/1.jpg"]
    assert store.undo() is None
    assert store.decisions() == {"a/2.jpg": False, "b/1.jpg": True}
    assert [decision.is_undone for decision in store.history()] == [True, True, False, False]


@pytest.mark.slow
@given(st.lists(st.one_of(st.tuples(st.sampled_from(sorted(SCORES)), st.booleans()), st.none()), max_size=12))
def test_decisions_and_undo_are_a_stack(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, bool] | None]
) -> None:
    stack: list[tuple[str, bool]] = []
    with Store.create(tmp_path_factory.mktemp("stack") / "store.sqlite", threshold=0.5) as store:
        store.add_pages((page_row(page, score, keep=score >= 0.5), []) for page, score in SCORES.items())
        for step in steps:
            if step is None:
                assert store.undo() == (stack.pop()[0] if stack else None)
            else:
                store.decide(step[0], contains=step[1], made_by="review")
                stack.append(step)
        expected = dict(stack)
        assert store.decisions() == expected
        assert kept(store) == [page for page, score in SCORES.items() if expected.get(page, score >= 0.5)]


def test_an_unreadable_page_is_never_kept(store: Store) -> None:
    store.decide("b/broken.jpg", contains=True, made_by="review")
    assert store.page("b/broken.jpg").decision is True
    assert "b/broken.jpg" not in kept(store)


def test_replaced_boxes_keep_equal_ones_and_the_rest_is_a_persons(store: Store) -> None:
    drawn = BoxRow(label="seal", x0=5, y0=6, x1=7, y1=8, source="person")
    store.replace_boxes("a/1.jpg", [BOX, drawn])
    assert store.boxes("a/1.jpg") == [BOX, drawn]
    moved = BoxRow(label="stamp", x0=1, y0=2, x1=31, y1=40, score=0.5)
    store.replace_boxes("a/1.jpg", [moved])
    assert store.boxes("a/1.jpg") == [BoxRow(label="stamp", x0=1, y0=2, x1=31, y1=40, source="person")]
    assert store.boxes("a/2.jpg") == [BOX]
    store.replace_boxes("a/1.jpg", [])
    assert store.boxes("a/1.jpg") == []


def test_a_box_that_comes_back_is_what_it_was(store: Store) -> None:
    drawn = BoxRow(label="seal", x0=5, y0=6, x1=7, y1=8, source="person")
    store.replace_boxes("a/1.jpg", [BOX, drawn])
    store.replace_boxes("a/1.jpg", [])
    store.replace_boxes("a/1.jpg", [drawn, replace(BOX, score=None)])
    assert store.boxes("a/1.jpg") == [BOX, drawn]


def test_boxes_come_best_first_and_drawn_ones_last(store: Store) -> None:
    boxes = [
        BoxRow(label="stamp", x0=0, y0=0, x1=1, y1=1, score=0.2),
        BoxRow(label="stamp", x0=0, y0=0, x1=2, y1=2, source="person"),
        BoxRow(label="stamp", x0=0, y0=0, x1=3, y1=3, score=0.8),
    ]
    store.add_pages([(page_row("c.jpg", 0.8), boxes)])
    assert [box.score for box in store.boxes("c.jpg")] == [0.8, 0.2, None]


def test_a_batch_with_a_page_that_is_there_adds_nothing(store: Store) -> None:
    with pytest.raises(DataError, match=r"has page 'a/1\.jpg' already"):
        store.add_pages([(page_row("new.jpg", 0.3), []), (page_row("a/1.jpg", 0.3), [])])
    assert not store.has_page("new.jpg")


def test_decisions_of_which_one_is_about_no_page_change_nothing(store: Store) -> None:
    with pytest.raises(DataError, match=r"has no page 'none.jpg'; pages are named as in pages.csv"):
        store.decide_all({"a/1.jpg": False, "none.jpg": True}, "file")
    assert store.decisions() == {}
    with pytest.raises(DataError, match="has no page"):
        store.replace_boxes("none.jpg", [])
    with pytest.raises(DataError, match="has no page"):
        store.page("none.jpg")


def test_a_name_that_is_no_text_is_an_error(store: Store) -> None:
    with pytest.raises(DataError, match="cannot be read or written"):
        store.add_pages([(page_row("\udcff.jpg", 0.3), [])])


def test_two_stores_of_one_file_see_each_others_decisions(store: Store) -> None:
    with Store.open(store.path) as other:
        store.decide("a/1.jpg", contains=False, made_by="review")
        other.decide("a/1.jpg", contains=True, made_by="review")
        assert store.decisions() == {"a/1.jpg": True}
        assert [decision.contains for decision in store.history()] == [False, True]


def test_many_threads_lose_no_decision(store: Store) -> None:
    def decide() -> None:
        for _ in range(25):
            store.decide("a/1.jpg", contains=True, made_by="review")

    threads = [threading.Thread(target=decide) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list(store.history())) == 100


def test_an_existing_store_is_never_overwritten(store: Store) -> None:
    with pytest.raises(DataError, match="exists and may hold decisions"):
        Store.create(store.path)
    assert store.count() == 5


def test_what_is_no_store_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"store\.sqlite: there is no store here"):
        Store.open(tmp_path / "store.sqlite")


_DECIDE_FOREVER = """
import sys
from pathlib import Path
from farthing.results.store import Store
store = Store.open(Path(sys.argv[1]))
for number in range(10**9):
    store.decide("a/1.jpg", contains=number % 2 == 1, made_by="review")
    print(number, flush=True)
"""


@pytest.mark.slow
def test_an_acknowledged_decision_survives_a_kill(store: Store) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-c", _DECIDE_FOREVER, str(store.path)]
    before = 0
    for kill in range(5):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
            assert process.stdout is not None
            acknowledged = [next(process.stdout) for _ in range(7 + kill)]
            process.send_signal(signal.SIGKILL)
            acknowledged += process.stdout.readlines()
        made = len(list(store.history())) - before
        assert made >= len([line for line in acknowledged if line.endswith("\n")])
        before += made
