"""A packed DLRM as the full-precision one with the same values: what peers start from, and what judges all engines."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from farthing.lowbit.folding import gain_and_shift
from farthing.lowbit.levels import LEVEL_UNIT, level_of_code
from farthing.lowbit.ops import ActivationScale
from farthing.lowbit.packed import FoldedNorm, PackedLinear, PackedTable
from farthing.lowbit.packing import unpack
from farthing.recommend.model import Dlrm
from farthing.recommend.modelfolder import ClickModel

# Rows of a table that are unpacked at once: enough to be fast, few enough that the copy is small.
_CHUNK_ROWS = 1 << 16


class Rounding(nn.Module):
    """x as its nearest level: what a packed layer makes of its input."""

    def __init__(self, activation: ActivationScale) -> None:
        super().__init__()
        self.activation = activation

    def forward(self, x: Tensor) -> Tensor:
        """The rounded values."""
        return self.activation.integers(x) * (self.activation.scale * LEVEL_UNIT[self.activation.bits])


@torch.no_grad()
def float_network(model: ClickModel, *, keep_rounding: bool = False, bag: nn.EmbeddingBag | None = None) -> Dlrm:
    """The DLRM in float32 whose weights have the values of the packed ones.

    Args:
        model: with packed or float layers.
        keep_rounding: rounds the inputs of linear layers where `model` does, and so gives the same logits. Without,
            inputs stay float and every normalisation is folded into the linear layer that it stands beside.
        bag: the table in float32, where it has been unpacked before.
    """
    convert = _rounded_layers if keep_rounding else _plain_layers
    table = bag or _float_bag(model.network.embedding)
    return rebuilt(model.network, embedding=table, mlp=lambda layers: nn.Sequential(*convert(layers)))


def rebuilt(network: Dlrm, *, embedding: nn.Module, mlp: Callable[[nn.Sequential], nn.Sequential]) -> Dlrm:
    """A DLRM with another embedding table and what `mlp` makes of each MLP; `network` is left as it was."""
    parts = [layers for layers in (network.bottom, network.top) if layers is not None]
    replaced: dict[int, object] = {id(layers): mlp(layers) for layers in parts}
    return copy.deepcopy(network, replaced | {id(network.embedding): embedding}).eval()


def _float_bag(table: nn.Module) -> nn.EmbeddingBag:
    assert isinstance(table, PackedTable | nn.EmbeddingBag), "a DLRM has no other tables"
    weight = table.weight.detach() if isinstance(table, nn.EmbeddingBag) else table_values(table)
    return nn.EmbeddingBag.from_pretrained(weight, mode="sum", include_last_offset=True)


def table_values(table: PackedTable) -> Tensor:
    """f32 [rows, dim]: all rows of a packed table."""
    rows = table.description.num_embeddings
    values = torch.empty(rows, table.num_columns)
    for start in range(0, rows, _CHUNK_ROWS):
        chunk = torch.arange(start, min(start + _CHUNK_ROWS, rows))
        values[start : start + len(chunk)] = table.lookup(chunk)
    return values


def linear_values(layer: PackedLinear) -> nn.Linear:
    """The Linear in float32 with the values of a packed one."""
    description = layer.description
    num_outputs, num_inputs = description.weight_shape
    levels = level_of_code(unpack(layer.codes, description.bits, num_inputs), description.bits)
    result = nn.Linear(num_inputs, num_outputs, bias=layer.bias is not None)
    result.weight.copy_(levels * layer.scale.unsqueeze(1))
    if layer.bias is not None:
        result.bias.copy_(layer.bias)
    return result


def _rounded_layers(layers: nn.Sequential) -> Iterator[nn.Module]:
    for layer in layers:
        bits = layer.description.activation_bits if isinstance(layer, PackedLinear) else None
        if isinstance(layer, PackedLinear) and bits is not None and layer.activation_scale is not None:
            yield Rounding(ActivationScale(layer.activation_scale, bits))
        yield linear_values(layer) if isinstance(layer, PackedLinear) else layer


def _plain_layers(layers: nn.Sequential) -> list[nn.Module]:
    """Linear layers and activations with the values of `layers` in eval mode, and nothing else."""
    result: list[nn.Module] = []
    norm: nn.BatchNorm1d | None = None
    for layer in layers:
        match layer:
            case PackedLinear() | nn.Linear():
                linear = linear_values(layer) if isinstance(layer, PackedLinear) else _copy(layer)
                result.append(linear if norm is None else _norm_before(norm, linear))
                norm = None
            case nn.BatchNorm1d() if result and isinstance(result[-1], nn.Linear):
                result[-1] = _norm_after(result[-1], layer)
            case nn.BatchNorm1d():
                norm = layer
            case nn.ReLU() | nn.PReLU():
                result.append(layer)
            case FoldedNorm() | nn.Dropout():
                pass
            case _:
                raise TypeError(f"an MLP of a DLRM has no {type(layer).__name__}")
    return result


def _copy(linear: nn.Linear) -> nn.Linear:
    return _linear(linear.weight, _bias(linear))


def _norm_before(norm: nn.BatchNorm1d, linear: nn.Linear) -> nn.Linear:
    gain, shift = gain_and_shift(norm)
    return _linear(linear.weight * gain, _bias(linear) + linear.weight @ shift)


def _norm_after(linear: nn.Linear, norm: nn.BatchNorm1d) -> nn.Linear:
    gain, shift = gain_and_shift(norm)
    return _linear(linear.weight * gain.unsqueeze(1), _bias(linear) * gain + shift)


def _bias(linear: nn.Linear) -> Tensor:
    # An annotation says that it is always there; Linear(bias=False) sets it to None.
    bias: Tensor | None = linear.bias
    return linear.weight.new_zeros(linear.out_features) if bias is None else bias


def _linear(weight: Tensor, bias: Tensor) -> nn.Linear:
    result = nn.Linear(weight.shape[1], weight.shape[0])
    result.weight.copy_(weight)
    result.bias.copy_(bias)
    return result
