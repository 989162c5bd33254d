"""Several trainings side by side: one process and one thread each, which two cores do faster than one after the other.

A training gives the same bits whether it runs here alone or beside others.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ProcessPoolExecutor, wait
from dataclasses import dataclass
from multiprocessing.connection import wait as wait_for
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import torch

from farthing.recommend.config import RecommendConfig
from farthing.recommend.dataset import Dataset
from farthing.recommend.runs import train_run
from farthing.train.interrupt import Interrupted
from farthing.train.task import NoProgress, Progress

NewProgress = Callable[[str], Progress]

SECONDS_BETWEEN_REPORTS = 0.2

# (title, method of Progress, its arguments); None ends the stream
_Message = tuple[str, str, dict[str, Any]]  # Any: JSON values


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """One training; a finished run in `folder` is left alone, an interrupted one goes on.

    Attributes:
        teacher: the finished run that it learns from beside the labels.
    """

    title: str
    data: Path
    folder: Path
    config: RecommendConfig
    seed: int
    teacher: Path | None = None


def run_jobs(jobs: Sequence[TrainingJob], *, workers: int, progress: NewProgress | None = None) -> None:
    """Runs all `jobs`, `workers` at a time.

    Args:
        jobs: what to train.
        workers: how many at a time.
        progress: makes the display of one training from its title.

    Raises:
        Interrupted: Ctrl-C; every running training has saved its state, and no other one was started.
        FarthingError: what a failing training raised; those beside it are finished first, and no other one is started.
    """
    context = multiprocessing.get_context("spawn")
    messages: Queue[_Message | None] = context.Queue()
    stopped = context.Event()
    reporter = threading.Thread(target=_report, args=(messages, progress or (lambda _: NoProgress())), daemon=True)
    reporter.start()
    pool = ProcessPoolExecutor(
        min(workers, max(1, len(jobs))), mp_context=context, initializer=_start_worker, initargs=(messages, stopped)
    )
    try:
        with pool:
            futures = [pool.submit(_train, job) for job in jobs]
            try:
                wait(futures, return_when=FIRST_EXCEPTION)
            finally:
                stopped.set()
                pool.shutdown(wait=True, cancel_futures=True)
        for future in futures:
            if not future.cancelled():
                future.result()
    except KeyboardInterrupt as interrupt:
        raise Interrupted("every training has saved its state; run the same command again to go on") from interrupt
    finally:
        messages.put(None)
        reporter.join()


def _report(messages: Queue[_Message | None], progress: NewProgress) -> None:
    """Passes what the workers say on to one display per training."""
    shown: dict[str, Progress] = {}
    while (message := messages.get()) is not None:
        title, method, arguments = message
        if title not in shown:
            shown[title] = progress(title)
        getattr(shown[title], method)(**arguments)


_messages: Queue[_Message | None]
_stopped: Event


def _start_worker(messages: Queue[_Message | None], stopped: Event) -> None:
    global _messages, _stopped  # the only way to hand these to the functions of a worker process
    _messages, _stopped = messages, stopped
    torch.set_num_threads(1)
    threading.Thread(target=_die_with_parent, daemon=True).start()


def _die_with_parent() -> None:
    """Ends this process when the one that started it is gone, however that died.

    An orphan would train on, in the folder of a run that someone may meanwhile have started again. What it has saved is
    whole at any moment.
    """
    parent = multiprocessing.parent_process()
    assert parent is not None, "a worker has a parent"
    wait_for([parent.sentinel])
    os._exit(1)


def _train(job: TrainingJob) -> None:
    """Trains, unless another training has failed or was interrupted: a worker is given its next job before that."""
    if _stopped.is_set():
        return
    try:
        train_run(
            Dataset.open(job.data),
            job.config,
            folder=job.folder,
            seed=job.seed,
            teacher=job.teacher,
            resume=True,
            progress=_Forwarded(job.title, _messages),
        )
    except BaseException:
        _stopped.set()
        raise


class _Forwarded:
    """A `Progress` that sends what it is told to the process that shows it, a few times a second."""

    def __init__(self, title: str, messages: Queue[_Message | None]) -> None:
        self._title, self._messages = title, messages
        self._steps = self._rows = 0
        self._sent = time.monotonic()

    def start(self, *, total_steps: int, step: int) -> None:
        self._send("start", total_steps=total_steps, step=step)

    def advance(self, *, rows: int, loss: float, steps: int = 1) -> None:
        self._steps += steps
        self._rows += rows
        if time.monotonic() - self._sent >= SECONDS_BETWEEN_REPORTS:
            self._send("advance", rows=self._rows, loss=loss, steps=self._steps)
            self._steps = self._rows = 0
            self._sent = time.monotonic()

    def evaluated(self, metrics: Mapping[str, float]) -> None:
        self._send("evaluated", metrics=dict(metrics))

    def stop(self) -> None:
        self._send("stop")

    def _send(self, method: str, **arguments: object) -> None:
        with contextlib.suppress(OSError):  # the other process may be going away on Ctrl-C
            self._messages.put((self._title, method, arguments))
