"""The model file read by docs/format.md alone: bytes to numbers to outputs, in plain Python.

Shares no code with farthing.lowbit, and uses neither torch nor the safetensors package.
"""

from __future__ import annotations

import json
import math
import struct
from dataclasses import dataclass
from typing import Any

from tests.reference.packing import unpack_row

Rows = list[list[float]]
# Integer of a code, and what one integer is worth in units of the scale.
UNITS = {8: 1.0, 4: 1.0, 2: 0.5, 1: 1.0}
_NUMBERS = {"U8": "B", "F32": "f", "I64": "q"}


def integer(code: int, bits: int) -> int:
    """The integer that a code stands for."""
    return {8: code - 128, 4: code - 8, 2: 2 * code - 3, 1: 1 - 2 * code}[bits]


@dataclass(frozen=True)
class Array:
    """A tensor of the file: its shape and its numbers in row-major order."""

    shape: list[int]
    numbers: list[Any]


def read_safetensors(content: bytes) -> dict[str, Array]:
    """All tensors of a safetensors file."""
    (size,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + size])
    arrays = {}
    for name, entry in header.items():
        start, end = entry["data_offsets"]
        count = math.prod(entry["shape"])
        numbers = struct.unpack(f"<{count}{_NUMBERS[entry['dtype']]}", content[8 + size + start : 8 + size + end])
        arrays[name] = Array(entry["shape"], list(numbers))
    return arrays


@dataclass(frozen=True)
class Layer:
    """A packed layer: its entry in config.json and its tensors, by their last name."""

    description: dict[str, Any]
    tensors: dict[str, Array]

    def integers(self, num_columns: int) -> list[list[int]]:
        """The integers of every row."""
        bits, codes = self.description["bits"], self.tensors["codes"]
        stride = codes.shape[1]
        rows = [bytes(codes.numbers[i : i + stride]) for i in range(0, len(codes.numbers), stride)]
        return [[integer(code, bits) for code in unpack_row(row, bits, num_columns)] for row in rows]

    def numbers(self, name: str, index: int, default: float) -> float:
        """Number `index` of a tensor, the only one where it holds one, or the default where it is not there."""
        if name not in self.tensors:
            return default
        values = self.tensors[name].numbers
        return float(values[index if len(values) > 1 else 0])


def quantize_input(x: float, scale: float, bits: int) -> int:
    """The integer of an input: nearest level, ties to even, 2 bits mid-rise, 1 bit the sign."""
    if bits == 1:
        return 1 if x >= 0 else -1
    v = x / scale
    if bits == 2:
        return 2 * min(max(round(v - 0.5), -2), 1) + 1
    half = 1 << bits - 1
    return min(max(round(v), -half), half - 1)


def _product(layer: Layer, inputs: list[float], weights: list[int], channel: int) -> float:
    """One output: an integer sum, scaled, plus the bias."""
    bits, input_bits = layer.description["bits"], layer.description["activation_bits"]
    scale = layer.numbers("scale", channel, 1.0) * UNITS[bits]
    if input_bits is not None:
        scale *= layer.numbers("activation_scale", 0, 1.0) * UNITS[input_bits]
    total = math.fsum(x * w for x, w in zip(inputs, weights, strict=True))
    return scale * total + layer.numbers("bias", channel, 0.0)


def _inputs(layer: Layer, x: list[float]) -> list[float]:
    bits = layer.description["activation_bits"]
    if bits is None:
        return x
    return [float(quantize_input(value, layer.numbers("activation_scale", 0, 1.0), bits)) for value in x]


def linear(layer: Layer, rows: Rows) -> Rows:
    """A PackedLinear on rows of inputs."""
    weights = layer.integers(layer.description["in_features"])
    return [
        [_product(layer, _inputs(layer, row), channel_weights, c) for c, channel_weights in enumerate(weights)]
        for row in rows
    ]


def conv2d(layer: Layer, image: list[Rows]) -> list[Rows]:
    """A PackedConv2d on one image [channels][height][width]; padding in numbers, not in words."""
    out_channels, per_group, kernel_h, kernel_w = layer.description["weight_shape"]
    geometry = layer.description["geometry"]
    (stride_y, stride_x), (pad_y, pad_x), (dil_y, dil_x) = (geometry[k] for k in ("stride", "padding", "dilation"))
    weights = layer.integers(per_group * kernel_h * kernel_w)
    quantized = [[_inputs(layer, row) for row in channel] for channel in image]
    height, width = len(image[0]), len(image[0][0])
    out_h = (height + 2 * pad_y - dil_y * (kernel_h - 1) - 1) // stride_y + 1
    out_w = (width + 2 * pad_x - dil_x * (kernel_w - 1) - 1) // stride_x + 1
    result = []
    for c in range(out_channels):
        first = c // (out_channels // geometry["groups"]) * per_group

        def at(channel: int, y: int, x: int) -> float:
            return quantized[channel][y][x] if 0 <= y < height and 0 <= x < width else 0.0

        plane = []
        for oy in range(out_h):
            line = []
            for ox in range(out_w):
                patch = [
                    at(first + k, oy * stride_y - pad_y + ky * dil_y, ox * stride_x - pad_x + kx * dil_x)
                    for k in range(per_group)
                    for ky in range(kernel_h)
                    for kx in range(kernel_w)
                ]
                line.append(_product(layer, patch, weights[c], c))
            plane.append(line)
        result.append(plane)
    return result


def lookup(layer: Layer, index: int) -> list[float]:
    """One row of a packed table."""
    bits, dim = layer.description["bits"], layer.description["embedding_dim"]
    if index == layer.description.get("padding_idx"):
        return [0.0] * dim
    row = layer.integers(dim)[index]

    def which(column: int) -> int:
        starts = layer.description["group_starts"] or [0]
        group = sum(start <= index for start in starts) - 1
        places: dict[str, int] = {"table": 0, "group": group, "row": index, "dimension": column}
        return places[layer.description["granularity"]]

    return [
        layer.numbers("offset", which(j), 0.0) + layer.numbers("scale", which(j), 1.0) * UNITS[bits] * value
        for j, value in enumerate(row)
    ]


def bag(layer: Layer, indices: list[int], weights: list[float] | None = None) -> list[float]:
    """One bag of a PackedEmbeddingBag."""
    dim = layer.description["embedding_dim"]
    rows = [lookup(layer, index) for index in indices]
    factors = weights or [1.0] * len(rows)
    total = [math.fsum(factor * row[j] for factor, row in zip(factors, rows, strict=True)) for j in range(dim)]
    divisor = max(len(rows), 1) if layer.description["mode"] == "mean" else 1
    return [value / divisor for value in total]
