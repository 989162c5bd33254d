"""What comes together is scored together, nothing waits for company, and nothing is lost when a call fails."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from farthing.serve.gather import INLINE_ROWS, MAX_WAIT_S, Gatherer
from farthing.serve.requests import RefusedError
from tests.serve.loops import run as run_loop


class Scorer:
    """Answers each number with its double and remembers the calls."""

    def __init__(self) -> None:
        self.calls: list[list[int]] = []
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def __call__(self, works: Sequence[int]) -> list[int]:
        self.may_go_on.wait(timeout=10)
        self.calls.append(list(works))
        if -1 in works:
            raise ZeroDivisionError
        return [2 * work for work in works]


def gatherer(scorer: Scorer, *, max_batch: int = 8, rows: int = 1) -> Gatherer[int, int]:
    return Gatherer(scorer, num_rows=lambda _: rows, max_batch=max_batch)


def test_the_first_of_a_turn_is_scored_at_once_and_the_others_in_one_call() -> None:
    async def run() -> list[int]:
        one = gatherer(scorer := Scorer())
        answers = await asyncio.gather(*(one.answer(work) for work in range(5)))
        assert scorer.calls == [[0], [1, 2, 3, 4]]
        assert await one.answer(9) == 18
        one.close()
        return answers

    assert run_loop(run()) == [0, 2, 4, 6, 8]


def test_a_batch_has_a_limit_and_the_rest_follows() -> None:
    async def run() -> None:
        one = gatherer(scorer := Scorer(), max_batch=4)
        assert await asyncio.gather(*(one.answer(work) for work in range(9))) == [2 * work for work in range(9)]
        assert scorer.calls == [[0], [1, 2, 3, 4], [5, 6, 7, 8]]
        one.close()

    run_loop(run())


def test_large_works_leave_the_loop_free_and_too_many_are_turned_away() -> None:
    async def run() -> None:
        rows = INLINE_ROWS + 1
        one = gatherer(scorer := Scorer(), max_batch=rows, rows=rows)
        scorer.may_go_on.clear()
        running = [asyncio.create_task(one.answer(work)) for work in range(2)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)  # the first is being scored
        running.append(asyncio.create_task(one.answer(2)))
        await asyncio.sleep(0)
        with pytest.raises(RefusedError, match="too busy") as refused:
            await one.answer(9)
        assert refused.value.status == 503
        assert refused.value.headers == {"Retry-After": "1"}
        scorer.may_go_on.set()
        assert await asyncio.gather(*running) == [0, 2, 4]
        one.close()

    run_loop(run())


@pytest.mark.parametrize("rows", [1, INLINE_ROWS + 1])
def test_a_fault_reaches_those_who_wait_and_nobody_else(rows: int) -> None:
    async def run() -> None:
        one = gatherer(Scorer(), max_batch=4 * rows, rows=rows)
        works = [-1, 1, -1]
        results = await asyncio.gather(*(one.answer(work) for work in works), return_exceptions=True)
        assert [type(result) for result in results] == [ZeroDivisionError] * 3
        assert await one.answer(4) == 8
        one.close()

    run_loop(run())


def test_who_went_away_costs_nothing() -> None:
    async def run() -> None:
        one = gatherer(scorer := Scorer())
        first, gone = asyncio.create_task(one.answer(1)), asyncio.create_task(one.answer(2))
        await asyncio.sleep(0)
        gone.cancel()
        assert await one.answer(3) == 6
        assert await first == 2
        assert scorer.calls == [[1], [3]]
        one.close()

    run_loop(run())


def test_it_is_late_when_what_waits_takes_long() -> None:
    async def run() -> None:
        one = gatherer(scorer := Scorer(), max_batch=INLINE_ROWS, rows=INLINE_ROWS)
        one._seconds_per_row = 1.5 * MAX_WAIT_S / INLINE_ROWS
        late = [one.is_late]
        working = [asyncio.create_task(one.answer(work)) for work in (1, 2)]
        await asyncio.sleep(0)
        one._seconds_per_row = 1.5 * MAX_WAIT_S / INLINE_ROWS
        late.append(one.is_late)
        assert await asyncio.gather(*working) == [2, 4]
        assert [*late, one.is_late] == [False, True, False]
        assert one._seconds_per_row < 1.5 * MAX_WAIT_S / INLINE_ROWS  # a double takes less
        assert scorer.calls == [[1], [2]]
        one.close()

    run_loop(run())
