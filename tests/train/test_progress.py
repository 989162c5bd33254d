"""What the terminal shows."""

from __future__ import annotations

import io

from rich.console import Console

from farthing.train.progress import ProgressBar
from farthing.train.task import Progress


def test_shows_steps_speed_loss_and_metrics() -> None:
    output = io.StringIO()
    bar: Progress = ProgressBar("int4", Console(file=output, width=120, force_terminal=True, color_system=None))
    bar.start(total_steps=10, step=3)
    bar.advance(rows=1000, loss=0.51234)
    bar.evaluated({"auc": 0.98432})
    bar.stop()
    text = output.getvalue()
    for part in ("int4", "4/10", "rows/s", "loss 0.5123", "auc 0.9843"):
        assert part in text


def test_a_name_is_never_read_as_markup() -> None:
    output = io.StringIO()
    bar = ProgressBar("[red]a[/]", Console(file=output, width=120, force_terminal=True, color_system=None))
    bar.start(total_steps=1, step=0)
    bar.stop()
    assert "[red]a[/]" in output.getvalue()
