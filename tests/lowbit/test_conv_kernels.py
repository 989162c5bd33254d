"""The native convolution gives what `ops.conv2d` defines, bit for bit, on every tier."""

from __future__ import annotations

import copy
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from farthing.lowbit import native, ops
from farthing.lowbit.convolution import NativeConv2d, native_conv2d
from farthing.lowbit.levels import Bits
from farthing.lowbit.ops import ActivationScale, ConvGeometry
from farthing.lowbit.packed import ConvDescription, PackedConv2d

EXTENSION = native.extension()
TIERS: list[str] = EXTENSION.usable_tiers() if EXTENSION else []
WIDTHS: tuple[Bits, ...] = (8, 4, 2, 1)

pytestmark = [
    pytest.mark.native,
    pytest.mark.skipif(EXTENSION is None, reason="the native extension is not built (make install)"),
]


def geometry(stride: int = 1, padding: Any = 0, dilation: int = 1, groups: int = 1) -> ConvGeometry:
    """The same along both axes; padding may be a name."""
    pair = (padding, padding) if isinstance(padding, int) else padding
    return ConvGeometry(stride=(stride, stride), padding=pair, dilation=(dilation, dilation), groups=groups)


class Case:
    """A weight with everything around it, as the kernel and as torch compute it; `bits_in` are those of the input."""

    def __init__(
        self, codes: Tensor, bits: Bits, place: ConvGeometry, *, bits_in: Bits = 8, has_bias: bool = True
    ) -> None:
        generator = torch.Generator().manual_seed(codes.numel())
        scale = torch.randn(len(codes), generator=generator)
        bias = torch.randn(len(codes), generator=generator) if has_bias else None
        activation = ActivationScale(torch.full((1,), 0.03), bits_in)
        kernel = native_conv2d(codes, bits, scale=scale, bias=bias, activation=activation, geometry=place)
        assert kernel is not None
        self.kernel: NativeConv2d = kernel
        self.product = ops.Product.from_codes(codes, bits, scale=scale, bias=bias, activation=activation)
        self.place = place

    def check(self, x: Tensor) -> None:
        expected = ops.conv2d(x, self.product, self.place)
        for tier in TIERS:
            with native.use_tier(tier):
                assert self.kernel.takes(x)
                assert torch.equal(self.kernel(x), expected), tier


def random_codes(*shape: int, bits: Bits = 8) -> Tensor:
    return torch.randint(0, 2**bits, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(sum(shape)))


@pytest.mark.parametrize("tier", TIERS)
def test_by_hand(tier: str) -> None:
    """A 3 x 3 kernel of the levels -4 .. 4 over an image of 2 x 3: the border counts as 0."""
    codes = (torch.arange(9) - 4 + 128).to(torch.uint8).view(1, 1, 3, 3)
    activation = ActivationScale(torch.full((1,), 0.5), 8)
    kernel = native_conv2d(
        codes,
        8,
        scale=torch.full((1,), 2.0),
        bias=torch.full((1,), 10.0),
        activation=activation,
        geometry=geometry(padding=1),
    )
    assert kernel is not None
    image = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]) / 2  # integers 1 .. 6; a step of a sum is worth 1
    sums = [[0 * 1 + 1 * 2 + 3 * 4 + 4 * 5, -1 + 3 + 2 * 4 + 3 * 5 + 4 * 6, -2 + 2 * 5 + 3 * 6]]
    sums += [[-3 * 1 - 2 * 2 + 5, -4 - 3 * 2 - 2 * 3 - 4 + 6, -4 * 2 - 3 * 3 - 5]]
    with native.use_tier(tier):
        assert (kernel(image[None]) - 10.0).tolist() == [sums]


@st.composite
def axes(draw: st.DrawFn) -> tuple[int, int, int, int, int]:
    """Kernel, stride, dilation, padding and an image's size along an axis; the kernel fits at least once."""
    kernel, stride, dilation = draw(st.integers(1, 4)), draw(st.integers(1, 3)), draw(st.integers(1, 3))
    extent = dilation * (kernel - 1) + 1
    padding = draw(st.integers(0, min(3, extent - 1)))
    return kernel, stride, dilation, padding, draw(st.integers(max(1, extent - 2 * padding), extent + 6))


