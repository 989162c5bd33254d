"""Features survive eight bits almost unchanged, one bit in rank order, and damaged codes are refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from farthing.base.errors import DataError, FormatError
from farthing.discover.codes import FeatureBits, FeatureCodes, encode, rounded
from farthing.discover.features import unit_length
from farthing.discover.problem import Features


def draw(n: int, dim: int, seed: int = 0) -> Features:
    return unit_length(np.random.default_rng(seed).standard_normal((n, dim)))


@pytest.mark.parametrize(("bits", "num_bytes"), [(8, 50 * 20 + 160), (1, 50 * 3 + 160)])
def test_codes_take_their_bits(bits: FeatureBits, num_bytes: int) -> None:
    assert bits != 32
    assert encode(draw(50, 20), bits).num_bytes == num_bytes


@given(st.integers(1, 40), st.integers(1, 33), st.sampled_from([8, 1]))
def test_decoded_features_have_length_one(n: int, dim: int, bits: FeatureBits) -> None:
    decoded = rounded(draw(n, dim), bits)
    assert decoded.shape == (n, dim)
    np.testing.assert_allclose(np.linalg.norm(decoded, axis=1), 1, atol=1e-5)


def test_eight_bits_are_off_by_half_a_level_at_most() -> None:
    features = draw(500, 64)
    codes = encode(features, 8)
    half = (features.max(0) - features.min(0)) / 255 / 2
    values = codes.packed.numpy().astype(np.float32) - 128
    error = np.abs(values * codes.scale.numpy() + codes.offset.numpy() - features)
    assert (error <= half * 1.001 + 1e-7).all()


def test_neighbours_stay_neighbours() -> None:
    features = draw(400, 64)
    close = unit_length(features + 0.03 * draw(400, 64, seed=1))
    for bits, least in ((8, 1.0), (1, 0.99)):
        codes = rounded(np.concatenate([features, close]), bits)  # type: ignore[arg-type]
        found = (codes[:400] @ codes[400:].T).argmax(1) == np.arange(400)
        assert found.mean() >= least, bits


def test_one_bit_halves_every_dimension_even_off_centre() -> None:
    features = unit_length(draw(101, 16) + 0.5)
    codes = encode(features, 1)
    is_set = np.unpackbits(codes.packed.numpy(), axis=1).mean(0)
    assert ((is_set > 0.45) & (is_set < 0.55)).all()


def test_32_bits_change_nothing() -> None:
    features = draw(3, 4)
    assert rounded(features, 32) is features


def test_what_cannot_be_encoded() -> None:
    with pytest.raises(DataError, match="n >= 1"):
        encode(np.zeros((0, 3), np.float32), 8)


def test_damaged_codes_are_refused() -> None:
    scale = torch.ones(9)
    with pytest.raises(FormatError, match="do not hold 9 codes"):
        FeatureCodes(bits=1, packed=torch.zeros(4, 1, dtype=torch.uint8), scale=scale, offset=scale)
    with pytest.raises(FormatError, match="must be zero"):
        FeatureCodes(bits=1, packed=torch.full((4, 2), 255, dtype=torch.uint8), scale=scale, offset=scale)
