"""10: reviewers whose process is killed between two decisions, or within one."""

from __future__ import annotations

import os
import signal
import time
from itertools import count
from pathlib import Path

from farthing.results.rows import PageRow
from farthing.results.store import Store
from tests.soak.outcome import Budget, Outcome

PAGES = tuple(f"book/{number}.jpg" for number in range(5))


def reviews_are_never_lost(budget: Budget, folder: Path) -> Outcome:
    """SIGKILL while decisions are written; every acknowledged one must be in the history, the last one in force."""
    path = folder / "store.sqlite"
    with Store.create(path, contains=["stamp"], threshold=0.5) as store:
        store.add_pages((PageRow(page=page, document="book", width=9, height=9, score=0.5), []) for page in PAGES)
    kills = acknowledged = lost = 0
    for _ in budget.rounds():
        with Store.open(path) as store:
            before = sum(1 for _ in store.history())
        said, was_killed = _killed_reviewer(path, budget.random.uniform(0.002, 0.1))
        kills += was_killed
        acknowledged += said
        with Store.open(path) as store:
            history = list(store.history())
            in_force = store.decisions()
        lost += max(0, before + said - len(history))
        expected = {decision.page: decision.contains for decision in history}
        lost += expected != in_force
    two_tabs = _two_tabs(path)
    figure = (
        f"{kills:,} real SIGKILLs among {acknowledged:,} acknowledged decisions: {lost} lost; of two tabs the last "
        f"write {'is kept and both are in the history' if two_tabs else 'is not what is kept'}"
    )
    return Outcome(figure, not lost and kills > 0 and two_tabs)


def _killed_reviewer(path: Path, seconds: float) -> tuple[int, bool]:
    """How many decisions a forked process had acknowledged when it was killed, and whether it was."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        store = Store.open(path)
        for number in count():
            store.decide(PAGES[number % len(PAGES)], contains=number % 3 > 0, made_by="review")
            os.write(writer, b".")
    os.close(writer)
    first = os.read(reader, 1)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    said = len(first)
    while block := os.read(reader, 1 << 16):
        said += len(block)
    os.close(reader)
    return said, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL


def _two_tabs(path: Path) -> bool:
    """Whether of two reviewers of one page the last counts, and the history has both."""
    with Store.open(path) as one, Store.open(path) as other:
        before = sum(1 for _ in one.history())
        one.decide(PAGES[0], contains=True, made_by="review")
        other.decide(PAGES[0], contains=False, made_by="review")
        return one.decisions()[PAGES[0]] is False and sum(1 for _ in other.history()) == before + 2
