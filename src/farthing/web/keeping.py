"""What was made last, kept in memory up to a limit."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable


class KeptBytes:
    """Bytes by key; those used longest ago go first. May be used from several threads."""

    def __init__(self, limit: int) -> None:
        """Args: limit: how many bytes are kept in all."""
        self._limit = limit
        self._kept: OrderedDict[Hashable, bytes] = OrderedDict()
        self._num_bytes = 0
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], bytes]) -> bytes:
        """What is kept under `key`, or what `make` gives, which is kept from then on.

        Two threads that miss the same key both make it: neither waits for the other.
        """
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        made = make()
        with self._lock:
            self._num_bytes += len(made) - len(self._kept.pop(key, b""))
            self._kept[key] = made
            while self._num_bytes > self._limit:
                _, oldest = self._kept.popitem(last=False)
                self._num_bytes -= len(oldest)
        return made
