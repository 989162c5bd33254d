"""The bar shows stage, pages, speed and failures, and the silent one nothing."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from farthing.documents.filtering.progress import NoProgress, PageBar


def test_the_bar_shows_how_far_the_work_is() -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=110)
    with PageBar(console) as bar:
        bar.advance(3)
        bar.start("filter", total=10, done=4)
        bar.advance(4, failed=2)
        bar.start("crops", total=3)
        bar.advance()
        bar.advance(2)
    text = stream.getvalue()
    assert "crops" in text
    assert "3/3" in text
    assert "pages/s" in text


def test_failed_pages_are_counted() -> None:
    stream = io.StringIO()
    with PageBar(Console(file=stream, force_terminal=True, width=110)) as bar:
        bar.start("filter", total=10, done=4)
        bar.advance(4, failed=2)
        bar.advance(1, failed=1)
    assert "9/10" in stream.getvalue()
    assert "3 unreadable" in stream.getvalue()


def test_silence(capsys: pytest.CaptureFixture[str]) -> None:
    progress = NoProgress()
    progress.start("filter", total=3)
    progress.advance(2, failed=1)
    assert capsys.readouterr() == ("", "")
