"""Progress of trainings in the terminal: steps, rows per second, remaining time, the loss and the last evaluation."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text


class ProgressBoard:
    """One line per running training, for any number of them at a time; finished ones become a line of text above.

    Calling the board with a title makes the `train.task.Progress` of one training. Use it as a context manager.

    Args:
        console: where it is drawn; standard error unless told otherwise.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            TaskProgressColumn(),
            TextColumn("{task.fields[speed]}"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[loss]} {task.fields[metric]}"),
            console=console or Console(stderr=True),
            expand=True,
        )

    def __call__(self, title: str) -> ProgressBar:
        """The display of one training."""
        return ProgressBar(title, self._bars)

    def __enter__(self) -> ProgressBoard:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()


class ProgressBar:
    """The line of one training on a `ProgressBoard`."""

    def __init__(self, title: str, bars: Progress) -> None:
        self._title, self._bars = title, bars
        self._rows = 0
        self._started = 0.0
        self._metrics: Mapping[str, float] = {}
        self._task = TaskID(0)

    def start(self, *, total_steps: int, step: int) -> None:
        """Draws the bar at `step` of `total_steps`."""
        self._rows, self._started = 0, time.monotonic()
        self._task = self._bars.add_task(self._title, total=total_steps, completed=step, speed="", loss="", metric="")

    def advance(self, *, rows: int, loss: float, steps: int = 1) -> None:
        """Moves the bar on."""
        self._rows += rows
        speed = self._rows / max(time.monotonic() - self._started, 1e-9)
        self._bars.update(self._task, advance=steps, speed=f"{speed:,.0f} rows/s", loss=f"loss {loss:.4f}")

    def evaluated(self, metrics: Mapping[str, float]) -> None:
        """Shows the first metric of the last evaluation."""
        self._metrics = metrics
        self._bars.update(self._task, metric=self._shown())

    def stop(self) -> None:
        """Replaces the bar by one line about the training."""
        self._bars.remove_task(self._task)
        seconds = time.monotonic() - self._started
        self._bars.console.print(Text(f"{self._title}: {self._shown() or 'stopped'} after {seconds:.0f} s"))

    def _shown(self) -> str:
        return next((f"{name} {value:.4f}" for name, value in self._metrics.items()), "")
