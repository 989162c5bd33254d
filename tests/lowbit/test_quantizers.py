"""Every entry of QUANTIZERS: values and gradients by hand, a slow reference, and the properties all of them share."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from farthing.lowbit.granularity import Granularity
from farthing.lowbit.levels import Bits
from farthing.lowbit.quantizers import (
    QUANTIZERS,
    SMALLEST_SCALE,
    LearnedQuantizer,
    Quantizer,
    Stochastic,
)
from tests.reference import quantizers as reference

CASES: list[tuple[str, Bits]] = [(name, bits) for name, kind in QUANTIZERS.items() for bits in kind.offered_bits]
every_case = pytest.mark.parametrize(("name", "bits"), CASES)
TABLES: tuple[Granularity, ...] = ("table", "group", "dimension", "row")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One quantizer on a few numbers, with the gradients of the plain sum of the results.

    `to_scale` is the paper's gradient before its factor 1 / sqrt(N Qp); None where the scale is not learned.
    """

    name: str
    bits: Bits
    scale: float
    offset: float = 0.0
    x: list[float]
    codes: list[int]
    values: list[float]
    to_x: list[float]
    to_scale: float | None


BY_HAND = [
    Row(  # v = -10 -8 -7.8 | -.6 -.5 0 .4 .5 1.5 | 6.8 7 18; ties to even; the gradient is 0 from the last level on
        name="lsq",
        bits=4,
        scale=0.5,
        x=[-5, -4, -3.9, -0.3, -0.25, 0, 0.2, 0.25, 0.75, 3.4, 3.5, 9],
        codes=[0, 0, 0, 7, 8, 8, 8, 8, 10, 15, 15, 15],
        values=[-4, -4, -4, -0.5, 0, 0, 0, 0, 1, 3.5, 3.5, 3.5],
        to_x=[0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0],
        to_scale=-8 - 8 - 0.2 - 0.4 + 0.5 + 0 - 0.4 - 0.5 + 0.5 + 0.2 + 7 + 7,
    ),
    Row(  # v = x: mid-rise, so 0 has no level of its own
        name="lsq",
        bits=2,
        scale=1.0,
        x=[-3, -1.5, -1.2, -0.6, -0.1, 0.1, 0.8, 1.4, 1.5, 2],
        codes=[0, 0, 0, 1, 1, 2, 2, 3, 3, 3],
        values=[-1.5, -1.5, -1.5, -0.5, -0.5, 0.5, 0.5, 1.5, 1.5, 1.5],
        to_x=[0, 0, 1, 1, 1, 1, 1, 1, 0, 0],
        to_scale=-1.5 - 1.5 - 0.3 + 0.1 - 0.4 + 0.4 - 0.3 + 0.1 + 1.5 + 1.5,
    ),
    Row(  # v = -200 -128 -127.8 .2 126.8 127 200
        name="lsq",
        bits=8,
        scale=0.5,
        x=[-100, -64, -63.9, 0.1, 63.4, 63.5, 100],
        codes=[0, 0, 0, 128, 255, 255, 255],
        values=[-64, -64, -64, 0, 63.5, 63.5, 63.5],
        to_x=[0, 0, 1, 1, 1, 0, 0],
        to_scale=-128 - 128 - 0.2 - 0.2 + 0.2 + 127 + 127,
    ),
    Row(  # in eval mode as lsq: v = -9 -2.6 1.4 7.5
        name="stochastic",
        bits=4,
        scale=2.0,
        x=[-18, -5.2, 2.8, 15],
        codes=[0, 5, 9, 15],
        values=[-16, -6, 2, 14],
        to_x=[0, 1, 1, 0],
        to_scale=-8 - 0.4 - 0.4 + 7,
    ),
    Row(  # (x - offset) / scale = -4 -1.5 -.5 .2 1.5 9; a value outside the range keeps its gradient
        name="minmax",
        bits=2,
        scale=1.0,
        offset=0.5,
        x=[-3.5, -1, 0, 0.7, 2, 9.5],
        codes=[0, 0, 1, 2, 3, 3],
        values=[-1, -1, 0, 1, 2, 2],
        to_x=[1, 1, 1, 1, 1, 1],
        to_scale=None,
    ),
    Row(  # v = -20 -8.4 -.5 0 .6 7.6 30; a value outside the range keeps its gradient
        name="gaussian",
        bits=4,
        scale=0.5,
        x=[-10, -4.2, -0.25, 0, 0.3, 3.8, 15],
        codes=[0, 0, 8, 8, 9, 15, 15],
        values=[-4, -4, 0, 0, 0.5, 3.5, 3.5],
        to_x=[1, 1, 1, 1, 1, 1, 1],
        to_scale=None,
    ),
    Row(  # v = -2 -1 -.5 -0 0 .5 1 1.5: both zeros are positive, and the window has both its ends
        name="sign-ste",
        bits=1,
        scale=2.0,
        x=[-4, -2, -1, -0.0, 0, 1, 2, 3],
        codes=[1, 1, 1, 0, 0, 0, 0, 0],
        values=[-2, -2, -2, 2, 2, 2, 2, 2],
        to_x=[0, 1, 1, 1, 1, 1, 1, 0],
        to_scale=2.0,
    ),
    Row(
        name="sign-approx",
        bits=1,
        scale=2.0,
        x=[-4, -2, -1, -0.0, 0, 1, 2, 3],
        codes=[1, 1, 1, 0, 0, 0, 0, 0],
        values=[-2, -2, -2, 2, 2, 2, 2, 2],
        to_x=[0, 0, 1, 2, 2, 1, 0, 0],
        to_scale=2.0,
    ),
    Row(  # 5 (2 - 5v tanh(2.5v)) / (1 + cosh(5v)): 5 at 0, -.084621 at .5, -.194992 at 1, -.030340 at 1.5
        name="sign-swish",
        bits=1,
        scale=2.0,
        x=[-4, -2, -1, -0.0, 0, 1, 2, 3],
        codes=[1, 1, 1, 0, 0, 0, 0, 0],
        values=[-2, -2, -2, 2, 2, 2, 2, 2],
        to_x=[-0.003631, -0.194992, -0.084621, 5, 5, -0.084621, -0.194992, -0.030340],
        to_scale=2.0,
    ),
]


