from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.recommend import standardise as module
from farthing.recommend.manifest import DenseStatistics
from farthing.recommend.standardise import Moments, dense_matrix, log_transform, standardise


def test_log_transform_by_hand() -> None:
    frame = pl.DataFrame({"x": [0.0, math.e - 1, 1 - math.e, None]}, schema={"x": pl.Float32})
    assert frame.select(log_transform("x"))["x"].to_list() == [0.0, pytest.approx(1.0), pytest.approx(-1.0), None]


def test_standardise_by_hand() -> None:
    frame = pl.DataFrame({"dense_0": [1.0, 5.0, None]}, schema={"dense_0": pl.Float32})
    standard = standardise(frame, [DenseStatistics(name="x", mean=3.0, std=2.0)])
    assert standard["dense_0"].to_list() == [-1.0, 1.0, 0.0]
    assert standard.schema["dense_0"] == pl.Float32


def test_dense_matrix_keeps_the_number_of_rows_without_columns() -> None:
    assert dense_matrix(pl.DataFrame({"label": [1, 0]})).shape == (2, 0)
    assert dense_matrix(pl.DataFrame({"dense_0": [1.0, None]}, schema={"dense_0": pl.Float32})).shape == (2, 1)


@given(st.lists(st.integers(0, 50), max_size=8), st.integers(0, 2**32 - 1))
def test_moments_are_exactly_the_same_whatever_the_pieces(sizes: list[int], seed: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_CHUNK_ROWS", 16)
        rows = np.random.default_rng(seed).normal(3.0, 2.0, (sum(sizes), 3)).astype(np.float32)
        rows[::5, 1] = np.nan
        whole, pieces = Moments(3), Moments(3)
        whole.add(rows)
        for part in np.split(rows, np.cumsum(sizes)[:-1]) if sizes else []:
            pieces.add(part)
        assert whole.statistics("abc") == pieces.statistics("abc")
    for column, statistics in enumerate(whole.statistics("abc")):
        known = rows[~np.isnan(rows[:, column]), column].astype(np.float64)
        if len(known) > 1:
            assert statistics.mean == pytest.approx(known.mean())
            assert statistics.std == pytest.approx(known.std())


def test_a_column_without_numbers_or_with_one_only_is_left_as_it_is() -> None:
    moments = Moments(2)
    moments.add(np.array([[np.nan, 4.1], [np.nan, 4.1]], dtype=np.float32))
    empty, constant = moments.statistics(["empty", "constant"])
    assert (empty.mean, empty.std) == (0.0, 1.0)
    assert constant.mean == pytest.approx(4.1)
    assert constant.std == 1.0
