"""Integer products are exact on every path, and a looked-up row is the row that was packed."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from farthing.lowbit import ops
from farthing.lowbit.levels import Bits, level_of_code
from farthing.lowbit.packing import pack

WIDTHS: tuple[Bits, ...] = (8, 4, 2, 1)


@given(st.sampled_from(WIDTHS), st.integers(1, 21), st.integers(0, 9))
def test_looked_up_levels_are_those_of_the_codes(bits: Bits, num_columns: int, num_indices: int) -> None:
    codes = torch.randint(0, 2**bits, (6, num_columns), dtype=torch.uint8)
    indices = torch.randint(0, 6, (num_indices,))
    levels = ops.lookup_levels(pack(codes, bits), indices, bits=bits, num_columns=num_columns)
    assert torch.equal(levels, level_of_code(codes, bits)[indices])


def test_an_index_out_of_range_is_an_error() -> None:
    with pytest.raises(IndexError):
        ops.lookup_levels(torch.zeros(2, 1, dtype=torch.uint8), torch.tensor([2]), bits=8, num_columns=1)


@pytest.mark.parametrize("num_rows", [1, 15, 16, 40])
@pytest.mark.parametrize("weight_bits", WIDTHS)
@pytest.mark.parametrize("activation_bits", WIDTHS)
@pytest.mark.parametrize("has_int8", [True, False])
def test_products_are_exact(
    num_rows: int, weight_bits: Bits, activation_bits: Bits, has_int8: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not has_int8:
        monkeypatch.setattr(ops, "_has_exact_int8_product", lambda: False)
    codes = torch.randint(0, 2**weight_bits, (9, 70), dtype=torch.uint8)
    activation = ops.ActivationScale(torch.tensor([0.5]), activation_bits)
    x = torch.randn(num_rows, 70) * 2 ** (activation_bits - 2)
    units = {2: 2.0}.get(weight_bits, 1.0)
    integers = (level_of_code(codes, weight_bits) * units).to(torch.int64)
    expected = activation.integers(x).to(torch.int64) @ integers.t()
    scale = torch.tensor([units * {2: 2.0}.get(activation_bits, 1.0) / 0.5])  # undoes units and scales
    product = ops.Product.from_codes(codes, weight_bits, scale=scale, bias=None, activation=activation)
    out = ops.linear(x, product)
    assert torch.equal(out.to(torch.int64), expected)


def test_sums_too_long_for_float32_are_exact_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ops, "_has_exact_int8_product", lambda: False)
    num_columns = 1025  # 1025 * 128 * 128 > 2**24
    codes = torch.zeros(1, num_columns, dtype=torch.uint8)
    codes[0, 1:] = torch.randint(0, 2, (num_columns - 1,), dtype=torch.uint8)
    activation = ops.ActivationScale(torch.ones(1), 8)
    product = ops.Product.from_codes(codes, 8, scale=torch.ones(1), bias=None, activation=activation)
    assert product.integers.dtype == torch.float64
    integers = torch.full((1, num_columns), -128.0)
    integers[0, 0] = -127.0
    exact = int((integers.to(torch.int64) @ (codes.to(torch.int64) - 128).t()).item())
    assert ops.linear(integers, product).item() == torch.tensor(exact).to(torch.float32).item()


def test_exact_dtype_is_float32_up_to_its_integers() -> None:
    assert ops.exact_dtype(2**24) == torch.float32
    assert ops.exact_dtype(2**24 + 1) == torch.float64


@pytest.mark.parametrize("bits", WIDTHS)
def test_the_border_of_a_convolution_counts_as_zero(bits: Bits) -> None:
    codes = torch.randint(0, 2**bits, (2, 1, 3, 3), dtype=torch.uint8)
    activation = ops.ActivationScale(torch.ones(1), 1)
    product = ops.Product.from_codes(codes, bits, scale=torch.ones(1), bias=None, activation=activation)
    geometry = ops.ConvGeometry(stride=(1, 1), padding=(1, 1), dilation=(1, 1), groups=1)
    out = ops.conv2d(torch.ones(1, 1, 1, 1), product, geometry)
    assert torch.equal(out.flatten(), level_of_code(codes, bits)[:, 0, 1, 1])


@pytest.mark.parametrize("error", [RuntimeError, AttributeError])
def test_a_missing_int8_product_is_not_used(error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(torch, "_int_mm", fails)
    assert not ops._has_exact_int8_product.__wrapped__()


def test_a_saturating_int8_product_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "_int_mm", lambda a, b: (a.int() @ b.int()).clamp(-(2**15), 2**15 - 1))
    assert not ops._has_exact_int8_product.__wrapped__()
