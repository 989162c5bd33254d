"""Linear layers in the native extension: the same results as `ops.linear`, from weights that stay packed."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from farthing.lowbit import native
from farthing.lowbit.levels import Bits
from farthing.lowbit.ops import ActivationScale

# A count of differing bits has 16 bits, a sum of 8-bit products 32.
_MAX_INPUTS = 65535


def native_product(
    codes: UInt8[Tensor, "out stride"],
    bits: Bits,
    num_inputs: int,
    *,
    scale: Float[Tensor, " scales"],
    bias: Float[Tensor, " out"] | None,
    activation: ActivationScale | None,
) -> Any:  # Any: an object of the extension
    """The packed weight as the extension multiplies it, or None where only torch does.

    That is: without the extension, on another device than the CPU, and for an input that stays float.
    """
    extension = native.extension()
    if extension is None or activation is None or codes.device.type != "cpu" or num_inputs > _MAX_INPUTS:
        return None
    return extension.Product(
        codes.numpy(),
        bits,
        num_inputs,
        scale.numpy(),
        None if bias is None else bias.numpy(),
        activation.scale.item(),
        activation.bits,
    )


def takes_rows(x: Tensor) -> bool:
    """Whether the extension multiplies this input; a subclass of Tensor may stand for something else than numbers."""
    return type(x) is Tensor and x.dtype is torch.float32 and x.is_cpu


def native_linear(
    x: Float[Tensor, "*batch in_features"],
    product: Any,  # of `native_product`
) -> Float[Tensor, "*batch out_features"]:
    """`ops.linear` by the extension, for an input that it takes (`takes_rows`); without a gradient."""
    outputs: Tensor = product.linear(x.contiguous(), None, torch.get_num_threads())
    return outputs
