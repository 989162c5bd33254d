"""Requests that come at the same time, scored in one call.

A call has a cost of its own, which a single row alone would pay in full. The first small work of a turn of the event
loop is scored at once, so that at low load nothing is late; what else the turn has read, and what comes in while a call
runs, goes into the next call together.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from farthing.serve.requests import too_busy

Work = TypeVar("Work")
Answer = TypeVar("Answer")

INLINE_ROWS = 64
"""So many rows are scored in the event loop itself: handing them to a thread takes longer than scoring them."""
WAITING_BATCHES = 2
MAX_WAIT_S = 0.02
"""The scoring that may wait, by what a row took of late: whoever comes behind it is turned away, and asks elsewhere."""
_KEPT = 0.9


class Gatherer(Generic[Work, Answer]):
    """Hands works to one function, many at a time; belongs to one event loop."""

    def __init__(
        self,
        score: Callable[[Sequence[Work]], Sequence[Answer]],
        *,
        num_rows: Callable[[Work], int],
        max_batch: int,
    ) -> None:
        """Nothing waits.

        Args:
            score: the answers to some works, in their order.
            num_rows: how much a work is.
            max_batch: rows of one call; a work has at most so many.
        """
        self._score, self._num_rows, self._max_batch = score, num_rows, max_batch
        self._waiting: list[tuple[Work, asyncio.Future[Answer]]] = []
        self._waiting_rows = 0
        self._seconds_per_row = 0.0
        self._is_awake = False
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="score")

    @property
    def is_late(self) -> bool:
        """Whether what waits already takes so long that no more should come."""
        return self._waiting_rows * self._seconds_per_row > MAX_WAIT_S

    async def answer(self, work: Work) -> Answer:
        """The answer to one work.

        Raises:
            RefusedError: 503, more is waiting than the next calls take.
        """
        rows = self._num_rows(work)
        if self._waiting and self._waiting_rows + rows > WAITING_BATCHES * self._max_batch:
            raise too_busy()
        loop = asyncio.get_running_loop()
        if not self._is_awake and rows <= INLINE_ROWS:
            self._is_awake = True
            loop.call_soon(self._next)  # for those who come in the same turn
            return self._timed([work])[0]
        future: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append((work, future))
        self._waiting_rows += rows
        if not self._is_awake:
            self._is_awake = True
            # Not at once: what else this turn of the loop has read comes along.
            loop.call_soon(self._next)
        return await future

    def close(self) -> None:
        """Ends the thread after the call that runs."""
        self._thread.shutdown()

    def _next(self) -> None:
        """Scores what waits, up to a batch; afterwards the rest."""
        if not self._waiting:
            self._is_awake = False
            return
        batch, rows = self._take()
        works = [work for work, _ in batch]
        if rows <= INLINE_ROWS:
            try:
                answers = self._timed(works)
            except Exception as error:  # noqa: BLE001  it belongs to those who wait
                _fail(batch, error)
            else:
                _hand_out(batch, answers)
            asyncio.get_running_loop().call_soon(self._next)
            return
        running = asyncio.get_running_loop().run_in_executor(self._thread, self._timed, works)
        running.add_done_callback(lambda done: self._finish(batch, done))

    def _timed(self, works: Sequence[Work]) -> Sequence[Answer]:
        start = time.perf_counter()
        answers = self._score(works)
        latest = (time.perf_counter() - start) / max(1, sum(map(self._num_rows, works)))
        self._seconds_per_row = _KEPT * self._seconds_per_row + (1 - _KEPT) * latest
        return answers

    def _take(self) -> tuple[list[tuple[Work, asyncio.Future[Answer]]], int]:
        rows = end = 0
        for work, _ in self._waiting:
            if end and rows + self._num_rows(work) > self._max_batch:
                break
            rows += self._num_rows(work)
            end += 1
        batch, self._waiting = self._waiting[:end], self._waiting[end:]
        self._waiting_rows -= rows
        # A client that went away needs no answer.
        return [entry for entry in batch if not entry[1].cancelled()], rows

    def _finish(self, batch: list[tuple[Work, asyncio.Future[Answer]]], done: asyncio.Future[Sequence[Answer]]) -> None:
        error = done.exception()
        if error is None:
            _hand_out(batch, done.result())
        else:
            _fail(batch, error)
        self._next()


def _hand_out(batch: Sequence[tuple[object, asyncio.Future[Answer]]], answers: Sequence[Answer]) -> None:
    for (_, future), answer in zip(batch, answers, strict=True):
        if not future.done():
            future.set_result(answer)


def _fail(batch: Sequence[tuple[object, asyncio.Future[Answer]]], error: BaseException) -> None:
    for _, future in batch:
        if not future.done():
            future.set_exception(error)