def made(name: str, bits: Bits, granularity: Granularity, scale: Tensor, offset: Tensor | None = None) -> Quantizer:
    """A quantizer with these scales, in eval mode."""
    quantizer = QUANTIZERS[name](bits, granularity, len(scale))
    with torch.no_grad():
        quantizer.scale.copy_(scale)
        if quantizer.offset is not None and offset is not None:
            quantizer.offset.copy_(offset)
        quantizer.is_initialised.fill_(value=True)
    return quantizer.eval()


def test_every_quantizer_has_a_row_and_a_reference() -> None:
    assert {row.name for row in BY_HAND} == set(QUANTIZERS) == set(reference.QUANTIZERS)


@pytest.mark.parametrize("row", BY_HAND, ids=lambda row: f"{row.name}-{row.bits}")
def test_values_and_gradients_worked_out_by_hand(row: Row) -> None:
    quantizer = made(row.name, row.bits, "table", torch.tensor([row.scale]), torch.tensor([row.offset]))
    x = torch.tensor(row.x).reshape(-1, 1).requires_grad_()
    out = quantizer(x)
    out.sum().backward()
    assert x.grad is not None
    assert quantizer.codes(x).flatten().tolist() == row.codes
    assert out.flatten().tolist() == row.values
    assert x.grad.flatten().tolist() == pytest.approx(row.to_x, abs=1e-6)
    if row.to_scale is None:
        assert not list(quantizer.parameters())
    else:
        highest = {8: 127, 4: 7, 2: 1.5, 1: 1}[row.bits]
        assert quantizer.scale.grad is not None
        # Terms of up to 128 cancel in float32: 1e-5 of the largest.
        assert quantizer.scale.grad.item() * math.sqrt(len(row.x) * highest) == pytest.approx(row.to_scale, abs=2e-3)


