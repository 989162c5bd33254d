from __future__ import annotations

import threading

from farthing.web.keeping import KeptBytes


def test_what_was_used_longest_ago_goes_first() -> None:
    made: list[str] = []

    def make(key: str) -> bytes:
        made.append(key)
        return key.encode() * 10

    kept = KeptBytes(20)
    for key in "abacab":
        assert kept.get(key, lambda key=key: make(key)) == key.encode() * 10  # type: ignore[misc]
    assert made == list("abcb")


def test_what_is_larger_than_the_limit_is_given_and_not_kept() -> None:
    kept = KeptBytes(3)
    assert kept.get("a", lambda: b"12345") == b"12345"
    assert kept.get("a", lambda: b"again") == b"again"


def test_two_threads_that_make_the_same_leave_one() -> None:
    kept, both = KeptBytes(4), threading.Barrier(2)

    def make() -> bytes:
        both.wait(timeout=10)
        return b"1234"

    threads = [threading.Thread(target=kept.get, args=("a", make)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert kept.get("a", lambda: b"") == b"1234"
