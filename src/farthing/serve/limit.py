"""How many requests may be answered at the same time: fewer as soon as they make each other late, and not before.

A server that stood still for some milliseconds finds all who came meanwhile at once. They are late, and soon answered:
turning others away helps nobody. Only where requests have been late for longer is it crowded; then each late one lowers
the number, until they have been on time for as long.

Sources: additive increase, multiplicative decrease, Chiu and Jain, https://doi.org/10.1016/0169-7552(89)90019-6, as
    servers that shed load use it (https://github.com/Netflix/concurrency-limits); queues that stay, Nichols and
    Jacobson, Controlling Queue Delay, https://queue.acm.org/detail.cfm?id=2209336.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

LATE_S = 0.004
"""Requests that take so long on the average, from when they were read to their answers, meet too many others."""
CROWDED_S = 0.1
"""So long requests are late before there are to be fewer, and on time before this may happen again."""
FEWEST = 8
_DECREASE = 0.98
_KEPT = 0.9


@dataclass(slots=True)
class Limit:
    """See the module.

    Attributes:
        most: requests at a time while none is late, >= 1.
        clock: seconds.
    """

    most: int
    clock: Callable[[], float] = time.monotonic
    _now: float = field(init=False)
    _mean_s: float = field(init=False, default=0.0)
    _is_crowded: bool = field(init=False, default=False)
    _turned_at: float | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self._now = self.most

    def admits(self, num_inside: int) -> bool:
        """Whether one more may come to those that are inside."""
        return num_inside < self._now

    def learn(self, seconds: float) -> None:
        """Takes the time that one request took, from when it was read to its answer."""
        self._mean_s = _KEPT * self._mean_s + (1 - _KEPT) * seconds
        is_late = self._mean_s > LATE_S
        self._judge(is_late)
        if not is_late:
            self._now = min(self.most, self._now + 1 / self._now)
        elif self._is_crowded:
            self._now = max(min(FEWEST, self.most), _DECREASE * self._now)

    def _judge(self, is_late: bool) -> None:
        """Crowded is what has been late for a while, until it has been on time for a while."""
        if is_late == self._is_crowded:
            self._turned_at = None
        elif self._turned_at is None:
            self._turned_at = self.clock()
        elif self.clock() - self._turned_at > CROWDED_S:
            self._is_crowded, self._turned_at = is_late, None
