"""The store as the review page sees it: numbers that stay good, what is doubtful, what is asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.documents.review.gallery import Gallery, doubtful_range
from farthing.documents.review.messages import PageState
from farthing.results.store import STORE_FILE, Store
from farthing.web.endpoints import RequestError
from tests.documents.fakes import page_row
from tests.documents.review.places import make_folder


@pytest.mark.parametrize(
    ("threshold", "expected"),
    [(0.5, (0.25, 0.75)), (0.25, (0.1, 0.5)), (0.75, (0.5, 0.9)), (0.0, (0.0, 0.0)), (1.0, (1.0, 1.0))],
)
def test_doubtful_is_a_factor_of_three_in_the_odds(threshold: float, expected: tuple[float, float]) -> None:
    assert doubtful_range(threshold) == pytest.approx(expected, abs=1e-4)


@given(st.floats(0, 1))
def test_a_threshold_is_doubtful_itself(threshold: float) -> None:
    low, high = doubtful_range(threshold)
    assert 0 <= low <= threshold + 1e-4
    assert threshold - 1e-4 <= high <= 1


def test_numbers_stay_good_while_pages_are_added(tmp_path: Path) -> None:
    found = make_folder(tmp_path, num_pages=4)
    with Store.open(found / STORE_FILE) as store:
        gallery = Gallery(store, found)
        assert gallery.columns().page[-1] == gallery.name_of(3)
        store.add_pages([(replace(page_row("late.png", 0.9), scores={"illustration": 0.9, "stamp": 0.0}), [])])
        assert gallery.name_of(3) == "book0/00003.png"
        assert gallery.name_of(5) == "late.png"  # 4 is the one that could not be read
        assert gallery.columns().id == [0, 1, 2, 3, 5]
        store.decide("late.png", contains=False, made_by="review")
        assert Gallery(store, found).undo() == PageState(page=5, keep=True, decision=None)


def test_a_number_without_a_page_is_refused(tmp_path: Path) -> None:
    found = make_folder(tmp_path, num_pages=2)
    with Store.open(found / STORE_FILE) as store, pytest.raises(RequestError, match="page 7: the collection has pages"):
        Gallery(store, found).name_of(7)


@pytest.mark.parametrize(
    ("wanted", "question"),
    [
        (["map"], "Does it show a map?"),
        (["illustration", "music"], "Does it show an illustration or music?"),
        (["map", "seal", "stamp", "drop_capital"], "Does it show any of these: map, seal, stamp, drop capital?"),
    ],
)
def test_the_question_names_every_class(tmp_path: Path, wanted: list[str], question: str) -> None:
    found = make_folder(tmp_path, num_pages=2)
    with Store.open(found / STORE_FILE) as store:
        store.set_meta(contains=wanted)
        assert Gallery(store, found).facts().question == question


def test_only_changes_count_as_changes(tmp_path: Path) -> None:
    found = make_folder(tmp_path, num_pages=2)
    with Store.open(found / STORE_FILE) as store:
        gallery = Gallery(store, found)
        gallery.columns()
        assert gallery.undo() is None
        assert not gallery.is_changed
        gallery.decide(1, contains=True)
        assert gallery.is_changed
