"""Ctrl-C is a request once, and an interruption the second time."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from farthing.train.interrupt import catch_interrupt, hold_back_interrupt


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


def test_what_is_held_back_interrupts_at_the_end_of_the_block() -> None:
    done = []

    def press() -> None:
        with hold_back_interrupt():
            os.kill(os.getpid(), signal.SIGINT)
            done.append("block")
        done.append("after")

    with pytest.raises(KeyboardInterrupt):
        press()
    assert done == ["block"]


def test_what_is_held_back_within_a_block_that_catches_is_its_request() -> None:
    with catch_interrupt() as requested:
        with hold_back_interrupt():
            os.kill(os.getpid(), signal.SIGINT)
            assert not requested.is_set()
        assert requested.is_set()


def test_an_error_in_the_block_does_not_hide_ctrl_c() -> None:
    def fail() -> None:
        with hold_back_interrupt():
            os.kill(os.getpid(), signal.SIGINT)
            raise ValueError

    with pytest.raises(KeyboardInterrupt):
        fail()
