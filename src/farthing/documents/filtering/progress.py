"""Progress of work over pages: what the library reports, and its bar in the terminal."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn


class PageProgress(Protocol):
    """Told by work over many pages how far it is; stages follow each other."""

    def start(self, stage: str, *, total: int, done: int = 0) -> None:
        """A stage of `total` pages begins, or goes on after `done` of them."""

    def advance(self, pages: int = 1, *, failed: int = 0) -> None:
        """`pages` more pages are done, `failed` of them could not be read."""


class NoProgress:
    """Shows nothing."""

    def start(self, stage: str, *, total: int, done: int = 0) -> None:
        """Does nothing."""

    def advance(self, pages: int = 1, *, failed: int = 0) -> None:
        """Does nothing."""


class PageBar:
    """The current stage as one line: pages, pages per second, remaining time, how many failed. A context manager.

    Args:
        console: where it is drawn; standard error unless told otherwise.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._bars = Progress(
            TextColumn("{task.description:<7}", markup=False),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[speed]}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[failed]}", style="yellow"),
            console=console or Console(stderr=True),
            expand=True,
        )
        self._task: TaskID | None = None
        self._started, self._pages, self._failed = 0.0, 0, 0

    def __enter__(self) -> PageBar:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def start(self, stage: str, *, total: int, done: int = 0) -> None:
        """Draws a new line for the stage in place of the last one."""
        if self._task is not None:
            self._bars.remove_task(self._task)
        self._started, self._pages, self._failed = time.monotonic(), 0, 0
        self._task = self._bars.add_task(stage, total=total, completed=done, speed="", failed="")

    def advance(self, pages: int = 1, *, failed: int = 0) -> None:
        """Moves the bar on."""
        if self._task is None:
            return
        self._pages, self._failed = self._pages + pages, self._failed + failed
        speed = self._pages / max(time.monotonic() - self._started, 1e-9)
        shown = f"{self._failed:,} unreadable" if self._failed else ""
        self._bars.update(self._task, advance=pages, speed=f"{speed:,.0f} pages/s", failed=shown)
