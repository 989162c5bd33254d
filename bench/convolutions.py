"""Convolutions for bench/kernels.py: the shapes of the page net and of ResNet-18, and the page net as a whole."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from bench.workloads import Call, Case, Limits, apply, product_limit
from torch import nn

from farthing.documents.net.architectures import build_detector
from farthing.documents.net.inference import place_on
from farthing.documents.net.predict import load_named
from farthing.lowbit.convert import pack
from farthing.lowbit.ops import ConvGeometry
from farthing.lowbit.packed import ConvDescription, PackedConv2d
from farthing.recommend.bench import FARTHING

# (channels in, height, width, channels out, kernel, stride, padding), one image. The inputs of a net are as behind
# a ReLU, but for the image, which has three channels.
Shape = tuple[int, int, int, int, int, int, int]

PAGE_SHAPES: tuple[Shape, ...] = (
    (24, 96, 72, 24, 3, 1, 1),
    (24, 96, 72, 56, 3, 2, 1),
    (56, 48, 36, 56, 3, 1, 1),
    (56, 48, 36, 112, 3, 2, 1),
    (112, 24, 18, 112, 3, 1, 1),
    (112, 12, 9, 112, 3, 1, 1),
    (48, 48, 36, 48, 3, 1, 1),
)
RESNET_SHAPES: tuple[Shape, ...] = (
    (3, 224, 224, 64, 7, 2, 3),
    (64, 56, 56, 64, 3, 1, 1),
    (64, 56, 56, 128, 3, 2, 1),
    (64, 56, 56, 128, 1, 2, 0),
    (128, 28, 28, 128, 3, 1, 1),
    (128, 28, 28, 256, 3, 2, 1),
    (256, 14, 14, 256, 3, 1, 1),
    (256, 14, 14, 512, 3, 2, 1),
    (512, 7, 7, 512, 3, 1, 1),
)
# With any integers, as no ReLU and no training leaves them.
ANY_SHAPE: Shape = (128, 28, 28, 128, 3, 1, 1)
PAGE_HEIGHT, PAGE_WIDTH = 384, 288
INPUT_SCALE, OUTPUT_SCALE = 4 / 128, 1 / 32


def conv_cases(limits: Limits, *, threads: int) -> Iterator[Case]:
    """W8A8 convolutions of one image, float32 in and out, channels last; and the page net."""
    for net, shapes in (("page net", PAGE_SHAPES), ("ResNet-18", RESNET_SHAPES)):
        for shape in shapes:
            x = random_image(shape) if shape[0] == 3 else random_image(shape).relu_()
            yield conv_case(net, shape, trained_conv(shape), x, limits=limits, threads=threads)
    layer = conv_of(ANY_SHAPE, torch.randint(0, 256, _weight_shape(ANY_SHAPE), generator=_seeded()))
    yield conv_case("any integers", ANY_SHAPE, layer, random_image(ANY_SHAPE), limits=limits, threads=threads)
    yield page_net_case()


def conv_case(net: str, shape: Shape, layer: PackedConv2d, x: torch.Tensor, *, limits: Limits, threads: int) -> Case:
    """One convolution of `x` by `layer`."""
    channels, height, width, outputs, kernel, stride, padding = shape
    plain = place_on(nn.Conv2d(channels, outputs, kernel, stride, padding), torch.device("cpu"))
    engines: dict[str, dict[str, Call]] = {FARTHING: {"": apply(layer, x)}, "torch": {"fp32": apply(plain, x)}}
    onnx = _onnx_call(shape, x, threads)
    if onnx is not None:
        engines["onnxruntime"] = {"int8": onnx}
    size = ((height + 2 * padding - kernel) // stride + 1) * ((width + 2 * padding - kernel) // stride + 1)
    operations = 2 * size * outputs * channels * kernel**2
    name = f"{net}, {channels} x {height} x {width} to {outputs}, {kernel} x {kernel} / {stride}"
    least = product_limit(limits, is_binary=False, operations=operations)
    return Case(work="conv", name=name, bits=8, batch=1, engines=engines, least_us=least)


def random_image(shape: Shape) -> torch.Tensor:
    """Normally distributed numbers, a fourth of the quantizer's range wide, channels last."""
    channels, height, width, *_ = shape
    x = torch.randn(1, channels, height, width, generator=_seeded())
    return x.contiguous(memory_format=torch.channels_last)


def trained_conv(shape: Shape) -> PackedConv2d:
    """Weights as training leaves them: normally distributed, of each output the largest has the last level."""
    weight = torch.randn(_weight_shape(shape), generator=_seeded())
    levels = weight / weight.abs().amax((1, 2, 3), keepdim=True) * 127
    return conv_of(shape, levels.round_() + 128)


def conv_of(shape: Shape, codes: torch.Tensor) -> PackedConv2d:
    """A packed convolution of these codes [outputs, channels, kernel, kernel]."""
    outputs, _, kernel, _ = codes.shape
    *_, stride, padding = shape
    layer = PackedConv2d(
        ConvDescription(
            weight_shape=(outputs, shape[0], kernel, kernel),
            geometry=ConvGeometry(stride=(stride, stride), padding=(padding, padding), dilation=(1, 1), groups=1),
            bits=8,
            activation_bits=8,
            has_bias=True,
            num_scales=outputs,
        )
    )
    layer.codes.copy_(codes.flatten(1))
    layer.scale.fill_(0.001)
    assert layer.activation_scale is not None, "it has activation bits"
    layer.activation_scale.fill_(INPUT_SCALE)
    return layer


def _weight_shape(shape: Shape) -> tuple[int, int, int, int]:
    channels, _, _, outputs, kernel, *_ = shape
    return outputs, channels, kernel, kernel


def _seeded() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def _onnx_call(shape: Shape, x: torch.Tensor, threads: int) -> Call | None:
    """QuantizeLinear, QLinearConv, DequantizeLinear: u8 inputs, i8 weights."""
    try:
        from bench.onnxconv import conv_session
    except ImportError:
        return None
    session, feeds = conv_session(shape, threads), {"x": x.contiguous().numpy()}
    return lambda: session.run(None, feeds)


def page_net_case() -> Case:
    """The shipped page detector in 8 bits against the same net in float32, a page at a time."""
    model = load_named("builtin")
    packed = place_on(model.network.eval(), torch.device("cpu"))
    plain = place_on(build_detector(model.config).eval(), torch.device("cpu"))
    page = torch.randn(1, 1, PAGE_HEIGHT, PAGE_WIDTH, generator=torch.Generator().manual_seed(0))
    page = page.contiguous(memory_format=torch.channels_last)
    engines: dict[str, dict[str, Call]] = {
        FARTHING: {"": apply(packed, page)},
        "torch": {"fp32": apply(plain, page), "fp32, fused norms": apply(pack(plain), page)},
    }
    return Case(work="conv", name=f"page net, whole, {PAGE_HEIGHT} x {PAGE_WIDTH}", bits=8, batch=1, engines=engines)
