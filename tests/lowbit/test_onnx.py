"""ONNX graphs of packed layers, run by onnxruntime or ONNX's own evaluator, against the layers."""

from __future__ import annotations

import builtins
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from farthing.base.errors import ConfigError
from farthing.lowbit.granularity import Granularity
from farthing.lowbit.levels import Bits
from farthing.lowbit.onnx import OnnxGraph, add_module, add_rows
from farthing.lowbit.ops import ConvGeometry
from farthing.lowbit.packed import (
    ConvDescription,
    EmbeddingBagDescription,
    LinearDescription,
    PackedConv2d,
    PackedEmbeddingBag,
    PackedLinear,
)
from tests.lowbit.test_packed import filled

WIDTHS: tuple[Bits, ...] = (8, 4, 2, 1)


def graph() -> OnnxGraph:
    pytest.importorskip("onnx", reason="ONNX is not installed: pip install 'farthing[onnx]'")
    return OnnxGraph()


def run(model: Any, **inputs: Tensor) -> list[Tensor]:  # Any: an onnx.ModelProto
    """The outputs by onnxruntime where it is installed, else by ONNX's reference."""
    arrays = {name: value.numpy() for name, value in inputs.items()}
    try:
        import onnxruntime
    except ImportError:
        from onnx.reference import ReferenceEvaluator

        return [torch.from_numpy(np.array(out)) for out in ReferenceEvaluator(model).run(None, arrays)]
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return [torch.from_numpy(out) for out in session.run(None, arrays)]


def through_onnx(module: nn.Module, x: Tensor) -> Tensor:
    """What the graph of `module` gives."""
    grown = graph()
    out = add_module(grown, "x", module)
    shape = ["rows", *x.shape[1:]]
    (y,) = run(grown.model({"x": ("FLOAT", shape)}, {"y": (out, "FLOAT", [None] * module(x).ndim)}), x=x)
    return y


def linear(bits: Bits, activation_bits: Bits | None, *, num_scales: int = 5, in_features: int = 37) -> PackedLinear:
    """A layer with random codes and scales."""
    layer, _ = filled(
        LinearDescription(
            out_features=5,
            in_features=in_features,
            bits=bits,
            activation_bits=activation_bits,
            has_bias=num_scales > 1,
            num_scales=num_scales,
        )
    )
    assert isinstance(layer, PackedLinear)
    return layer


@pytest.mark.parametrize("num_scales", [1, 5])
@pytest.mark.parametrize("activation_bits", [None, *WIDTHS])
@pytest.mark.parametrize("bits", WIDTHS)
def test_linear(bits: Bits, activation_bits: Bits | None, num_scales: int) -> None:
    layer = linear(bits, activation_bits, num_scales=num_scales)
    x = torch.cat([torch.randn(6, 37) * 3, torch.zeros(1, 37), -torch.zeros(1, 37)])
    expected = layer(x)
    # Integer sums are equal; the last multiplication and addition may be fused. Float sums are rounded 37 times.
    rounding = 2**-22 if activation_bits is not None else 37 * 2**-22
    assert float((through_onnx(layer, x) - expected).abs().max()) <= rounding * float(expected.abs().max())


@pytest.mark.parametrize("activation_bits", [None, *WIDTHS])
@pytest.mark.parametrize("bits", WIDTHS)
@pytest.mark.parametrize("padding", [(1, 2), "same", "valid"])
def test_convolution(bits: Bits, activation_bits: Bits | None, padding: Any) -> None:
    layer, _ = filled(
        ConvDescription(
            weight_shape=(4, 3, 3, 2),
            geometry=ConvGeometry(stride=(1, 1), padding=padding, dilation=(1, 2), groups=2),
            bits=bits,
            activation_bits=activation_bits,
            has_bias=True,
            num_scales=4,
        )
    )
    assert isinstance(layer, PackedConv2d)
    x = torch.randn(2, 6, 7, 8)
    expected = layer(x)
    assert float((through_onnx(layer, x) - expected).abs().max()) <= 18 * 2**-22 * float(expected.abs().max())


@pytest.mark.parametrize("granularity", ["table", "group", "dimension", "row"])
@pytest.mark.parametrize("bits", WIDTHS)
def test_rows_of_a_table(bits: Bits, granularity: Granularity) -> None:
    layer, _ = filled(
        EmbeddingBagDescription(
            num_embeddings=9,
            embedding_dim=11,
            bits=bits,
            granularity=granularity,
            group_starts=(0, 2, 7) if granularity == "group" else None,
            has_offset=granularity != "table",
            mode="sum",
            include_last_offset=False,
        )
    )
    assert isinstance(layer, PackedEmbeddingBag)
    ids = torch.randint(0, 9, (4, 3))
    grown = graph()
    rows = add_rows(grown, "ids", layer)
    model = grown.model({"ids": ("INT64", ["rows", 3])}, {"y": (rows, "FLOAT", ["rows", 3, 11])})
    (out,) = run(model, ids=ids)
    assert float((out.flatten(0, 1) - layer.lookup(ids.flatten())).abs().max()) <= 2**-22 * 200
    assert sum(tensor.raw_data == layer.codes.numpy().tobytes() for tensor in model.graph.initializer) == 1


def test_what_stands_around_packed_layers() -> None:
    norm, slopes = nn.BatchNorm1d(6), nn.PReLU(6)
    nn.init.uniform_(norm.running_var, 0.5, 2.0)  # type: ignore[arg-type]
    nn.init.uniform_(slopes.weight)
    module = nn.Sequential(nn.Linear(4, 6), norm, slopes, nn.Dropout(), nn.Linear(6, 3), nn.ReLU()).eval()
    x = torch.randn(5, 4)
    assert torch.allclose(through_onnx(module, x), module(x), atol=1e-6)


def test_weights_of_few_bits_take_half_a_byte() -> None:
    sizes = {}
    for bits in (8, 4, 1):
        layer, grown = linear(bits, 8, in_features=1001), graph()
        out = add_module(grown, "x", layer)
        model = grown.model({"x": ("FLOAT", ["rows", 1001])}, {"y": (out, "FLOAT", ["rows", 5])})
        sizes[bits] = max(len(tensor.raw_data) for tensor in model.graph.initializer)
    assert sizes == {8: 5 * 1001, 4: 2503, 1: 2503}


def test_what_has_no_graph_is_named() -> None:
    with pytest.raises(ConfigError, match="no ONNX graph for a LSTM"):
        add_module(graph(), "x", nn.LSTM(2, 2))
    with pytest.raises(ConfigError, match="no ONNX graph for a Linear"):
        add_rows(graph(), "ids", nn.Linear(2, 2))


def test_without_onnx_the_message_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    original = builtins.__import__

    def refuse(name: str, *args: Any, **kwargs: Any) -> Any:  # Any: as builtins.__import__
        if name == "onnx":
            raise ImportError("No module named 'onnx'")
        return original(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(ConfigError, match=r"pip install 'farthing\[onnx\]'"):
        OnnxGraph()
