"""What the terminal shows."""

from __future__ import annotations

import io

from rich.console import Console

from farthing.train.progress import ProgressBoard
from farthing.train.task import Progress


def board() -> tuple[ProgressBoard, io.StringIO]:
    output = io.StringIO()
    return ProgressBoard(Console(file=output, width=120, force_terminal=True, color_system=None)), output


def test_shows_share_speed_loss_and_the_first_metric() -> None:
    bars, output = board()
    with bars:
        bar: Progress = bars("int4, seed 1")
        bar.start(total_steps=10, step=2)
        bar.advance(rows=1000, loss=0.51234)
        bar.advance(rows=3000, loss=0.41234, steps=3)
        bar.evaluated({"auc": 0.98432, "log_loss": 0.2})
    text = output.getvalue()
    for part in ("int4, seed 1", "60%", "rows/s", "loss 0.4123", "auc 0.9843"):
        assert part in text
    assert "log_loss" not in text


def test_a_finished_training_becomes_one_line() -> None:
    bars, output = board()
    with bars:
        for title in ("int4", "int8"):
            bar = bars(title)
            bar.start(total_steps=1, step=0)
            bar.evaluated({"auc": 0.9})
            bar.stop()
        stopped = bars("int2")
        stopped.start(total_steps=1, step=0)
        stopped.stop()
    text = output.getvalue()
    for part in ("int4: auc 0.9000 after 0 s", "int8: auc 0.9000 after 0 s", "int2: stopped after 0 s"):
        assert part in text


def test_a_title_is_never_read_as_markup() -> None:
    bars, output = board()
    with bars:
        bar = bars("[red]a[/]")
        bar.start(total_steps=1, step=0)
        bar.advance(rows=1, loss=1.0)
        bar.stop()
    assert "[red]a[/]: stopped" in output.getvalue()
