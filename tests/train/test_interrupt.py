"""Ctrl-C is a request once, and an interruption the second time."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from farthing.train.interrupt import catch_interrupt


def test_the_first_ctrl_c_is_a_request_and_the_second_interrupts() -> None:
    def press_twice() -> None:
        with catch_interrupt() as requested:
            assert not requested.is_set()
            os.kill(os.getpid(), signal.SIGINT)
            assert requested.is_set()
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        press_twice()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_another_thread_leaves_signals_alone() -> None:
    handlers: list[object] = []

    def work() -> None:
        with catch_interrupt() as requested:
            handlers.append(signal.getsignal(signal.SIGINT))
            assert not requested.is_set()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert handlers == [signal.default_int_handler]