@given(
    st.integers(0, 3),
    axes(),
    axes(),
    st.integers(1, 5),
    st.sampled_from([1, 3, 16, 17]),
    st.sampled_from(WIDTHS),
    st.sampled_from(WIDTHS),
    st.booleans(),
)
def test_tiers_agree_with_the_definition(
    images: int, vertical: Any, horizontal: Any, channels: int, outputs: int, bits: Bits, bits_in: Bits, has_bias: bool
) -> None:
    kernel, stride, dilation, padding, size = zip(vertical, horizontal, strict=True)
    place = ConvGeometry(stride=stride, padding=padding, dilation=dilation, groups=1)
    case = Case(random_codes(outputs, channels, *kernel, bits=bits), bits, place, bits_in=bits_in, has_bias=has_bias)
    case.check(torch.randn(images, channels, *size, generator=torch.Generator().manual_seed(images)) * 2)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize(("kernel", "dilation"), [(1, 1), (3, 1), (3, 2), (4, 1), (2, 3)])
def test_named_paddings(padding: Any, kernel: int, dilation: int) -> None:
    case = Case(random_codes(8, 3, kernel, kernel), 8, geometry(1, padding, dilation))
    case.check(torch.randn(1, 3, 8, 9, generator=torch.Generator().manual_seed(0)))


@pytest.mark.parametrize("bits_in", WIDTHS)
@pytest.mark.parametrize("bits", WIDTHS)
@pytest.mark.parametrize(("padding", "kernel"), [(1, 3), (0, 1)])
def test_every_pair_of_widths(bits: Bits, bits_in: Bits, padding: int, kernel: int) -> None:
    codes = random_codes(24, 21, kernel, kernel, bits=bits)
    case = Case(codes, bits, geometry(padding=padding), bits_in=bits_in)
    case.check(torch.randn(2, 21, 7, 9, generator=torch.Generator().manual_seed(0)))


@pytest.mark.parametrize(("stride", "dilation", "kernel"), [(1, 1, 3), (2, 2, 3), (2, 1, 1)])
def test_groups_read_their_own_channels(stride: int, dilation: int, kernel: int) -> None:
    place = geometry(stride, dilation * (kernel - 1), dilation, groups=3)
    case = Case(random_codes(24, 5, kernel, kernel), 8, place)
    case.check(torch.randn(2, 15, 8, 7, generator=torch.Generator().manual_seed(0)))


@pytest.mark.parametrize("code", [0, 255])
@pytest.mark.parametrize("pixel", [-1e9, 1e9])
def test_the_largest_sums_do_not_saturate(code: int, pixel: float) -> None:
    case = Case(torch.full((16, 64, 3, 3), code, dtype=torch.uint8), 8, geometry(padding=1), has_bias=False)
    case.check(torch.full((1, 64, 4, 4), pixel))


def test_strips_of_a_large_image_and_many_rows_of_a_product_fit_together() -> None:
    """More integers than a strip holds, on more threads than strips of an image."""
    case = Case(random_codes(8, 32, 3, 3), 8, geometry(padding=1))
    x = torch.randn(1, 32, 130, 101, generator=torch.Generator().manual_seed(0))
    threads = torch.get_num_threads()
    try:
        for number in (1, 3):
            torch.set_num_threads(number)
            case.check(x)
    finally:
        torch.set_num_threads(threads)


def test_the_result_is_laid_out_like_the_input() -> None:
    case = Case(random_codes(8, 4, 3, 3), 8, geometry())
    x = torch.randn(2, 4, 5, 12, generator=torch.Generator().manual_seed(0))
    case.check(x)
    case.check(x[..., ::2])
    case.check(x.transpose(2, 3))
    case.check(x[0])
    assert case.kernel(x).is_contiguous()
    last = x.contiguous(memory_format=torch.channels_last)
    case.check(last)
    assert case.kernel(last).is_contiguous(memory_format=torch.channels_last)


