"""A progress bar for the terminal: steps, rows per second, remaining time, the loss and the last evaluation."""

from __future__ import annotations

import time
from collections.abc import Mapping

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn


class ProgressBar:
    """A `train.task.Progress` drawn by rich, to standard error unless told otherwise.

    Args:
        description: what is trained, at the left of the bar.
        console: where it is drawn.
    """

    def __init__(self, description: str = "train", console: Console | None = None) -> None:
        self._description = description
        self._rows = 0
        self._started = 0.0
        self._task = TaskID(0)
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[speed]}", markup=False),
            TimeRemainingColumn(),
            TextColumn("{task.fields[loss]} {task.fields[metrics]}", markup=False),
            console=console or Console(stderr=True),
        )

    def start(self, *, total_steps: int, step: int) -> None:
        """Draws the bar at `step` of `total_steps`."""
        self._rows, self._started = 0, time.monotonic()
        self._task = self._bar.add_task(
            self._description, total=total_steps, completed=step, speed="", loss="", metrics=""
        )
        self._bar.start()

    def advance(self, *, rows: int, loss: float) -> None:
        """Moves the bar by one step."""
        self._rows += rows
        speed = self._rows / max(time.monotonic() - self._started, 1e-9)
        self._bar.update(self._task, advance=1, speed=f"{speed:,.0f} rows/s", loss=f"loss {loss:.4f}")

    def evaluated(self, metrics: Mapping[str, float]) -> None:
        """Shows the metrics of the last evaluation."""
        self._bar.update(self._task, metrics=" ".join(f"{name} {value:.4f}" for name, value in metrics.items()))

    def stop(self) -> None:
        """Leaves the bar as it stands."""
        self._bar.stop()
