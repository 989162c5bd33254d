"""The figures of the protocol: by hand, against a slow reference, and what must not change them."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from farthing.discover import metrics
from farthing.discover.metrics import Truth, score
from tests.reference.discovery_scores import figures

NAMES = "abcde"


def truth_of(labels: list[str], known: str) -> Truth:
    return Truth(labels=labels, known=set(known), sizes=Counter(labels))


def test_by_hand() -> None:
    truth = truth_of(list("aaaabbcc"), known="a")
    found = ["a", "a", "a", "n1", "n1", "n1", "n2", ""]
    assert score(truth, found) == {
        "all": 75.0,  # 3 of a, 2 of b, 1 of c; one of a lies in b's cluster, one of c nowhere
        "old": 75.0,
        "new": 75.0,
        "balanced": pytest.approx(100 * (3 / 4 + 1 + 1 / 2) / 3),
        "balanced_old": 75.0,
        "balanced_new": 75.0,
        "old_many": None,
        "old_medium": 75.0,  # of one class, the middle third
        "old_few": None,
        "new_many": 100.0,
        "new_medium": None,
        "new_few": 50.0,
        "named_old": 75.0,
    }


def test_a_known_class_by_another_name_is_right_when_matched_and_wrong_by_name() -> None:
    figures = score(truth_of(list("aabb"), known="ab"), list("bbaa"))
    assert (figures["old"], figures["named_old"]) == (100.0, 0.0)


def test_nothing_found_is_all_wrong() -> None:
    assert score(truth_of(list("aab"), known="a"), ["", "", ""])["all"] == 0.0


def test_thirds_are_by_size_in_the_whole_collection() -> None:
    truth = Truth(labels=list("abc"), known=set("abc"), sizes={"a": 1, "b": 5, "c": 9})
    figures = score(truth, ["", "b", "c"])
    assert (figures["old_many"], figures["old_medium"], figures["old_few"]) == (100.0, 100.0, 0.0)


pairs = st.lists(st.tuples(st.sampled_from(NAMES[:4]), st.sampled_from(["", *NAMES[:4]])), min_size=1, max_size=14)


@given(pairs, st.sets(st.sampled_from(NAMES)), st.lists(st.integers(1, 9), min_size=5, max_size=5))
def test_as_the_slow_reference_says(rows: list[tuple[str, str]], known: set[str], sizes: list[int]) -> None:
    labels, found = [label for label, _ in rows], [name for _, name in rows]
    by_class = dict(zip(NAMES, sizes, strict=True))
    ours = score(Truth(labels=labels, known=known, sizes=by_class), found)
    possible = [
        {name: None if value is None else float(100 * value) for name, value in one.items()}
        for one in figures(labels, found, known=known, sizes=by_class)
    ]
    assert any(ours == pytest.approx(one) for one in possible)


@given(pairs, st.permutations(range(5)))
def test_new_names_do_not_matter(rows: list[tuple[str, str]], order: list[int]) -> None:
    truth = truth_of([label for label, _ in rows], known="")
    found = [name for _, name in rows]
    renamed = [name and f"n{order[NAMES.index(name)]}" for name in found]
    assert score(truth, renamed)["all"] == score(truth, found)["all"]


def test_calibration_bins_by_hand() -> None:
    probability = np.array([0.0, 0.05, 0.5, 0.5, 1.0])
    correct = np.array([False, True, True, False, True])
    assert metrics.calibration_bins(probability, correct) == [
        (pytest.approx(0.025), 0.5, 2),
        (0.5, 0.5, 2),
        (1.0, 1.0, 1),
    ]
    assert metrics.expected_calibration_error(probability, correct) == pytest.approx(2 / 5 * 0.475)


def test_calibration_of_probabilities_that_hold_is_near_0() -> None:
    generator = np.random.default_rng(0)
    probability = generator.random(20_000)
    assert metrics.expected_calibration_error(probability, generator.random(20_000) < probability) < 0.02
    assert metrics.expected_calibration_error(np.full(100, 0.9), np.zeros(100, bool)) == pytest.approx(0.9)


def test_area_under_roc() -> None:
    generator = np.random.default_rng(0)
    novelty, is_new = generator.random(50), generator.random(50) < 0.3
    assert metrics.area_under_roc(novelty, is_new) == pytest.approx(roc_auc_score(is_new, novelty))
    assert metrics.area_under_roc(novelty, np.ones(50, bool)) is None
