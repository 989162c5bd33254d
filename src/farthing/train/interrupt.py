"""Ctrl-C as a request to stop at the next good moment."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupted(KeyboardInterrupt):
    """Ctrl-C came, the state is saved, and the message says how to go on."""


@contextmanager
def catch_interrupt() -> Iterator[threading.Event]:
    """Within the block the first Ctrl-C sets the event that is yielded; a second one acts as it did before.

    Python delivers signals to the main thread only: in any other one, nothing is caught.
    """
    requested = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield requested
        return
    previous = signal.getsignal(signal.SIGINT) or signal.SIG_DFL

    def request(_signal: int, _frame: FrameType | None) -> None:
        requested.set()
        signal.signal(signal.SIGINT, previous)

    signal.signal(signal.SIGINT, request)
    try:
        yield requested
    finally:
        signal.signal(signal.SIGINT, previous)


@contextmanager
def hold_back_interrupt() -> Iterator[None]:
    """Lets the first Ctrl-C within the block act at its end, as it would have.

    For what others wrote in C or Rust: an interruption that is raised inside of it may come out as another error (torch
    and safetensors make a `ValueError` of one).
    """
    requested = threading.Event()
    try:
        with catch_interrupt() as requested:
            yield
    finally:
        if requested.is_set():
            signal.raise_signal(signal.SIGINT)
