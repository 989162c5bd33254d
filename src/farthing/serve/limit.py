"""How many requests may be answered at the same time: fewer as soon as they make each other late.

Source: additive increase, multiplicative decrease, Chiu and Jain, https://doi.org/10.1016/0169-7552(89)90019-6, as
    servers
    that shed load use it (https://github.com/Netflix/concurrency-limits).
"""

from __future__ import annotations

from dataclasses import dataclass, field

LATE_S = 0.004
"""Requests that take so long on the average, from when they were read to their answers, meet too many others."""
FEWEST = 8
_DECREASE = 0.98
_KEPT = 0.9


@dataclass(slots=True)
class Limit:
    """See the module.

    Attributes:
        most: requests at a time while none is late, >= 1.
    """

    most: int
    _now: float = field(init=False)
    _mean_s: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self._now = self.most

    def admits(self, num_inside: int) -> bool:
        """Whether one more may come to those that are inside."""
        return num_inside < self._now

    def learn(self, seconds: float) -> None:
        """Takes the time that one request took, from when it was read to its answer."""
        self._mean_s = _KEPT * self._mean_s + (1 - _KEPT) * seconds
        if self._mean_s > LATE_S:
            self._now = max(min(FEWEST, self.most), _DECREASE * self._now)
        else:
            self._now = min(self.most, self._now + 1 / self._now)
