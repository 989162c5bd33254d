"""No number of positives makes a false promise more likely than allowed; computed a second time, with integers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farthing.documents.recall.recallbounds import allowed_misses, best_recall, breaking_losses, worst_risk


def _promise_risk(num_pages: int, positives: int, num_labels: int, recall: float, alpha: float) -> float:
    """The probability of a false promise with integers and a sum over all outcomes; shares no code with the module."""
    table = allowed_misses(num_pages, num_labels, recall, alpha)
    lost = next(m for m in range(positives + 2) if positives - m < recall * positives - 1e-9)
    risk = 0
    for below in range(min(lost, num_labels) + 1):
        for above in range(min(positives - lost, num_labels - below) + 1):
            if below <= table[below + above]:
                rest = math.comb(num_pages - positives, num_labels - below - above)
                risk += math.comb(lost, below) * math.comb(positives - lost, above) * rest
    return risk / math.comb(num_pages, num_labels)


def test_breaking_losses_by_hand() -> None:
    # Of 10 positives one may be lost at 90 %, of 9 none; of 20 two at 90 %, one at 95 %.
    assert breaking_losses(np.array([9, 10, 19, 20]), 0.9).tolist() == [1, 2, 2, 3]
    assert breaking_losses(np.array([9, 10, 19, 20]), 0.95).tolist() == [1, 1, 1, 2]


def test_known_answers() -> None:
    # A very large collection: 0.9^29 = 0.047, so from 29 found on each k is right by itself; smaller ones are rarer.
    table = allowed_misses(10**6, 200, 0.9, 0.05)
    assert 0.9**29 < 0.05 < 0.9 ** int(np.argmax(table >= 0)) < 0.15
    # Everything was looked at: of 20 positives exactly two may fall below.
    assert allowed_misses(50, 50, 0.9, 0.05)[20] == 2


@pytest.mark.parametrize(("num_pages", "labels"), [(40, 12), (60, 30), (90, 45), (150, 60)])
@pytest.mark.parametrize("recall", [0.5, 0.8, 0.9, 0.95])
def test_no_number_of_positives_makes_a_false_promise_likely(num_pages: int, labels: int, recall: float) -> None:
    risks = [_promise_risk(num_pages, positives, labels, recall, 0.05) for positives in range(1, num_pages + 1)]
    assert max(risks) <= 0.05
    table = allowed_misses(num_pages, labels, recall, 0.05)
    assert worst_risk(table, num_pages, recall) == pytest.approx(max(risks), abs=1e-7)


def test_blocks_bound_what_they_stand_for() -> None:
    num_pages, labels = 4000, 150
    table = allowed_misses(num_pages, labels, 0.9, 0.05)
    exact = max(_promise_risk(num_pages, positives, labels, 0.9, 0.05) for positives in range(1001, 1400, 19))
    bound = worst_risk(table, num_pages, 0.9)
    assert exact <= bound <= 0.05


@settings(max_examples=25)
@given(st.integers(1, 150), st.floats(0.3, 0.99), st.data())
def test_tables_rise_by_at_most_one_and_leave_a_found_positive(
    num_pages: int, recall: float, data: st.DataObject
) -> None:
    labels = data.draw(st.integers(1, num_pages))
    table = allowed_misses(num_pages, labels, recall, 0.05)
    assert set(np.diff(table).tolist()) <= {0, 1}
    assert (table < np.maximum(1, np.arange(labels + 1))).all()


def test_best_recall_is_exact_for_the_number_found() -> None:
    # Of very many pages 30 positives were found: 0.96 * 0.05 = r^30 gives r = 0.9038.
    assert best_recall(10**6, 200, 30, 0.05) == 0.9
    assert best_recall(10**6, 200, 0, 0.05) == 0
    assert best_recall(50, 50, 10, 0.05) == 0.99
