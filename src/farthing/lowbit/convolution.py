"""The native convolution: the arithmetic of `ops.conv2d` on packed codes, for images with channels last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from farthing.lowbit import native
from farthing.lowbit.levels import Bits
from farthing.lowbit.ops import ActivationScale, ConvGeometry
from farthing.lowbit.packing import pack

# With fewer outputs in a group most lanes of a product idle, and torch's convolution of floats is faster (measured).
_MIN_GROUP_OUTPUTS = 8

# What the extension refuses.
_MAX_EXTENT = 4096
_MAX_CHANNELS = 2**16
_MAX_WEIGHTS = 2**16 - 1


class _Axis(NamedTuple):
    """Where a kernel goes along one axis of the image, in the order that the extension takes."""

    kernel: int
    stride: int
    dilation: int
    pad_before: int
    pad_after: int

    @property
    def extent(self) -> int:
        """Pixels from the first to the last under the kernel."""
        return self.dilation * (self.kernel - 1) + 1

    def is_supported(self) -> bool:
        return (
            1 <= self.extent <= _MAX_EXTENT
            and 1 <= self.dilation <= _MAX_EXTENT
            and 1 <= self.stride <= _MAX_EXTENT
            and 0 <= min(self.pad_before, self.pad_after) <= max(self.pad_before, self.pad_after) < self.extent
        )

    @property
    def least_size(self) -> int:
        """Pixels of the smallest image that has a result."""
        return max(1, self.extent - self.pad_before - self.pad_after)


@dataclass(frozen=True, slots=True)
class NativeConv2d:
    """A convolution in the extension's memory; `native_conv2d` makes it.

    Attributes:
        kernel: the extension's object.
        num_channels: of the input.
        least_size: height and width of the smallest image that has a result.
    """

    kernel: Any  # Any: the extension is not typed
    num_channels: int
    least_size: tuple[int, int]

    def takes(self, x: Tensor) -> bool:
        """Whether `x` is for the kernel; every other input is for `ops.conv2d`, which says what is wrong with it.

        A subclass of Tensor may stand for something else than numbers in memory.
        """
        if not (type(x) is Tensor and x.is_cpu and x.dtype is torch.float32 and x.ndim in (3, 4)):
            return False
        channels, height, width = x.shape[-3:]
        is_large_enough = height >= self.least_size[0] and width >= self.least_size[1]
        return channels == self.num_channels and is_large_enough and not torch.compiler.is_compiling()

    def __call__(
        self, x: Float[Tensor, "*batch in_channels height width"]
    ) -> Float[Tensor, "*batch out_channels height2 width2"]:
        """The convolution of an input that this `takes`, laid out in memory like it.

        Channels last costs nothing; what has its channels first is laid out for the kernel, and its result again.
        """
        images = x if x.ndim == 4 else x.unsqueeze(0)
        pixels = images.permute(0, 2, 3, 1).contiguous()
        result: Tensor = self.kernel.forward(pixels, None, torch.get_num_threads()).permute(0, 3, 1, 2)
        if images.is_contiguous():
            result = result.contiguous()
        return result if x.ndim == 4 else result[0]


def native_conv2d(
    codes: UInt8[Tensor, "out group_channels kernel_height kernel_width"],
    bits: Bits,
    *,
    scale: Float[Tensor, " scales"],
    bias: Float[Tensor, " out"] | None,
    activation: ActivationScale | None,
    geometry: ConvGeometry,
    has_relu: bool = False,
) -> NativeConv2d | None:
    """What `ops.conv2d` computes with this weight, or None where the extension does not, or not faster.

    Args:
        codes: of the weight, one byte each.
        bits: of a code.
        scale: of the weight.
        bias: of the outputs.
        activation: how the input becomes integers, or None where it stays float.
        geometry: where the kernel goes.
        has_relu: whether max(y, 0) of the result y is what is wanted.
    """
    extension = native.extension()
    num_outputs, group_channels, *_ = codes.shape
    vertical, horizontal = (_axis(axis, codes.shape[2 + axis], geometry) for axis in (0, 1))
    num_channels = geometry.groups * group_channels
    is_supported = (
        vertical.is_supported()
        and horizontal.is_supported()
        and geometry.groups >= 1
        and num_outputs % geometry.groups == 0
        and max(num_channels, num_outputs) <= _MAX_CHANNELS
        and codes[0].numel() <= _MAX_WEIGHTS
    )
    is_worth = geometry.groups == 1 or num_outputs >= _MIN_GROUP_OUTPUTS * geometry.groups
    if extension is None or activation is None or codes.device.type != "cpu" or not (is_supported and is_worth):
        return None
    kernel = extension.Conv2d(
        pack(codes.permute(0, 2, 3, 1).flatten(1), bits).numpy(),
        scale.numpy(),
        None if bias is None else bias.numpy(),
        bits=bits,
        activation_scale=activation.scale.item(),
        activation_bits=activation.bits,
        channels=num_channels,
        groups=geometry.groups,
        vertical=vertical,
        horizontal=horizontal,
        has_relu=has_relu,
    )
    return NativeConv2d(kernel, num_channels, (vertical.least_size, horizontal.least_size))


def _axis(axis: int, kernel: int, geometry: ConvGeometry) -> _Axis:
    dilation = geometry.dilation[axis]
    if geometry.padding == "same":
        total = dilation * (kernel - 1)
        before, after = total // 2, total - total // 2
    else:
        before = after = 0 if geometry.padding == "valid" else geometry.padding[axis]
    return _Axis(kernel, geometry.stride[axis], dilation, before, after)
