"""Which rows are for training, validation and test."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

Codes = npt.NDArray[np.uint8]


class Splitter:
    """Gives rows their split by position, whatever blocks they come in."""

    def __init__(
        self, fractions: tuple[float, float, float], *, order: Literal["file", "random"], seed: int, num_rows: int
    ) -> None:
        """Settles the split of `num_rows` rows.

        Args:
            fractions: of rows for train, valid and test.
            order: "file" cuts the rows in their order; "random" draws every row's split from its number and `seed`.
            seed: of the random order.
            num_rows: all rows.
        """
        self._bounds = np.cumsum(fractions)[:2]
        self._ends = np.rint(self._bounds * num_rows).astype(np.int64)
        self._order = order
        self._seed = seed

    def split(self, first_row: int, num_rows: int) -> Codes:
        """The splits (positions in SPLITS) of rows `first_row` to `first_row + num_rows`."""
        rows = np.arange(first_row, first_row + num_rows, dtype=np.uint64)
        if self._order == "file":
            return np.searchsorted(self._ends, rows.astype(np.int64), side="right").astype(np.uint8)
        return np.searchsorted(self._bounds, _uniform(rows, self._seed), side="right").astype(np.uint8)


def _uniform(rows: npt.NDArray[np.uint64], seed: int) -> npt.NDArray[np.float64]:
    """A number in [0, 1) for each row, from nothing but `seed` and the row's number.

    Source: the output function of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014, https://doi.org/10.1145/2660193.2660195),
    whose state after n steps is seed + n * 0x9E3779B97F4A7C15; the seed is spread by one step of its own.
    """
    start = _mix(np.array([seed % 2**64], dtype=np.uint64))
    return (_mix(start + rows * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _mix(state: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))
