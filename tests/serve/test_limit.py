from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.serve.limit import FEWEST, LATE_S, Limit


def allowed(limit: Limit) -> int:
    return next(number for number in range(1000) if not limit.admits(number))


def test_one_late_request_means_nothing_and_late_ones_on_the_average_make_it_fewer() -> None:
    limit = Limit(64)
    assert allowed(limit) == 64
    limit.learn(9 * LATE_S)  # a tenth of it is the average
    assert allowed(limit) == 64
    limit.learn(9 * LATE_S)  # .9 * .9 + .9 of a late one
    assert allowed(limit) == 63  # 62.72, and none is inside in parts
    for _ in range(5):
        limit.learn(0.0)  # the average is late no more: .9 ** 5 * 1.71 = 1.01, and then .91
    limit.learn(0.0)
    assert allowed(limit) == 57


@pytest.mark.parametrize(("most", "fewest"), [(64, FEWEST), (3, 3)])
def test_some_are_always_answered(most: int, fewest: int) -> None:
    limit = Limit(most)
    for _ in range(200):
        limit.learn(1.0)
    assert allowed(limit) == fewest


@given(st.lists(st.booleans(), max_size=200))
def test_never_more_than_most_and_quick_ones_bring_it_back(late: list[bool]) -> None:
    limit = Limit(20)
    for is_late in late:
        limit.learn(20 * LATE_S if is_late else 0.0)
        assert FEWEST <= allowed(limit) <= 20
    for _ in range(500):
        limit.learn(0.0)
    assert allowed(limit) == 20