@every_case
@pytest.mark.parametrize("granularity", [*TABLES, "tensor", "channel"])
def test_values_and_gradients_equal_those_of_the_reference(name: str, bits: Bits, granularity: Granularity) -> None:
    num_rows, dim, num_groups = 7, 5, 3
    groups = torch.randint(0, num_groups, (num_rows,)) if granularity == "group" else torch.arange(num_rows)
    scale_of = {
        "table": torch.zeros(num_rows, dim),
        "tensor": torch.zeros(num_rows, dim),
        "dimension": torch.arange(dim).expand(num_rows, dim),
        "channel": torch.arange(num_rows).unsqueeze(1).expand(num_rows, dim),
        "row": groups.unsqueeze(1).expand(num_rows, dim),
        "group": groups.unsqueeze(1).expand(num_rows, dim),
    }[granularity].long()
    num_scales = {"table": 1, "tensor": 1, "group": num_groups, "dimension": dim}.get(granularity, num_rows)
    scale, offset = torch.rand(num_scales) + 0.5, torch.randn(num_scales)
    if granularity in ("tensor", "channel") or name != "minmax":
        offset = torch.zeros(num_scales)
    quantizer = made(name, bits, granularity, scale, offset)
    x, grad = (
        (torch.randn(num_rows, dim) * scale[scale_of] * 2 ** (bits - 1)).requires_grad_(),
        torch.randn(num_rows, dim),
    )
    out = quantizer(x, groups if granularity in ("group", "row") else None)
    out.backward(grad)

    expected = reference.quantize(
        name,
        x.detach().double().numpy(),
        grad=grad.double().numpy(),
        scale=scale.double().numpy(),
        offset=offset.double().numpy(),
        scale_of=scale_of.numpy(),
        bits=bits,
    )
    groups_or_none = groups if granularity in ("group", "row") else None
    assert np.array_equal(quantizer.codes(x, groups_or_none).numpy(), expected.codes)
    assert np.allclose(out.detach().numpy(), expected.values, rtol=1e-6, atol=1e-6)
    assert x.grad is not None
    assert np.allclose(x.grad.numpy(), expected.to_x, rtol=1e-4, atol=1e-6)
    if isinstance(quantizer, LearnedQuantizer):
        assert quantizer.scale.grad is not None
        # Sums of up to 35 products of a float32 gradient and a level of up to 128.
        assert np.allclose(quantizer.scale.grad.numpy(), expected.to_scale, rtol=1e-4, atol=1e-4)


@st.composite
def tables(draw: st.DrawFn) -> Tensor:
    """A matrix of ordinary floats, empty rows and single columns included."""
    num_rows, dim = draw(st.integers(1, 6)), draw(st.integers(1, 9))
    numbers = st.floats(-100, 100, width=32, allow_subnormal=False)
    values = draw(st.lists(numbers, min_size=num_rows * dim, max_size=num_rows * dim))
    return torch.tensor(values).reshape(num_rows, dim)


def fitted(name: str, bits: Bits, granularity: Granularity, x: Tensor) -> tuple[Quantizer, Tensor | None]:
    """A quantizer whose scales come from `x`, and the group of each row of `x`."""
    groups = {"group": torch.arange(len(x)) % 2, "row": torch.arange(len(x))}.get(granularity)
    num_scales = {"group": 2, "row": len(x), "dimension": x.shape[1], "channel": len(x)}.get(granularity, 1)
    quantizer = QUANTIZERS[name](bits, granularity, num_scales)
    quantizer.init_from(x, groups)
    return quantizer.eval(), groups


@every_case
@pytest.mark.parametrize("granularity", [*TABLES, "tensor", "channel"])
@given(x=tables())
def test_values_are_those_of_the_codes_and_stay_put(name: str, bits: Bits, granularity: Granularity, x: Tensor) -> None:
    quantizer, groups = fitted(name, bits, granularity, x)
    with torch.no_grad():
        once = quantizer(x, groups)
        codes = quantizer.codes(x, groups)
        assert int(codes.max()) < 2**bits
        assert torch.equal(quantizer.dequantize(codes, groups), once)
        assert torch.equal(quantizer(once, groups), once)


@every_case
@given(x=tables(), power=st.integers(-6, 6))
def test_scaling_the_input_and_the_scales_scales_the_output(name: str, bits: Bits, x: Tensor, power: int) -> None:
    factor = 2.0**power  # a power of two, so that nothing is rounded
    quantizer, _ = fitted(name, bits, "table", x)
    offset = None if quantizer.offset is None else quantizer.offset * factor
    scaled = made(name, bits, "table", quantizer.positive_scale() * factor, offset)
    if float(quantizer.positive_scale().min()) > SMALLEST_SCALE * 2**7:
        with torch.no_grad():
            assert torch.equal(scaled(x * factor), quantizer(x) * factor)


@every_case
@given(x=tables())
def test_larger_inputs_never_give_smaller_outputs(name: str, bits: Bits, x: Tensor) -> None:
    quantizer, _ = fitted(name, bits, "table", x)
    with torch.no_grad():
        assert bool((quantizer(x.flatten().sort().values.unsqueeze(1)).diff(dim=0) >= 0).all())


@every_case
@pytest.mark.parametrize("granularity", TABLES)
@given(x=tables(), seed=st.integers(0, 99))
def test_the_order_of_rows_plays_no_role(name: str, bits: Bits, granularity: Granularity, x: Tensor, seed: int) -> None:
    quantizer, groups = fitted(name, bits, granularity, x)
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))
    with torch.no_grad():
        moved = quantizer(x[order], None if groups is None else groups[order])
        assert torch.equal(moved, quantizer(x, groups)[order])


