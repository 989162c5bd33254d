"""One int8 convolution as an ONNX Runtime session."""

from __future__ import annotations

import numpy as np
import onnxruntime
from onnx import TensorProto, helper

from farthing.recommend.peers.graph import Graph, serialise
from farthing.recommend.peers.ort import largest_weight, open_session


def conv_session(shape: tuple[int, int, int, int, int, int, int], threads: int) -> onnxruntime.InferenceSession:
    """Input `x` float32 [1, channels, height, width]; u8 inputs and i8 weights with one scale per output inside.

    Args:
        shape: channels in, height, width, channels out, kernel, stride, padding.
        threads: of the session.
    """
    channels, height, width, outputs, kernel, stride, padding = shape
    generator, graph, largest = np.random.default_rng(0), Graph(), largest_weight()
    x_scale, y_scale = (graph.constant(np.array(value, np.float32)) for value in (4 / 128, 1 / 32))
    zero = graph.constant(np.array(128, np.uint8))
    weight = [
        graph.constant(generator.integers(-largest, largest + 1, (outputs, channels, kernel, kernel), dtype=np.int8)),
        graph.constant(np.full(outputs, 0.001, np.float32)),
        graph.constant(np.zeros(outputs, np.int8)),
    ]
    bias = graph.constant(generator.integers(-99, 99, outputs, dtype=np.int32))
    rounded = graph.add("QuantizeLinear", "x", x_scale, zero)
    inputs = (rounded, x_scale, zero, *weight, y_scale, zero, bias)
    result = graph.add("QLinearConv", *inputs, kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=[padding] * 4)
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, channels, height, width])
    output = graph.add("DequantizeLinear", result, y_scale, zero)
    shape_out = [
        1,
        outputs,
        (height + 2 * padding - kernel) // stride + 1,
        (width + 2 * padding - kernel) // stride + 1,
    ]
    return open_session(serialise(graph, [value], output, shape=shape_out, external={}), threads, {})
