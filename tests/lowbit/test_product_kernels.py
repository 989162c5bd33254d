"""Products of packed weights: every tier, every pair of widths, bit for bit what plain torch gives."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from farthing.lowbit import native, ops
from farthing.lowbit.levels import Bits
from farthing.lowbit.packing import pack

EXTENSION = native.extension()
TIERS: list[str] = EXTENSION.usable_tiers() if EXTENSION else []
WIDTHS: tuple[Bits, ...] = (8, 4, 2, 1)
BITS = st.sampled_from(WIDTHS)
Floats = npt.NDArray[np.float32]

pytestmark = [
    pytest.mark.native,
    pytest.mark.skipif(EXTENSION is None, reason="the native extension is not built (make install)"),
]


@pytest.fixture
def extension() -> ModuleType:
    assert EXTENSION is not None
    return EXTENSION


def made(codes: torch.Tensor, weight_bits: int, input_bits: int, **changed: Any) -> Any:
    """A native product with a weight of codes [out, in]."""
    assert EXTENSION is not None
    arguments = {
        "codes": pack(codes, weight_bits).numpy(),
        "bits": weight_bits,
        "num_inputs": codes.shape[1],
        "scale": np.ones(1, np.float32),
        "bias": None,
        "activation_scale": 1.0,
        "activation_bits": input_bits,
    }
    return EXTENSION.Product(**(arguments | changed))


def outputs(product: Any, x: Floats, num_outputs: int, num_threads: int = 1) -> Floats:
    out = np.full((len(x), num_outputs), np.nan, np.float32)
    product.linear(x, out, num_threads)
    return out


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize(
    ("bits", "activation_bits", "expected"),
    [
        (8, 8, [-128 * -1 + -127 * 0 + -127 * 3, -127 * -1 + -127 * 0 + -128 * 3]),
        (4, 8, [-8 * -1 + -7 * 0 + -7 * 3, -7 * -1 + -7 * 0 + -8 * 3]),
        (2, 4, [(-3 * -1 + -1 * 0 + -1 * 3) / 2, (-1 * -1 + -1 * 0 + -3 * 3) / 2]),
        (2, 2, [(-3 * -3 + -1 * 1 + -1 * 3) / 4, (-1 * -3 + -1 * 1 + -3 * 3) / 4]),  # -1 - 1/2 is a tie: to -2
        (1, 8, [1 * -1 + -1 * 0 + -1 * 3, -1 * -1 + -1 * 0 + 1 * 3]),
        (1, 1, [1 * -1 + -1 * 1 + -1 * 1, -1 * -1 + -1 * 1 + 1 * 1]),
    ],
)
def test_outputs_by_hand(tier: str, bits: int, activation_bits: int, expected: list[float]) -> None:
    codes = torch.tensor([[0, 1, 1], [1, 1, 0]], dtype=torch.uint8)
    scale, bias = np.full(1, 0.5, np.float32), np.array([10, -10], np.float32)
    product = made(codes, bits, activation_bits, scale=scale, bias=bias)
    with native.use_tier(tier):
        out = outputs(product, np.array([[-1, 0.4, 3]], np.float32), 2)
    assert out.tolist() == [[0.5 * expected[0] + 10, 0.5 * expected[1] - 10]]


def assert_equal_to_torch(
    codes: torch.Tensor, x: torch.Tensor, bits: Bits, activation_bits: Bits, *, has_bias: bool, num_threads: int = 1
) -> None:
    num_outputs = len(codes)
    scale = torch.randn(num_outputs)
    bias = torch.randn(num_outputs) if has_bias else None
    step = torch.tensor([0.3])
    plain = ops.Product.from_codes(
        codes, bits, scale=scale, bias=bias, activation=ops.ActivationScale(step, activation_bits)
    )
    expected = ops.linear(x, plain).numpy()
    product = made(
        codes,
        bits,
        activation_bits,
        scale=scale.numpy(),
        bias=None if bias is None else bias.numpy(),
        activation_scale=float(step),
    )
    for tier in TIERS:
        with native.use_tier(tier):
            out = outputs(product, x.numpy(), num_outputs, num_threads)
        np.testing.assert_array_equal(out, expected, tier)


@given(BITS, BITS, st.integers(0, 9), st.integers(1, 300), st.integers(1, 140), st.booleans(), st.integers(0, 9999))
def test_every_tier_gives_the_bits_of_torch(
    bits: Bits, activation_bits: Bits, num_rows: int, num_inputs: int, num_outputs: int, has_bias: bool, seed: int
) -> None:
    torch.manual_seed(seed)
    codes = torch.randint(0, 2**bits, (num_outputs, num_inputs), dtype=torch.uint8)
    x = torch.randn(num_rows, num_inputs) * 2.0 ** (activation_bits - 3)
    assert_equal_to_torch(codes, x, bits, activation_bits, has_bias=has_bias)


@pytest.mark.parametrize("bits", WIDTHS)
@pytest.mark.parametrize("activation_bits", WIDTHS)
@pytest.mark.parametrize("x", [-1e9, 1e9])
@pytest.mark.parametrize("code", [0, 255])
def test_extreme_codes_saturate_nothing(bits: Bits, activation_bits: Bits, x: float, code: int) -> None:
    codes = torch.full((33, 600), code & (2**bits - 1), dtype=torch.uint8)
    assert_equal_to_torch(codes, torch.full((3, 600), x), bits, activation_bits, has_bias=True)


@given(st.integers(1, 9), st.integers(1, 100), st.integers(1, 40))
def test_inputs_without_negative_ones(num_rows: int, num_inputs: int, num_outputs: int) -> None:
    codes = torch.randint(0, 256, (num_outputs, num_inputs), dtype=torch.uint8)
    x = torch.rand(num_rows, num_inputs) * 60
    assert_equal_to_torch(codes, x, 8, 8, has_bias=True)


@pytest.mark.parametrize("tier", TIERS)
@pytest.mark.parametrize("places", [(0, 1, 4, 5), (2, 3, 6, 7), (8, 9, 12, 13)])
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("last", [0, 1, 4, 5, 127])
def test_sums_at_the_edge_of_16_bits_by_hand(tier: str, places: tuple[int, ...], sign: int, last: int) -> None:
    """127 (127 + 127 + 4) fits 16 bits, 127 (127 + 127 + 5) does not; so below zero. One output of 20 is enough."""
    codes = torch.full((20, 16), 128, dtype=torch.uint8)
    for place, level in zip(places, (127, 127, last, 0), strict=True):
        codes[7, place] = 128 + sign * level
    with native.use_tier(tier):
        out = outputs(made(codes, 8, 8), np.full((5, 16), 127, np.float32), 20)
    expected = np.zeros((5, 20), np.float32)
    expected[:, 7] = 127 * sign * (254 + last)
    np.testing.assert_array_equal(out, expected)


@given(
    st.integers(1, 9),
    st.integers(1, 100),
    st.sampled_from([1, 8, 9, 16, 17, 24, 25, 40]),
    st.floats(0, 120),
    st.sampled_from([0.0, 0.02, 0.5]),
    st.integers(0, 9999),
)
def test_inputs_without_negative_ones_and_weights_as_training_leaves_them(
    num_rows: int, num_inputs: int, num_outputs: int, spread: float, share_of_extremes: float, seed: int
) -> None:
    torch.manual_seed(seed)
    levels = (torch.randn(num_outputs, num_inputs) * spread).round().clamp(-128, 127)
    extremes = torch.where(torch.rand_like(levels) < 0.5, -128.0, 127.0)
    levels = torch.where(torch.rand_like(levels) < share_of_extremes, extremes, levels)
    x = torch.rand(num_rows, num_inputs) * 60
    assert_equal_to_torch((levels + 128).to(torch.uint8), x, 8, 8, has_bias=True)


@pytest.mark.parametrize(("num_rows", "num_inputs", "num_outputs"), [(600, 70, 90), (5, 1030, 1100), (300, 33, 700)])
@pytest.mark.parametrize(("bits", "activation_bits"), [(8, 8), (4, 8), (1, 1)])
def test_threads_change_nothing(
    num_rows: int, num_inputs: int, num_outputs: int, bits: Bits, activation_bits: Bits
) -> None:
    codes = torch.randint(0, 2**bits, (num_outputs, num_inputs), dtype=torch.uint8)
    x = torch.randn(num_rows, num_inputs)
    assert_equal_to_torch(codes, x, bits, activation_bits, has_bias=True, num_threads=3)


def test_the_largest_number_of_inputs() -> None:
    codes = torch.full((20, 65535), 1, dtype=torch.uint8)
    x = np.array([[1], [-1], [1]], np.float32).repeat(65535, axis=1)
    assert outputs(made(codes, 1, 1), x, 20).tolist() == [[-65535.0] * 20, [65535.0] * 20, [-65535.0] * 20]
    codes.fill_(0)
    x = np.full((1, 65535), -1e9, np.float32)
    assert outputs(made(codes, 8, 8), x, 20).tolist() == [[float(np.float32(65535 * 128 * 128))] * 20]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"bits": 3}, "bits must be 1, 2, 4 or 8"),
        ({"activation_bits": 16}, "bits must be 1, 2, 4 or 8"),
        ({"num_inputs": 0}, "num_inputs must be in"),
        ({"num_inputs": 65536}, "num_inputs must be in"),
        ({"num_inputs": 5}, "codes must have row_bytes"),
        ({"scale": np.ones(3, np.float32)}, "scale must have"),
        ({"bias": np.ones(1, np.float32)}, "bias must have"),
        ({"activation_scale": 0.0}, "activation_scale must be above 0"),
        ({"activation_scale": float("nan")}, "activation_scale must be above 0"),
    ],
)
def test_a_bad_product_is_refused(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        made(torch.zeros(2, 4, dtype=torch.uint8), 8, 8, **changed)


@pytest.mark.parametrize(
    "changed",
    [
        {"codes": np.zeros((2, 4), np.int8)},
        {"codes": np.zeros((2, 8), np.uint8)[:, ::2]},
        {"scale": np.ones(2)},
        {"scale": np.ones(4, np.float32)[::2]},
        {"bias": np.ones(2)},
    ],
)
def test_arrays_of_a_product_are_never_converted(changed: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        made(torch.zeros(2, 4, dtype=torch.uint8), 8, 8, **changed)


@pytest.mark.parametrize(
    ("x_shape", "out_shape", "message"),
    [
        ((3, 5), (3, 2), "x must have as many columns"),
        ((3, 4), (2, 2), "out must have as many rows"),
        ((3, 4), (3, 3), "out must have as many columns"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(x_shape: tuple[int, int], out_shape: tuple[int, int], message: str) -> None:
    product = made(torch.zeros(2, 4, dtype=torch.uint8), 8, 8)
    with pytest.raises(ValueError, match=message):
        product.linear(np.zeros(x_shape, np.float32), np.zeros(out_shape, np.float32), 1)


def test_out_must_not_overlap_x() -> None:
    product = made(torch.zeros(4, 4, dtype=torch.uint8), 8, 8)
    memory = np.zeros((4, 4), np.float32)
    with pytest.raises(ValueError, match="out must not overlap another array"):
        product.linear(memory[:3], memory[1:], 1)


@pytest.mark.parametrize(
    ("x", "out"),
    [
        (np.zeros((3, 4)), np.zeros((3, 2), np.float32)),
        (np.zeros((3, 8), np.float32)[:, ::2], np.zeros((3, 2), np.float32)),
        (np.zeros((3, 4), np.float32), np.zeros((3, 2))),
        (np.zeros((3, 4), np.float32), np.zeros((2, 3), np.float32).T),
    ],
)
def test_arrays_are_never_converted(x: object, out: object) -> None:
    with pytest.raises(TypeError):
        made(torch.zeros(2, 4, dtype=torch.uint8), 8, 8).linear(x, out, 1)


def test_weights_stay_packed() -> None:
    product = made(torch.zeros(256, 512, dtype=torch.uint8), 1, 1)
    assert product.resident_bytes == 256 * 512 // 8 + 3 * 256 * 4
    product = made(torch.zeros(256, 512, dtype=torch.uint8), 8, 8)  # two bytes for the place of 16 times 8 of them
    assert product.resident_bytes == 256 * 512 + 3 * 256 * 4 + 2 * (256 // 16) * (512 // 8 + 1)
