"""Dot products of all pairs of a sample's vectors: right, and the same bits in every tier."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.lowbit import native

EXTENSION = native.extension()
TIERS: list[str] = EXTENSION.usable_tiers() if EXTENSION else []

Floats = npt.NDArray[np.float32]

pytestmark = pytest.mark.skipif(EXTENSION is None, reason="the native extension is not built (make install)")


def interact(first: Floats | None, rest: Floats) -> Floats:
    num_vectors = rest.shape[1] + (first is not None)
    out = np.full((len(rest), num_vectors * (num_vectors - 1) // 2), np.nan, dtype=np.float32)
    assert EXTENSION is not None
    EXTENSION.interact(first, rest, out)
    return out


@pytest.mark.parametrize("tier", TIERS)
def test_by_hand(tier: str) -> None:
    first = np.array([[1, 2]], dtype=np.float32)
    rest = np.array([[[3, 4], [5, 6], [0, -1]]], dtype=np.float32)
    with native.use_tier(tier):
        assert interact(first, rest).tolist() == [[11, 17, 39, -2, -4, -6]]
        assert interact(None, rest).tolist() == [[39, -4, -6]]
        assert interact(None, rest[:, :1]).tolist() == [[]]


@given(
    batch=st.integers(0, 3),
    num_rest=st.integers(1, 40),
    dim=st.integers(0, 40),
    has_first=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_within_the_bound_and_the_same_in_every_tier(
    batch: int, num_rest: int, dim: int, has_first: bool, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    rest = generator.standard_normal((batch, num_rest, dim), dtype=np.float32)
    first = generator.standard_normal((batch, dim), dtype=np.float32) if has_first else None
    vectors = (rest if first is None else np.concatenate([first[:, None], rest], axis=1)).astype(np.float64)
    i, j = np.tril_indices(vectors.shape[1], -1)
    exact = np.einsum("bpd,bpd->bp", vectors[:, i], vectors[:, j])
    size = np.einsum("bpd,bpd->bp", abs(vectors[:, i]), abs(vectors[:, j]))
    results = []
    for tier in TIERS:
        with native.use_tier(tier):
            results.append(interact(first, rest))
    assert np.all(abs(results[0] - exact) <= dim * 2.0**-24 * size)
    for result in results:
        np.testing.assert_array_equal(result, results[0])


@pytest.mark.parametrize(
    ("first", "rest", "out", "message"),
    [
        ((2, 4), (3, 5, 4), (3, 15), "first must fit rest"),
        ((3, 5), (3, 5, 4), (3, 15), "first must fit rest"),
        (None, (3, 0, 4), (3, 0), "rest must hold a vector"),
        (None, (3, 5, 4), (3, 15), "out must be"),
        (None, (3, 5, 4), (2, 10), "out must be"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(
    first: tuple[int, ...] | None, rest: tuple[int, ...], out: tuple[int, ...], message: str
) -> None:
    assert EXTENSION is not None
    own = None if first is None else np.zeros(first, np.float32)
    with pytest.raises(ValueError, match=message):
        EXTENSION.interact(own, np.zeros(rest, np.float32), np.zeros(out, np.float32))


@pytest.mark.parametrize(
    ("rest", "out"),
    [
        (np.zeros((2, 3, 4), np.float64), np.zeros((2, 3), np.float32)),
        (np.zeros((2, 3, 8), np.float32)[:, :, ::2], np.zeros((2, 3), np.float32)),
        (np.zeros((2, 3, 4), np.float32), np.zeros((2, 6), np.float32)[:, ::2]),
    ],
)
def test_arrays_are_never_converted(rest: object, out: object) -> None:
    assert EXTENSION is not None
    with pytest.raises(TypeError):
        EXTENSION.interact(None, rest, out)