@pytest.mark.parametrize(("name", "bits"), [(name, bits) for name, bits in CASES if bits > 1])
def test_error_is_at_most_half_a_step_inside_the_range(name: str, bits: Bits) -> None:
    x = torch.linspace(-1, 1, 1001).unsqueeze(1)
    quantizer = made(name, bits, "tensor", torch.tensor([1.0 / 2 ** (bits - 1)]))
    highest = {8: 127 / 128, 4: 7 / 8, 2: 1.5 / 2}[bits]
    with torch.no_grad():
        error = (quantizer(x) - x).abs()[x.abs() <= highest]
    assert float(error.max()) <= 0.5 / 2 ** (bits - 1) + 1e-7


@pytest.mark.parametrize(("name", "bits"), [case for case in CASES if case[0] in ("lsq", "stochastic")])
def test_lsq_starts_at_twice_the_mean_over_the_root_of_the_highest_level(name: str, bits: Bits) -> None:
    x = torch.tensor([[1.0, -3.0], [0.5, 0.5], [-2.0, 0.0]])
    quantizer = QUANTIZERS[name](bits, "group", 3)
    quantizer.init_from(x, torch.tensor([0, 2, 0]))
    highest = {8: 127, 4: 7, 2: 1.5}[bits]
    # Rows 0 and 2 share a scale (mean 1.5); no row uses scale 1, which gets the mean of all (7 / 6).
    expected = [2 * mean / math.sqrt(highest) for mean in (1.5, 7 / 6, 0.5)]
    assert quantizer.scale.tolist() == pytest.approx(expected)


def test_the_gradient_of_a_scale_counts_the_elements_that_use_it_in_the_batch() -> None:
    quantizer = made("lsq", 4, "group", torch.tensor([1.0, 1.0, 1.0]))
    x = torch.full((5, 2), 100.0)  # everything clips to level 7, so each element adds 7
    quantizer(x, torch.tensor([0, 0, 0, 0, 2])).sum().backward()
    assert quantizer.scale.grad is not None
    expected = [8 * 7 / math.sqrt(8 * 7), 0.0, 2 * 7 / math.sqrt(2 * 7)]
    assert quantizer.scale.grad.tolist() == pytest.approx(expected)


@pytest.mark.parametrize("name", [name for name, kind in QUANTIZERS.items() if issubclass(kind, LearnedQuantizer)])
def test_a_scale_below_zero_is_used_as_the_smallest_and_grows_again(name: str) -> None:
    quantizer = made(name, QUANTIZERS[name].offered_bits[0], "table", torch.tensor([-3.0]))
    x = torch.tensor([[0.25, 1.0]])
    out = quantizer(x)
    assert out.min().item() > 0
    assert out.max().item() <= 127 * SMALLEST_SCALE
    (1.0 - out).sum().backward()
    assert quantizer.scale.grad is not None
    assert quantizer.scale.grad.item() < 0  # descent raises it


def test_data_of_zeros_gives_the_smallest_scale() -> None:
    quantizer = QUANTIZERS["lsq"](4, "table", 1)
    assert torch.equal(quantizer(torch.zeros(3, 2)), torch.zeros(3, 2))
    assert quantizer.scale.item() == pytest.approx(SMALLEST_SCALE)


def test_the_first_data_sets_the_scales_once() -> None:
    quantizer = QUANTIZERS["lsq"](8, "tensor", 1)
    assert quantizer.is_due()
    quantizer(torch.ones(4))
    first = quantizer.scale.item()
    quantizer(torch.ones(4) * 100)
    assert not quantizer.is_due()
    assert quantizer.scale.item() == first == pytest.approx(2 / math.sqrt(127))


def test_stochastic_rounding_is_right_on_average_and_only_in_training() -> None:
    quantizer = made("stochastic", 4, "tensor", torch.tensor([0.5]))
    assert isinstance(quantizer, Stochastic)
    x = torch.full((20_000,), 0.6)  # v = 1.2: level 1 four times in five, else 2
    assert torch.equal(quantizer(x), torch.full_like(x, 0.5))
    out = quantizer.train()(x)
    assert sorted(set(out.tolist())) == [0.5, 1.0]
    # The mean of 20,000 draws of variance .25 * .2 * .8 has a standard deviation of .0014.
    assert out.mean().item() == pytest.approx(0.6, abs=0.007)


@given(x=tables())
def test_stochastic_rounding_stays_among_the_levels(x: Tensor) -> None:
    quantizer = made("stochastic", 8, "tensor", torch.tensor([0.5])).train()
    levels = quantizer(x) / 0.5
    assert bool((levels == levels.round()).all())
    assert levels.min().item() >= -128
    assert levels.max().item() <= 127
