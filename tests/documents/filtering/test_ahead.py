"""Results come in order, never many ahead, and errors come in the place of their result."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator

import pytest

from farthing.documents.filtering.ahead import work_ahead


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("ahead", [1, 2, 7, 100])
def test_results_come_in_the_order_of_the_things(workers: int, ahead: int) -> None:
    def work(number: int) -> int:
        time.sleep(0.001 * (number % 3))
        return number * number

    results = list(work_ahead(work, range(20), workers=workers, ahead=ahead))
    assert results == [(number, number * number) for number in range(20)]


def test_never_more_than_asked_are_taken_ahead() -> None:
    taken = 0

    def things() -> Iterator[int]:
        nonlocal taken
        for number in itertools.count():
            taken += 1
            yield number

    for number, _ in work_ahead(lambda thing: thing, things(), workers=2, ahead=5):
        assert taken <= number + 5
        if number == 50:
            break


def test_an_error_comes_in_the_place_of_its_result() -> None:
    results = work_ahead(lambda number: 1 / (number - 3), range(9), workers=2, ahead=8)
    assert [number for number, _ in itertools.islice(results, 3)] == [0, 1, 2]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_threads_end_when_nobody_takes_the_rest() -> None:
    before = set(threading.enumerate())
    results = work_ahead(lambda thing: thing, itertools.count(), workers=3, ahead=6)
    next(results)
    started = set(threading.enumerate()) - before
    results.close()  # type: ignore[attr-defined]  # an iterator that is a generator
    for thread in started:
        thread.join(10)
    assert started
    assert not any(thread.is_alive() for thread in started)


def test_letting_go_of_the_rest_does_not_wait() -> None:
    is_free = threading.Event()

    def work(number: int) -> None:
        if number:
            is_free.wait(10)

    results = work_ahead(work, itertools.count(), workers=1, ahead=3)
    next(results)
    start = time.monotonic()
    results.close()  # type: ignore[attr-defined]  # an iterator that is a generator
    assert time.monotonic() - start < 5
    is_free.set()


def test_nothing_to_do_is_no_error() -> None:
    assert list(work_ahead(str, [], workers=2, ahead=3)) == []
