"""Numeric columns: a logarithm against their long tails, then mean 0 and standard deviation 1 over training rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from farthing.recommend.manifest import DenseStatistics

_CHUNK_ROWS = 65_536
_SMALLEST_RELATIVE_VARIANCE = 1e-10

Matrix = npt.NDArray[np.float32]


def log_transform(name: str) -> pl.Expr:
    """sign(x) log(1 + |x|) of a column, Float32; null stays null."""
    column = pl.col(name)
    return column.sign() * column.abs().log1p()


def standardise(frame: pl.DataFrame, statistics: Sequence[DenseStatistics]) -> pl.DataFrame:
    """The columns `dense_0`... as (x - mean) / std, Float32, with 0 for a missing one."""
    return frame.with_columns(
        ((pl.col(f"dense_{i}").cast(pl.Float64) - column.mean) / column.std).cast(pl.Float32).fill_null(0.0)
        for i, column in enumerate(statistics)
    )


def dense_matrix(frame: pl.DataFrame) -> Matrix:
    """The columns `dense_0`... as [rows, num_dense]; NaN where missing."""
    names = [name for name in frame.columns if name.startswith("dense_")]
    if not names:
        return np.zeros((frame.height, 0), dtype=np.float32)
    return frame.select(names).to_numpy(order="c")


class Moments:
    """Sums over numeric columns that do not depend on how the rows come in pieces.

    Floating-point sums depend on the order of addition, so rows are held back and added in chunks of a fixed size.
    """

    def __init__(self, num_dense: int) -> None:
        """Nothing added yet."""
        self._held = np.zeros((0, num_dense), dtype=np.float32)
        self._sums = np.zeros((3, num_dense))

    def add(self, rows: Matrix) -> None:
        """Adds rows, [n, num_dense] with NaN for missing numbers."""
        held = np.concatenate([self._held, rows])
        end = len(held) - len(held) % _CHUNK_ROWS
        for start in range(0, end, _CHUNK_ROWS):
            self._sums += _moments(held[start : start + _CHUNK_ROWS])
        self._held = held[end:]

    def statistics(self, names: Sequence[str]) -> tuple[DenseStatistics, ...]:
        """Mean and standard deviation of each column; 0 and 1 where it has no number, and 1 where all are the same."""
        counts, sums, squares = self._sums + _moments(self._held)
        means = sums / np.maximum(counts, 1.0)
        mean_squares = squares / np.maximum(counts, 1.0)
        variances = mean_squares - means**2
        stds = np.where(variances > _SMALLEST_RELATIVE_VARIANCE * mean_squares, np.sqrt(np.abs(variances)), 1.0)
        return tuple(
            DenseStatistics(name=name, mean=mean, std=std)
            for name, mean, std in zip(names, means.tolist(), stds.tolist(), strict=True)
        )


def _moments(rows: Matrix) -> npt.NDArray[np.float64]:
    """[3, num_dense]: how many numbers there are, their sum, and the sum of their squares."""
    numbers = rows.astype(np.float64, order="C")  # the memory layout decides the order of addition
    known = ~np.isnan(numbers)
    numbers[~known] = 0.0
    return np.stack([known.sum(axis=0), numbers.sum(axis=0), np.square(numbers).sum(axis=0)])
