"""Packed layers as ONNX graphs of standard operators (opset 21), with the arithmetic of docs/format.md.

| layer | operators |
|---|---|
| PackedLinear, quantized input | QuantizeLinear to int8, MatMulInteger: the exact integer sum; Mul, Add |
| PackedLinear, float input | the integers as float32 in MatMul; Mul, Add |
| PackedConv2d | the integers as float32 in Conv: exact up to sums of 2^24; Mul, Add |
| packed tables | Gather of packed bytes, BitShift, BitwiseAnd; only looked-up rows are unpacked |

Weights of 8 bits are INT8, those of 4, 2 and 1 bit are INT4, the narrowest type that runtimes read. Tables keep their
packed bytes. ONNX itself is optional and imported when a graph is begun.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from farthing.base.errors import ConfigError
from farthing.lowbit.folding import gain_and_shift
from farthing.lowbit.levels import LEVEL_UNIT, LOWEST_LEVEL, Bits, level_of_code
from farthing.lowbit.packed import ConvDescription, FoldedNorm, PackedConv2d, PackedLinear, PackedProduct, PackedTable
from farthing.lowbit.packing import unpack

OPSET, IR_VERSION = 21, 10
INSTALL = "pip install 'farthing[onnx]'"

Array = npt.NDArray[Any]  # Any: of the types that ONNX knows


class OnnxGraph:
    """A graph that grows node by node; a value is the name of a node's output.

    Raises:
        ConfigError: ONNX is not installed.
    """

    def __init__(self) -> None:
        try:
            import onnx
        except ImportError as error:
            raise ConfigError(f"onnx: cannot be imported ({error}); install it: {INSTALL}") from error
        self._onnx = onnx
        self._nodes: list[Any] = []  # Any: onnx carries no types
        self._constants: list[Any] = []

    def constant(self, value: Tensor | Array | float | Sequence[int]) -> str:
        """A constant in the type of `value`: a tensor, an array, a float32 or a list of int64."""
        array: Array = value.detach().cpu().numpy() if isinstance(value, Tensor) else np.asarray(value)
        if isinstance(value, float):
            array = array.astype(np.float32)
        name = f"constant_{len(self._constants)}"
        self._constants.append(self._onnx.numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def int4(self, values: Tensor) -> str:
        """A constant of type INT4: integers from -8 to 7, two in a byte, the first one low."""
        nibbles = values.flatten().to(torch.int8).view(torch.uint8) & 15
        nibbles = torch.cat([nibbles, nibbles.new_zeros(len(nibbles) % 2)])
        raw = bytes((nibbles[0::2] | nibbles[1::2] << 4).tolist())
        name = f"constant_{len(self._constants)}"
        kind = self._onnx.TensorProto.INT4
        self._constants.append(self._onnx.helper.make_tensor(name, kind, tuple(values.shape), raw, raw=True))
        return name

    def node(self, operator: str, *inputs: str, **attributes: Any) -> str:  # Any: attributes of ONNX operators
        """The output of a new node."""
        name = f"{operator}_{len(self._nodes)}"
        self._nodes.append(self._onnx.helper.make_node(operator, list(inputs), [name], name=name, **attributes))
        return name

    def cast(self, value: str, kind: str) -> str:
        """`value` as FLOAT, INT8, ..."""
        return self.node("Cast", value, to=getattr(self._onnx.TensorProto, kind))

    def model(self, inputs: dict[str, tuple[str, list[Any]]], outputs: dict[str, tuple[str, str, list[Any]]]) -> Any:
        """The checked model (an `onnx.ModelProto`).

        Args:
            inputs: name to type and shape; a text in a shape names an axis that varies.
            outputs: name to value, type and shape.
        """
        helper, kinds = self._onnx.helper, self._onnx.TensorProto
        ends = [helper.make_node("Identity", [value], [name]) for name, (value, _, _) in outputs.items()]
        graph = helper.make_graph(
            [*self._nodes, *ends],
            "farthing",
            [helper.make_tensor_value_info(name, getattr(kinds, kind), axes) for name, (kind, axes) in inputs.items()],
            [
                helper.make_tensor_value_info(name, getattr(kinds, kind), axes)
                for name, (_, kind, axes) in outputs.items()
            ],
            self._constants,
        )
        opset = helper.make_opsetid("", OPSET)
        model = helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION, producer_name="farthing")
        self._onnx.checker.check_model(model)
        return model


def add_module(graph: OnnxGraph, x: str, module: nn.Module) -> str:
    """The value of `module`, in evaluation mode, for the value `x`.

    Raises:
        ConfigError: the module is none of those that are packed or that a packed DLRM holds.
    """
    match module:
        case nn.Sequential():
            for part in module:
                x = add_module(graph, x, part)
            return x
        case FoldedNorm() | nn.Identity() | nn.Dropout():
            return x
        case PackedLinear():
            return _linear(graph, x, module)
        case PackedConv2d():
            return _conv2d(graph, x, module)
        case nn.Linear():
            return _scaled(graph, graph.node("MatMul", x, graph.constant(module.weight.t())), None, module.bias)
        case nn.BatchNorm1d() | nn.BatchNorm2d():
            gain, shift = (
                values.view(-1, *[1] * (2 * isinstance(module, nn.BatchNorm2d))) for values in gain_and_shift(module)
            )
            return _scaled(graph, x, gain, shift)
        case nn.ReLU():
            return graph.node("Relu", x)
        case nn.PReLU():
            return graph.node("PRelu", x, graph.constant(module.weight))
    raise ConfigError(f"model: no ONNX graph for a {type(module).__name__}")


def add_rows(graph: OnnxGraph, indices: str, table: nn.Module, *, groups: str | None = None) -> str:
    """The rows of a table, float or packed, that the int64 value `indices` names: one more axis.

    Args:
        graph: grows.
        indices: of any shape.
        table: its weight is used; bags, `padding_idx` and per-sample weights are the caller's.
        groups: the scale of each index, for a table with scales of groups; computed where not given.
    """
    if isinstance(table, nn.Embedding | nn.EmbeddingBag):
        return graph.node("Gather", graph.constant(table.weight), indices, axis=0)
    if not isinstance(table, PackedTable):
        raise ConfigError(f"model: no ONNX graph for a {type(table).__name__}")
    rows = _levels(graph, graph.node("Gather", graph.constant(table.codes), indices, axis=0), table)
    which = {"row": indices, "group": groups}.get(table.description.granularity)
    if table.group_starts is not None and which is None:
        which = group_of(graph, graph.node("Unsqueeze", indices, graph.constant([-1])), table.group_starts)
    rows = graph.node("Mul", rows, _per_row(graph, table.scale, which))
    return rows if table.offset is None else graph.node("Add", rows, _per_row(graph, table.offset, which))


def group_of(graph: OnnxGraph, indices: str, starts: Tensor) -> str:
    """How many of `starts`, compared along the last axis, are at most each index, less one: its group."""
    reached = graph.cast(graph.node("GreaterOrEqual", indices, graph.constant(starts)), "INT64")
    count = graph.node("ReduceSum", reached, graph.constant([-1]), keepdims=0)
    return graph.node("Sub", count, graph.constant([1]))


def _per_row(graph: OnnxGraph, values: Tensor, which: str | None) -> str:
    if which is None:
        return graph.constant(values)
    return graph.node("Unsqueeze", graph.node("Gather", graph.constant(values), which, axis=0), graph.constant([-1]))


def _levels(graph: OnnxGraph, packed: str, table: PackedTable) -> str:
    """The levels of rows of packed bytes."""
    bits, columns = table.description.bits, table.num_columns
    codes = packed
    if bits != 8:
        shifts = graph.constant(np.arange(0, 8, bits, dtype=np.uint8))
        bytes_of = graph.node("Unsqueeze", packed, graph.constant([-1]))
        shifted = graph.node("BitShift", bytes_of, shifts, direction="RIGHT")
        codes = graph.node("BitwiseAnd", shifted, graph.constant(np.array([2**bits - 1], dtype=np.uint8)))
        # The last two axes, bytes and codes in a byte, become one; its end may be padding.
        merged = graph.node("Concat", graph.node("Shape", packed, end=-1), graph.constant([-1]), axis=0)
        codes = graph.node("Reshape", codes, merged)
        ends = (graph.constant([0]), graph.constant([columns]), graph.constant([-1]))
        codes = graph.node("Slice", codes, *ends)
    levels = graph.cast(codes, "FLOAT")
    if bits == 1:
        return graph.node("Sub", graph.constant(1.0), graph.node("Add", levels, levels))
    return graph.node("Add", levels, graph.constant(LOWEST_LEVEL[bits]))


def _linear(graph: OnnxGraph, x: str, layer: PackedLinear) -> str:
    bits, activation_bits = layer.description.bits, layer.description.activation_bits
    weight = _weight(graph, layer, _integers(layer).t())
    if activation_bits is None or layer.activation_scale is None:
        # Not DequantizeLinear: onnxruntime fuses it with MatMul into a product that rounds the input to 8 bits.
        total = graph.node("MatMul", x, graph.cast(weight, "FLOAT"))
        return _scaled(graph, total, layer.scale * LEVEL_UNIT[bits], layer.bias)
    integers = _input_integers(graph, x, layer.activation_scale, activation_bits)
    total = graph.node("MatMulInteger", integers, graph.cast(weight, "INT8") if bits != 8 else weight)
    step = layer.scale * (layer.activation_scale * (LEVEL_UNIT[bits] * LEVEL_UNIT[activation_bits]))
    return _scaled(graph, graph.cast(total, "FLOAT"), step, layer.bias)


def _conv2d(graph: OnnxGraph, x: str, layer: PackedConv2d) -> str:
    description, place = layer.description, layer.description.geometry
    bits, activation_bits = description.bits, description.activation_bits
    weight = graph.cast(_weight(graph, layer, _integers(layer)), "FLOAT")
    step = layer.scale * LEVEL_UNIT[bits]
    if activation_bits is not None and layer.activation_scale is not None:
        x = graph.cast(_input_integers(graph, x, layer.activation_scale, activation_bits), "FLOAT")
        step = layer.scale * (layer.activation_scale * (LEVEL_UNIT[bits] * LEVEL_UNIT[activation_bits]))
    total = graph.node(
        "Conv",
        x,
        weight,
        strides=list(place.stride),
        pads=_pads(description),
        dilations=list(place.dilation),
        group=place.groups,
    )
    bias = None if layer.bias is None else layer.bias.view(-1, 1, 1)
    return _scaled(graph, total, step.view(-1, 1, 1), bias)


def _pads(description: ConvDescription) -> list[int]:
    """Rows above, columns left, rows below, columns right; "same" puts the odd one behind, as torch does."""
    place, kernel = description.geometry, description.weight_shape[2:]
    if place.padding == "same":
        total = [dilation * (size - 1) for dilation, size in zip(place.dilation, kernel, strict=True)]
        before = [pad // 2 for pad in total]
        return [*before, *(pad - first for pad, first in zip(total, before, strict=True))]
    pads = (0, 0) if place.padding == "valid" else place.padding
    return [*pads, *pads]


def _integers(layer: PackedProduct) -> Tensor:
    """The integers of a packed weight, in its own shape."""
    bits = layer.description.bits
    levels = level_of_code(unpack(layer.codes, bits, layer.num_columns), bits) / LEVEL_UNIT[bits]
    return levels.reshape(layer.description.weight_shape).to(torch.int8)


def _weight(graph: OnnxGraph, layer: PackedProduct, integers: Tensor) -> str:
    return graph.constant(integers) if layer.description.bits == 8 else graph.int4(integers)


def _input_integers(graph: OnnxGraph, x: str, scale: Tensor, bits: Bits) -> str:
    """The integers of the input, INT8; see the table in docs/format.md."""
    if bits == 1:
        minus, plus = (graph.constant(np.array(value, dtype=np.int8)) for value in (-1, 1))
        return graph.node("Where", graph.node("Less", x, graph.constant(0.0)), minus, plus)
    if bits == 2:
        clipped = graph.node(
            "Clip", graph.node("Div", x, graph.constant(scale)), graph.constant(-1.5), graph.constant(1.5)
        )
        rounded = graph.node("Round", graph.node("Sub", clipped, graph.constant(0.5)))
        odd = graph.node("Add", graph.node("Add", rounded, rounded), graph.constant(1.0))
        return graph.cast(odd, "INT8")
    zero = graph.constant(np.array(0, dtype=np.int8))
    integers = graph.node("QuantizeLinear", x, graph.constant(scale.squeeze(0)), zero)
    if bits == 8:
        return integers
    return graph.node("Clip", integers, *(graph.constant(np.array(end, dtype=np.int8)) for end in (-8, 7)))


def _scaled(graph: OnnxGraph, x: str, scale: Tensor | None, bias: Tensor | None) -> str:
    if scale is not None:
        x = graph.node("Mul", x, graph.constant(scale))
    return x if bias is None else graph.node("Add", x, graph.constant(bias))
