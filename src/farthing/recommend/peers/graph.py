"""A DLRM as an ONNX graph, in full precision or with int8 products.

ONNX's standard has no fused int8 layer, so the int8 graphs use ONNX Runtime's own operators (domain com.microsoft), the
ones that its quantizer and its optimizer end at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from farthing.recommend.model import Dlrm
from farthing.recommend.peers.int8 import round_weight

TABLE: Final = "table"
_OPSETS: Final = (("", 17), ("com.microsoft", 1))
_IR_VERSION: Final = 9

Array = npt.NDArray[Any]  # Any: of several dtypes

# Adds a Linear to a graph, with the activation that follows it or None: (graph, layer, activation, input) -> output.
AddLinear = Callable[["Graph", nn.Linear, nn.Module | None, str], str]


class Graph:
    """Nodes and constants of a graph that is being made; every output gets a name of its own."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def add(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:  # Any: ONNX attributes
        """The name of the new node's output."""
        output = f"{operator}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], domain=domain, **attributes))
        return output

    def constant(self, value: Array | torch.Tensor) -> str:
        """The name of a constant."""
        name = f"constant_{len(self.constants)}"
        array = value.detach().numpy() if isinstance(value, torch.Tensor) else value
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name


def dlrm_graph(network: Dlrm, add_linear: AddLinear) -> bytes:
    """The serialised model: inputs `dense` [rows, numbers] and `ids` [rows, fields], output `logits` [rows, 1].

    The table is an external constant `TABLE`: a session gets its memory from the caller, without a copy.

    Args:
        network: in full precision, without norms (`float_network`).
        add_linear: how a linear layer is computed.
    """
    graph = Graph()
    vectors = graph.add("Gather", TABLE, "ids", axis=0)
    num_fields, dim = len(network.table_rows), network.embedding_dim
    if isinstance(network.bottom, nn.Sequential):
        passed_on = add_mlp(graph, network.bottom, "dense", add_linear)
        first = graph.add("Unsqueeze", passed_on, graph.constant(np.array([1])))
        vectors = graph.add("Concat", first, vectors, axis=1)
    else:
        passed_on = graph.add("Reshape", vectors, graph.constant(np.array([-1, num_fields * dim])))
    turned = graph.add("Transpose", vectors, perm=[0, 2, 1])
    products = graph.add("MatMul", vectors, turned)
    flat = graph.add("Reshape", products, graph.constant(np.array([-1, network.num_vectors**2])))
    pairs = graph.add("Gather", flat, graph.constant(network.pairs), axis=1)
    logits = add_mlp(graph, network.top, graph.add("Concat", passed_on, pairs, axis=1), add_linear)
    inputs = [
        helper.make_tensor_value_info("ids", TensorProto.INT64, ["rows", num_fields]),
    ]
    if network.bottom is not None:
        inputs.append(helper.make_tensor_value_info("dense", TensorProto.FLOAT, ["rows", network.num_dense]))
    return serialise(graph, inputs, logits, shape=["rows", 1], external={TABLE: (sum(network.table_rows), dim)})


def linear_graph(layer: nn.Linear, add_linear: AddLinear) -> bytes:
    """The serialised model of one linear layer: input `x`, output `logits`."""
    graph = Graph()
    output = add_linear(graph, layer, None, "x")
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", layer.in_features])]
    return serialise(graph, inputs, output, shape=["rows", layer.out_features], external={})


def serialise(
    graph: Graph,
    inputs: Sequence[onnx.ValueInfoProto],
    output: str,
    *,
    shape: Sequence[int | str],
    external: dict[str, Sequence[int]],
) -> bytes:
    """The bytes of a model with one output, `logits`, of this shape."""
    graph.nodes.append(helper.make_node("Identity", [output], ["logits"]))
    result = helper.make_tensor_value_info("logits", TensorProto.FLOAT, shape)
    constants = [*graph.constants, *(_external(name, shape) for name, shape in external.items())]
    made = helper.make_graph(graph.nodes, "farthing", inputs, [result], constants)
    opsets = [helper.make_opsetid(domain, version) for domain, version in _OPSETS]
    content: bytes = helper.make_model(made, opset_imports=opsets, ir_version=_IR_VERSION).SerializeToString()
    return content


def _external(name: str, shape: Sequence[int]) -> onnx.TensorProto:
    tensor = onnx.TensorProto(name=name, data_type=TensorProto.FLOAT, dims=shape)
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=name)
    return tensor


def add_mlp(graph: Graph, layers: nn.Sequential, x: str, add_linear: AddLinear) -> str:
    """The output of linear layers and activations."""
    steps = [*layers, None]
    for layer, follower in pairwise(steps):
        if isinstance(layer, nn.Linear):
            activation = None if isinstance(follower, nn.Linear) else follower
            x = add_linear(graph, layer, activation, x)
    return x


def add_activation(graph: Graph, activation: nn.Module | None, x: str) -> str:
    """The output of a ReLU, a PReLU or nothing."""
    if isinstance(activation, nn.PReLU):
        return graph.add("PRelu", x, graph.constant(activation.weight))
    return x if activation is None else graph.add("Relu", x)


def add_float(graph: Graph, layer: nn.Linear, activation: nn.Module | None, x: str) -> str:
    """Full precision."""
    product = graph.add("Gemm", x, graph.constant(layer.weight), graph.constant(layer.bias), transB=1)
    return add_activation(graph, activation, product)


def dynamic_linear(largest_weight: int) -> AddLinear:
    """int8 weights; the input is rounded to u8 between its smallest and largest value."""

    def add(graph: Graph, layer: nn.Linear, activation: nn.Module | None, x: str) -> str:
        integers, scale = round_weight(layer.weight.detach(), largest_weight)
        zeros = torch.zeros_like(scale, dtype=torch.int8)
        constants = [graph.constant(value) for value in (integers.t(), scale, zeros, layer.bias)]
        product = graph.add("DynamicQuantizeMatMul", x, *constants, domain="com.microsoft")
        return add_activation(graph, activation, product)

    return add


def static_linear(largest_weight: int, ranges: Mapping[nn.Linear, tuple[float, float]]) -> AddLinear:
    """int8 weights; the input is rounded to u8 between what a sample's smallest and largest value were.

    Args:
        largest_weight: integers of weights are in [-largest_weight, largest_weight].
        ranges: for every linear layer the smallest and largest value of its input.
    """

    def add(graph: Graph, layer: nn.Linear, activation: nn.Module | None, x: str) -> str:
        low, high = ranges[layer]
        input_scale = max(high - low, 1e-6) / 255
        zero = np.uint8(np.clip(round(-low / input_scale), 0, 255))
        integers, scale = round_weight(layer.weight.detach(), largest_weight)
        bias = (layer.bias.detach() / (scale * input_scale)).round().to(torch.int32)
        x_scale, x_zero = graph.constant(np.array(input_scale, np.float32)), graph.constant(np.array(zero))
        rounded = graph.add("QuantizeLinear", x, x_scale, x_zero)
        weight = [graph.constant(v) for v in (integers, scale, torch.zeros_like(scale, dtype=torch.int8), bias)]
        product = graph.add("QGemm", rounded, x_scale, x_zero, *weight, transB=1, domain="com.microsoft")
        return add_activation(graph, activation, product)

    return add
