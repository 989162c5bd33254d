from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.serve.limit import CROWDED_S, FEWEST, LATE_S, Limit


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def crowded(most: int) -> tuple[Limit, Clock]:
    """A limit whose requests have been late for just so long that it will be lowered by the next one."""
    clock = Clock()
    limit = Limit(most, clock)
    limit.learn(9 * LATE_S)  # a tenth of it is the average
    limit.learn(9 * LATE_S)  # .9 * .9 + .9 of a late one
    clock.now += 1.1 * CROWDED_S
    return limit, clock


def allowed(limit: Limit) -> int:
    return next(number for number in range(1000) if not limit.admits(number))


def test_late_requests_make_it_fewer_and_ones_on_time_more() -> None:
    limit, _ = crowded(64)
    assert allowed(limit) == 64
    limit.learn(LATE_S)  # .9 * 1.71 + .1 = 1.64
    assert allowed(limit) == 63  # 62.72, and none is inside in parts
    for _ in range(4):
        limit.learn(0.0)  # .9 ** 4 * 1.64 = 1.08
    assert allowed(limit) == 58  # 64 * .98 ** 5 = 57.85
    for _ in range(9):
        limit.learn(0.0)  # late no more
    assert allowed(limit) == 59  # 9 / 58 more


def test_late_ones_for_a_short_time_are_a_burst() -> None:
    clock = Clock()
    limit = Limit(64, clock)
    for _ in range(5):
        for _ in range(40):
            limit.learn(9 * LATE_S)
            clock.now += 0.9 * CROWDED_S / 40
        assert allowed(limit) == 64
        for _ in range(40):
            limit.learn(0.0)


@pytest.mark.parametrize(("quiet_s", "expected"), [(0.9 * CROWDED_S, 63), (1.1 * CROWDED_S, 64)])
def test_it_stays_crowded_until_requests_have_been_on_time_for_a_while(quiet_s: float, expected: int) -> None:
    limit, clock = crowded(64)
    limit.learn(LATE_S)
    for _ in range(6):
        limit.learn(0.0)
    clock.now += quiet_s
    for _ in range(1000):
        limit.learn(0.0)
    assert allowed(limit) == 64
    limit.learn(20 * LATE_S)
    assert allowed(limit) == expected


@pytest.mark.parametrize(("most", "fewest"), [(64, FEWEST), (3, 3)])
def test_some_are_always_answered(most: int, fewest: int) -> None:
    limit, _ = crowded(most)
    for _ in range(200):
        limit.learn(1.0)
    assert allowed(limit) == fewest


@given(st.lists(st.booleans(), max_size=200))
def test_never_more_than_most_and_quick_ones_bring_it_back(late: list[bool]) -> None:
    clock = Clock()
    limit = Limit(20, clock)
    for is_late in late:
        clock.now += CROWDED_S
        limit.learn(20 * LATE_S if is_late else 0.0)
        assert FEWEST <= allowed(limit) <= 20
    for _ in range(500):
        limit.learn(0.0)
    assert allowed(limit) == 20
