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

# (channels in, height, width, channels out, kernel, stride, padding), one image.
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
IMAGE_CHANNELS = 3
PAGE_HEIGHT, PAGE_WIDTH = 384, 288
INPUT_SCALE, OUTPUT_SCALE = 4 / 128, 1 / 32


def conv_cases(limits: Limits, *, threads: int) -> Iterator[Case]:
    """W8A8 convolutions of one image, float32 in and out, channels last; and the page net.

    Layers of both nets take what is behind a ReLU, but for the first one, which takes the image. The same shapes with
    inputs of either sign are cases of their own.
    """
    for net, shapes in (("page net", PAGE_SHAPES), ("ResNet-18", RESNET_SHAPES)):
        for shape in shapes:
            layer, x = trained_conv(shape), random_image(shape)
            if shape[0] == IMAGE_CHANNELS:
                yield conv_case(net, shape, layer, x, limits=limits, threads=threads)
            else:
                yield conv_case(net, shape, layer, x.relu(), limits=limits, threads=threads)
                yield conv_case(f"signed inputs, {net}", shape, layer, x, limits=limits, threads=threads)
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
    """A packed convolution as training leaves one: normal weights, of each output the largest has the last level."""
    channels, _, _, outputs, kernel, stride, padding = shape
    layer = PackedConv2d(
        ConvDescription(
            weight_shape=(outputs, channels, kernel, kernel),
            geometry=ConvGeometry(stride=(stride, stride), padding=(padding, padding), dilation=(1, 1), groups=1),
            bits=8,
            activation_bits=8,
            has_bias=True,
            num_scales=outputs,
        )
    )
    weight = torch.randn(outputs, channels * kernel**2, generator=_seeded())
    layer.codes.copy_((weight / weight.abs().amax(1, keepdim=True) * 127).round_() + 128)
    layer.scale.fill_(0.001)
    assert layer.activation_scale is not None, "it has activation bits"
    layer.activation_scale.fill_(INPUT_SCALE)
    return layer


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
