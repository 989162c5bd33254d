"""A change is made once per key, however often it is sent."""

from __future__ import annotations

import threading

import pytest

from farthing.web.answers import Answers


class Counter:
    """A change that answers how often it was made."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> bytes:
        self.count += 1
        return str(self.count).encode()


def test_the_first_answer_is_given_again() -> None:
    answers, change = Answers(), Counter()
    assert [answers.get(key, change) for key in ("a", "a", "b", "a")] == [b"1", b"1", b"2", b"1"]


@pytest.mark.parametrize("key", [None, "", "x" * 65])
def test_without_a_usable_key_nothing_is_remembered(key: str | None) -> None:
    answers, change = Answers(), Counter()
    assert [answers.get(key, change) for _ in range(2)] == [b"1", b"2"]


def test_a_change_that_failed_may_be_tried_again() -> None:
    answers, change = Answers(), Counter()

    def fail() -> bytes:
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        answers.get("a", fail)
    assert answers.get("a", change) == b"1"


def test_only_so_many_are_remembered() -> None:
    answers, change = Answers(), Counter()
    for number in range(1001):
        answers.get(str(number), change)
    assert answers.get("1000", change) == b"1001"
    assert answers.get("0", change) == b"1002"


def test_one_key_from_many_threads_is_one_change() -> None:
    answers, change = Answers(), Counter()
    threads = [threading.Thread(target=answers.get, args=("a", change)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert change.count == 1
