"""PyTorch's own quantized operators: packed tables, linear layers with int8 weights and inputs rounded on the way.

Tables keep their bits in torch's row-wise layout, a table of 1 bit as 2 bits; a float table stays float.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from farthing.lowbit.packed import PackedTable
from farthing.lowbit.rowwise import row_wise
from farthing.recommend.peers.eager import on_batches
from farthing.recommend.peers.engine import Network, Subject
from farthing.recommend.peers.floats import rebuilt

# torch's engines of quantized linear layers. "x86" picks between the other two by shape and instruction set.
ENGINES = ("x86", "onednn", "fbgemm")

_LOOKUPS = {8: "byte", 4: "4bit", 2: "2bit", 1: "2bit"}


class Int8Linear(nn.Module):
    """int8 weights, one scale per output; the input is rounded to 8 bits between its smallest and largest value.

    Args:
        linear: the layer in float32.
        has_relu: whether the output goes through a ReLU, which the operator does on the way.
    """

    def __init__(self, linear: nn.Linear, *, has_relu: bool) -> None:
        super().__init__()
        integers, scale = round_weight(linear.weight.detach())
        zeros = torch.zeros(len(scale), dtype=torch.int64)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "torch.quantize_per_tensor", UserWarning)  # torch means to drop them
            weight = torch._make_per_channel_quantized_tensor(integers, scale.double(), zeros, 0)  # noqa: SLF001
        self.packed = torch.ops.quantized.linear_prepack(weight, linear.bias.detach())
        # fbgemm adds pairs of products in 16 bits, which saturate: torch's own default takes 7 bits of the input.
        self.reduce_range = torch.backends.quantized.engine != "onednn"
        self.operator = torch.ops.quantized.linear_relu_dynamic if has_relu else torch.ops.quantized.linear_dynamic

    def forward(self, x: Tensor) -> Tensor:
        """The product, plus the bias."""
        result: Tensor = self.operator(x, self.packed, self.reduce_range)
        return result


class RowWiseBag(nn.Module):
    """Sums of rows of a packed table, by torch's operator; call signature of `torch.nn.EmbeddingBag`."""

    def __init__(self, table: PackedTable) -> None:
        super().__init__()
        name = _LOOKUPS[table.description.bits]
        self.rows = row_wise(table, "torch")
        self.operator = getattr(torch.ops.quantized, f"embedding_bag_{name}_rowwise_offsets")

    def forward(self, indices: Tensor, offsets: Tensor) -> Tensor:
        """The sum of every bag."""
        result: Tensor = self.operator(self.rows, indices, offsets, mode=0, include_last_offset=True)
        return result


def round_weight(weight: Tensor, largest: int = 127) -> tuple[Tensor, Tensor]:
    """The nearest integers in [-largest, largest] of each row, and the scale of each row."""
    scale = weight.abs().amax(1).clamp_min(torch.finfo(torch.float32).tiny) / largest
    return (weight / scale.unsqueeze(1)).round().to(torch.int8), scale


def int8_layers(layers: nn.Sequential) -> nn.Sequential:
    """Linear layers and activations with int8 weights, packed by torch's engine of the moment."""
    result: list[nn.Module] = []
    for place, layer in enumerate(layers):
        follower = layers[place + 1] if place + 1 < len(layers) else None
        if isinstance(layer, nn.Linear):
            result.append(Int8Linear(layer, has_relu=isinstance(follower, nn.ReLU)))
        elif not isinstance(layer, nn.ReLU):
            result.append(layer)
    return nn.Sequential(*result)


def build(subject: Subject) -> Mapping[str, Network]:
    """One variant per engine; all follow torch's threads."""
    table = subject.model.network.embedding
    rows = RowWiseBag(table) if isinstance(table, PackedTable) else subject.plain.embedding
    networks = {}
    before = torch.backends.quantized.engine
    try:
        for engine in ENGINES:
            if engine in torch.backends.quantized.supported_engines:
                torch.backends.quantized.engine = engine
                networks[engine] = on_batches(rebuilt(subject.plain, embedding=rows, mlp=int8_layers))
    finally:
        torch.backends.quantized.engine = before
    return networks
