from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.recommend.splitting import Splitter


def _split(order: Literal["file", "random"], num_rows: int, *, seed: int = 0) -> Splitter:
    return Splitter((0.8, 0.1, 0.1), order=order, seed=seed, num_rows=num_rows)


def test_file_order_by_hand() -> None:
    assert _split("file", 10).split(0, 10).tolist() == [0] * 8 + [1, 2]
    assert _split("file", 15).split(10, 5).tolist() == [0, 0, 1, 1, 2]


@given(st.sampled_from(["file", "random"]), st.integers(1, 300), st.integers(0, 300), st.integers(0, 2**64 - 1))
def test_blocks_do_not_matter(order: Literal["file", "random"], num_rows: int, cut: int, seed: int) -> None:
    splitter = _split(order, num_rows, seed=seed)
    cut = min(cut, num_rows)
    parts = np.concatenate([splitter.split(0, cut), splitter.split(cut, num_rows - cut)])
    assert (splitter.split(0, num_rows) == parts).all()


def test_random_order_keeps_the_fractions_and_depends_on_the_seed() -> None:
    first, second = (_split("random", 100_000, seed=seed).split(0, 100_000) for seed in (0, 1))
    assert np.bincount(first) / 100_000 == pytest.approx([0.8, 0.1, 0.1], abs=0.005)
    assert np.mean(first == second) == pytest.approx(0.8**2 + 2 * 0.1**2, abs=0.01)


def test_random_order_is_frozen() -> None:
    splits = _split("random", 40, seed=3).split(0, 40)
    assert "".join(map(str, splits)) == "1100100000220000000020000000002020001000"