def layer_of(place: ConvGeometry, weight_shape: tuple[int, int, int, int] = (16, 8, 3, 3)) -> PackedConv2d:
    layer = PackedConv2d(
        ConvDescription(
            weight_shape=weight_shape, geometry=place, bits=8, activation_bits=8, has_bias=True, num_scales=1
        )
    )
    layer.codes.random_(0, 256, generator=torch.Generator().manual_seed(0))
    return layer


def test_a_layer_runs_the_kernel() -> None:
    layer, x = layer_of(geometry(padding=1)), torch.randn(1, 8, 5, 5)
    assert layer.native is not None
    assert torch.equal(layer(x), ops.conv2d(x, layer.product(), layer.description.geometry))
    assert torch.equal(layer(torch.nn.Parameter(x)), layer(x))


def test_what_a_layer_prepared_goes_when_its_tensors_change() -> None:
    layer, other, x = layer_of(geometry()), layer_of(geometry()), torch.randn(1, 8, 5, 5)
    layer(x)
    other.codes.fill_(7)
    layer.load_state_dict(other.state_dict())
    assert torch.equal(layer(x), other(x))
    assert "native" not in layer.double().__dict__


def test_a_copy_of_a_layer_prepares_itself() -> None:
    layer, x = layer_of(geometry()), torch.randn(1, 8, 5, 5)
    before = layer(x)
    copied = copy.deepcopy(layer)
    assert "native" not in copied.__dict__
    assert torch.equal(copied(x), before)


@pytest.mark.parametrize(
    "place",
    [
        geometry(padding=3),  # a border wider than the kernel
        geometry(dilation=4096),
        geometry(stride=4097),
        geometry(stride=0),
        geometry(padding=-1),
        geometry(groups=5),
        geometry(groups=4),  # four outputs in a group
    ],
)
def test_other_geometries_are_left_to_torch(place: ConvGeometry) -> None:
    assert layer_of(place, (16, 8 // place.groups, 3, 3)).native is None


def test_without_the_extension_torch_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "extension", lambda: None)
    assert layer_of(geometry()).native is None


def test_a_float_input_is_left_to_torch() -> None:
    description = ConvDescription(
        weight_shape=(16, 8, 3, 3),
        geometry=geometry(),
        bits=8,
        activation_bits=None,
        has_bias=False,
        num_scales=1,
    )
    assert PackedConv2d(description).native is None


@pytest.mark.parametrize(
    "x",
    [
        torch.zeros(1, 7, 5, 5),
        torch.zeros(1, 8, 2, 5),
        torch.zeros(8, 5),
        torch.zeros(1, 8, 5, 5, dtype=torch.float64),
        torch.zeros(1, 8, 5, 5, device="meta"),
    ],
)
def test_other_inputs_are_left_to_torch(x: Tensor) -> None:
    kernel = layer_of(geometry()).native
    assert kernel is not None
    assert not kernel.takes(x)


def make(extension: ModuleType, **changed: object) -> Any:  # Any: the extension's object
    arguments: dict[str, Any] = {  # Any: arguments of any type
        "codes": np.zeros((4, 18), np.uint8),
        "scale": np.ones(4, np.float32),
        "bias": None,
        "bits": 8,
        "activation_scale": 1.0,
        "activation_bits": 8,
        "channels": 2,
        "groups": 1,
        "vertical": (3, 1, 1, 1, 1),
        "horizontal": (3, 1, 1, 1, 1),
        "has_relu": False,
    }
    return extension.Conv2d(**(arguments | changed))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"bits": 3}, "bits must be 1, 2, 4 or 8"),
        ({"activation_bits": 16}, "bits must be 1, 2, 4 or 8"),
        ({"activation_scale": 0.0}, "activation_scale must be above 0"),
        ({"activation_scale": float("nan")}, "activation_scale must be above 0"),
        ({"channels": 0}, "channels must be from 1 to 65536"),
        ({"channels": 2**40}, "channels must be from 1 to 65536"),
        ({"channels": 3}, "codes must have as many bytes"),
        ({"groups": 0}, "groups must divide"),
        ({"groups": 3}, "groups must divide"),
        ({"codes": np.zeros((0, 18), np.uint8)}, "outputs must be from 1 to 65536"),
        ({"codes": np.zeros((4, 17), np.uint8)}, "codes must have as many bytes"),
        ({"scale": np.ones(3, np.float32)}, "scale must have one number, or one for each output"),
        ({"bias": np.ones(3, np.float32)}, "bias must have one number for each output"),
        ({"vertical": (0, 1, 1, 0, 0)}, "must be at least 1"),
        ({"vertical": (3, 0, 1, 0, 0)}, "must be at least 1"),
        ({"vertical": (3, 1, 0, 0, 0)}, "must be at least 1"),
        ({"vertical": (2**60, 1, 2**60, 0, 0)}, "at most 4096 pixels"),
        ({"vertical": (3, 1, 4096, 0, 0)}, "at most 4096 pixels"),
        ({"vertical": (3, 2**60, 1, 0, 0)}, "stride must be at most 4096"),
        ({"horizontal": (3, 1, 1, 3, 0)}, "padding must be less than what the kernel covers"),
        ({"horizontal": (3, 1, 1, 0, 2**63)}, "padding must be less than what the kernel covers"),
        ({"channels": 65536, "vertical": (2, 1, 1, 0, 0)}, "at most 65535 weights"),
    ],
)
def test_a_bad_weight_is_refused(changed: dict[str, object], message: str) -> None:
    assert EXTENSION is not None
    with pytest.raises(ValueError, match=message):
        make(EXTENSION, **changed)


