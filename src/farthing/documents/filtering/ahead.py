"""Work on many things in a few threads, a few steps ahead of whoever takes the results, in order and in flat memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


def work_ahead(work: Callable[[A], B], things: Iterable[A], *, workers: int, ahead: int) -> Iterator[tuple[A, B]]:
    """Yields (thing, work(thing)) in the order of the things.

    Args:
        work: what each thread calls; an error in it is raised where its result would have come.
        things: what is worked on; taken one at a time, by the caller's thread.
        workers: threads.
        ahead: results, done or under way, that wait at most.
    """
    # Not in a `with`, which would wait for the threads: results that are not read to the end are let go of by the
    # garbage collector, wherever that runs, even where a thread is being started, and waiting there never ends.
    pool = ThreadPoolExecutor(workers, thread_name_prefix="ahead")
    waiting: deque[tuple[A, Future[B]]] = deque()
    try:
        for thing in things:
            waiting.append((thing, pool.submit(work, thing)))
            if len(waiting) >= ahead:
                done, result = waiting.popleft()
                yield done, result.result()
        while waiting:
            done, result = waiting.popleft()
            yield done, result.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
