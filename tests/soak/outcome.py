"""What a check of a promise is given, and what it answers."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Outcome:
    """What was reached, in one sentence, and whether that keeps the promise."""

    figure: str
    kept: bool


@dataclass
class Budget:
    """The seconds that a check may take, and what it draws at random."""

    seconds: float
    random: random.Random = field(default_factory=lambda: random.Random(6))

    def rounds(self, share: float = 1.0) -> Iterator[int]:
        """Counts from 0 until a share of the seconds has passed; at least one round."""
        end, number = time.monotonic() + share * self.seconds, 0
        while number == 0 or time.monotonic() < end:
            yield number
            number += 1


Check = Callable[[Budget, Path], Outcome]
"""Checks a promise in an empty folder of its own."""


@dataclass(frozen=True)
class Promise:
    """A row of the table.

    Attributes:
        number: by which it is known.
        title: what is promised.
        check: holds the project to it.
        weight: its part of the time, relative to the others'.
        is_sanitized: whether it runs on the build of the extension that notices every access outside (`make sanitize`).
    """

    number: int
    title: str
    check: Check
    weight: float = 1.0
    is_sanitized: bool = False