@pytest.mark.parametrize(
    ("x", "out", "message"),
    [
        ((1, 5, 5, 3), (1, 5, 5, 4), "x must have the channels"),
        ((1, 5, 5, 2), (1, 5, 5, 3), "out must have"),
        ((1, 5, 5, 2), (1, 5, 4, 4), "out must have"),
        ((1, 5, 5, 2), (2, 5, 5, 4), "out must have"),
        ((1, 5, 0, 2), (1, 5, 1, 4), "out must have"),
    ],
)
def test_images_that_do_not_fit_are_refused(x: tuple[int, ...], out: tuple[int, ...], message: str) -> None:
    assert EXTENSION is not None
    with pytest.raises(ValueError, match=message):
        make(EXTENSION).forward(np.zeros(x, np.float32), np.zeros(out, np.float32), 1)


@pytest.mark.parametrize(
    ("x", "out"),
    [
        (np.zeros((1, 5, 5, 2)), np.zeros((1, 5, 5, 4), np.float32)),
        (np.zeros((1, 2, 5, 5), np.float32).transpose(0, 2, 3, 1), np.zeros((1, 5, 5, 4), np.float32)),
        (np.zeros((1, 5, 5, 2), np.float32), np.zeros((1, 4, 5, 5), np.float32).transpose(0, 2, 3, 1)),
        (np.zeros((5, 5, 2), np.float32), np.zeros((1, 5, 5, 4), np.float32)),
    ],
)
def test_images_are_never_converted(x: Any, out: Any) -> None:
    assert EXTENSION is not None
    with pytest.raises(TypeError):
        make(EXTENSION).forward(x, out, 1)


def test_a_result_is_made_for_tensors_only() -> None:
    assert EXTENSION is not None
    kernel, x = make(EXTENSION), np.ones((2, 4, 5, 2), np.float32)
    out = np.zeros((2, 4, 5, 4), np.float32)
    assert kernel.forward(x, out, 1) is None
    assert torch.equal(kernel.forward(torch.from_numpy(x), None, 1), torch.from_numpy(out))
    with pytest.raises(ValueError, match="out must be given where the input is no tensor"):
        kernel.forward(x, None, 1)


def test_a_kernel_larger_than_its_image_gives_an_empty_result() -> None:
    assert EXTENSION is not None
    kernel = make(EXTENSION, vertical=(3, 1, 1, 0, 0))
    kernel.forward(np.zeros((1, 2, 5, 2), np.float32), np.zeros((1, 0, 5, 4), np.float32), 1)
    assert kernel.resident_bytes >= 4 * 18
