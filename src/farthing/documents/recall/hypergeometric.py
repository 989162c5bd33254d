"""The hypergeometric distribution on arrays: how many marked balls are drawn, without replacement."""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Counts: TypeAlias = npt.NDArray[np.int64]
Probabilities: TypeAlias = npt.NDArray[np.float64]

_SMALL = np.array([math.lgamma(n + 1) for n in range(32)])


def pmf(x: npt.ArrayLike, *, total: npt.ArrayLike, marked: npt.ArrayLike, drawn: npt.ArrayLike) -> Probabilities:
    """The probability of exactly `x` marked among `drawn` of `total` balls of which `marked` are marked.

    C(marked, x) C(total - marked, drawn - x) / C(total, drawn), and 0 outside the support. The arguments broadcast.
    """
    found, size, special, num = np.broadcast_arrays(
        *(np.asarray(value, np.int64) for value in (x, total, marked, drawn))
    )
    is_possible = (found >= 0) & (found <= special) & (found <= num) & (num - found <= size - special)
    inside = np.where(is_possible, found, np.maximum(0, num + special - size))
    log = _log_choose(special, inside) + _log_choose(size - special, num - inside) - _log_choose(size, num)
    return np.where(is_possible, np.exp(log), 0.0)


def lower_tail(x: npt.ArrayLike, *, total: npt.ArrayLike, marked: npt.ArrayLike, drawn: npt.ArrayLike) -> Probabilities:
    """The probability of at most `x` marked balls. The arguments broadcast.

    Summed away from the mean, so that terms only fall: below it the tail itself, above it one minus the other tail.
    """
    found, size, special, num = np.broadcast_arrays(
        *(np.asarray(value, np.int64) for value in (x, total, marked, drawn))
    )
    is_low = found * np.maximum(size, 1) <= num * special
    # The upper tail of the marked balls is the lower tail of those that are not.
    wanted = np.where(is_low, found, num - found - 1)
    kind = np.where(is_low, special, size - special)
    tail = _fall_from(wanted, size, kind, num)
    result = np.where(is_low, tail, 1.0 - tail)
    result = np.where(found < np.maximum(0, num + special - size), 0.0, result)
    return np.clip(np.where(found >= np.minimum(num, special), 1.0, result), 0.0, 1.0)


def _fall_from(x: Counts, total: Counts, marked: Counts, drawn: Counts) -> Probabilities:
    """The sum of the probabilities of x, x - 1, ..., where x is at most about the mean."""
    term = pmf(x, total=total, marked=marked, drawn=drawn)
    result = term.copy()
    at = x.astype(np.float64)
    rest = (total - marked - drawn).astype(np.float64)
    while bool((term > 1e-17).any()):
        term = term * np.maximum(at, 0) * (rest + at) / ((marked - at + 1) * (drawn - at + 1))
        result = result + term
        at = at - 1
    return result


def _log_choose(size: Counts, num: Counts) -> Probabilities:
    return log_factorial(size) - log_factorial(num) - log_factorial(size - num)


def log_factorial(n: Counts) -> Probabilities:
    """The logarithm of n!: a table below 32, then Stirling's series, whose fourth term is below 1e-14 there."""
    large = np.maximum(n, len(_SMALL)).astype(np.float64)
    series = 1 / (12 * large) - 1 / (360 * large**3) + 1 / (1260 * large**5)
    stirling = large * np.log(large) - large + 0.5 * np.log(2 * np.pi * large) + series
    return np.asarray(np.where(n < len(_SMALL), _SMALL[np.clip(n, 0, len(_SMALL) - 1)], stirling))
