"""Answers to changes, remembered for when they are asked for again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

_MOST_KEPT = 1000
_LONGEST_KEY = 64


class Answers:
    """Makes each change once: a request that comes again under its key gets the answer of the first time.

    A browser that lost an answer sends its change again. A decision made twice would do no harm, but an undo made twice
    would take back one decision too many.
    """

    def __init__(self) -> None:
        self._answers: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str | None, change: Callable[[], bytes]) -> bytes:
        """What `change` answers, or answered; changes happen one at a time.

        Args:
            key: names the request; None, or an overlong one, is never remembered.
            change: raises what it likes; then nothing is remembered.
        """
        with self._lock:
            if key is not None and key in self._answers:
                return self._answers[key]
            answer = change()
            if key and len(key) <= _LONGEST_KEY:
                self._answers[key] = answer
                if len(self._answers) > _MOST_KEPT:
                    self._answers.popitem(last=False)
            return answer
