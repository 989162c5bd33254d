"""Training layers against torch's own on weights that were quantized beforehand."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from farthing.base.errors import ConfigError
from farthing.lowbit.granularity import Granularity
from farthing.lowbit.layers import QuantConv2d, QuantEmbedding, QuantEmbeddingBag, QuantLinear
from farthing.lowbit.plan import QuantSpec
from farthing.lowbit.quantizers import QUANTIZERS

SPECS = [QuantSpec(bits=bits, quantizer=name) for name, kind in QUANTIZERS.items() for bits in kind.offered_bits]
every_spec = pytest.mark.parametrize("spec", SPECS, ids=lambda spec: f"{spec.quantizer}-{spec.bits}")


def grouped(spec: QuantSpec, granularity: Granularity) -> QuantSpec:
    starts = (0, 4, 9) if granularity == "group" else None
    return QuantSpec(bits=spec.bits, quantizer=spec.quantizer, granularity=granularity, group_starts=starts)


def quantized_table(layer: QuantEmbedding | QuantEmbeddingBag) -> Tensor:
    """The whole table, quantized at once: the slow way."""
    table = layer.table_quantizer
    groups = table.groups_of(torch.arange(len(layer.weight)))
    return table.quantizer.dequantize(table.quantizer.codes(layer.weight, groups), groups)


@every_spec
@pytest.mark.parametrize("granularity", ["table", "group", "dimension", "row"])
@pytest.mark.parametrize("mode", ["sum", "mean"])
def test_bags_equal_those_of_the_quantized_table(spec: QuantSpec, granularity: Granularity, mode: str) -> None:
    layer = QuantEmbeddingBag.from_float(nn.EmbeddingBag(12, 5, mode=mode), weight=grouped(spec, granularity)).eval()
    indices, offsets = torch.tensor([0, 11, 4, 3, 3, 9]), torch.tensor([0, 2, 2, 5])
    weights = torch.randn(6) if mode == "sum" else None
    expected = F.embedding_bag(indices, quantized_table(layer), offsets, mode=mode, per_sample_weights=weights)
    assert torch.allclose(layer(indices, offsets, weights), expected, rtol=1e-6, atol=1e-6)


@every_spec
def test_embeddings_equal_those_of_the_quantized_table(spec: QuantSpec) -> None:
    layer = QuantEmbedding.from_float(nn.Embedding(12, 5), weight=grouped(spec, "group")).eval()
    indices = torch.tensor([[0, 3], [11, 4]])
    assert torch.equal(layer(indices), quantized_table(layer)[indices])


def test_only_looked_up_rows_are_read_and_get_gradients() -> None:
    module = nn.EmbeddingBag(6, 3, mode="sum", sparse=True)
    layer = QuantEmbeddingBag.from_float(module, weight=QuantSpec(bits=4))
    with torch.no_grad():
        layer.weight[[0, 2, 4]] = torch.nan
    layer(torch.tensor([1, 5, 1]), torch.tensor([0, 1])).sum().backward()
    assert layer.weight.grad is not None
    assert layer.weight.grad.is_sparse
    assert set(layer.weight.grad.coalesce().indices().flatten().tolist()) == {1, 5}
    assert layer.table_quantizer.quantizer.scale.grad is not None
    assert bool(layer.table_quantizer.quantizer.scale.grad.isfinite().all())


def test_gradients_of_bags_equal_those_of_a_dense_lookup() -> None:
    spec = QuantSpec(bits=4, granularity="group", group_starts=(0, 4))
    sparse = QuantEmbeddingBag.from_float(nn.EmbeddingBag(8, 3, mode="mean", sparse=True), weight=spec)
    indices, offsets, grad = torch.randint(0, 8, (7,)), torch.tensor([0, 2, 4]), torch.randn(3, 3)
    sparse(indices, offsets).backward(grad)
    table = sparse.weight.detach().clone().requires_grad_()
    pooling = torch.tensor([[0.5, 0.5, 0, 0, 0, 0, 0], [0, 0, 0.5, 0.5, 0, 0, 0], [0, 0, 0, 0, 1 / 3, 1 / 3, 1 / 3]])
    dense = sparse.table_quantizer(table[indices], indices, table)
    (pooling @ dense).backward(grad)
    assert sparse.weight.grad is not None
    assert table.grad is not None
    assert torch.allclose(sparse.weight.grad.to_dense(), table.grad, atol=1e-6)


def test_a_padding_row_reads_as_zeros_and_stays() -> None:
    layer = QuantEmbedding.from_float(nn.Embedding(4, 3, padding_idx=1), weight=QuantSpec(bits=1, quantizer="sign-ste"))
    out = layer(torch.tensor([1, 2]))
    out.sum().backward()
    assert out[0].tolist() == [0, 0, 0]
    assert layer.weight.grad is not None
    assert layer.weight.grad[1].tolist() == [0, 0, 0]


@every_spec
@pytest.mark.parametrize("activation_bits", [None, 8, 4, 2, 1])
def test_linear_multiplies_the_quantized_operands(spec: QuantSpec, activation_bits: Any) -> None:
    layer = QuantLinear.from_float(nn.Linear(7, 4), weight=spec, activation=activation(activation_bits))
    x = torch.randn(3, 2, 7)
    layer(x)
    layer.eval()
    weight = layer.weight_quantizer.dequantize(layer.weight_quantizer.codes(layer.weight))
    quantizer = layer.activation_quantizer
    rounded = x if quantizer is None else quantizer.dequantize(quantizer.codes(x))
    expected = F.linear(rounded, weight, layer.bias)
    with torch.no_grad():
        assert torch.allclose(layer(x), expected, rtol=1e-5, atol=1e-5)
    assert torch.allclose(layer(x), expected, rtol=1e-5, atol=1e-5)  # with gradients: the path of training


@pytest.mark.parametrize("activation_bits", [None, 8, 4, 2, 1])
@pytest.mark.parametrize(
    "options", [{}, {"padding": 2, "stride": 2}, {"padding": "same", "dilation": 2}, {"groups": 2}]
)
def test_convolution_multiplies_the_quantized_operands(activation_bits: Any, options: dict[str, Any]) -> None:
    module = nn.Conv2d(4, 6, 3, bias=not options, **options)
    layer = QuantConv2d.from_float(module, weight=QuantSpec(bits=4), activation=activation(activation_bits))
    x = torch.randn(2, 4, 9, 8)
    layer(x)
    layer.eval()
    weight = layer.weight_quantizer.dequantize(layer.weight_quantizer.codes(layer.weight))
    quantizer = layer.activation_quantizer
    rounded = x if quantizer is None else quantizer.dequantize(quantizer.codes(x))
    expected = F.conv2d(rounded, weight, layer.bias, **options)
    with torch.no_grad():
        assert torch.allclose(layer(x), expected, rtol=1e-5, atol=1e-5)
    assert torch.allclose(layer(x), expected, rtol=1e-5, atol=1e-5)


def activation(bits: Any) -> QuantSpec | None:
    return None if bits is None else QuantSpec(bits=bits, quantizer="sign-ste" if bits == 1 else "lsq")


def test_all_parts_of_a_linear_get_gradients() -> None:
    layer = QuantLinear.from_float(nn.Linear(3, 2), weight=QuantSpec(bits=4), activation=QuantSpec(bits=8))
    layer(torch.randn(5, 3)).sum().backward()
    gradients = {name: parameter.grad for name, parameter in layer.named_parameters()}
    assert set(gradients) == {"weight", "bias", "weight_quantizer.scale", "activation_quantizer.scale"}
    assert all(gradient is not None and bool(gradient.any()) for gradient in gradients.values())


def test_first_scales_of_a_grouped_table_come_from_the_rows_of_each_group() -> None:
    module = nn.EmbeddingBag(3, 2, mode="sum")
    with torch.no_grad():
        module.weight.copy_(torch.tensor([[1.0, -1.0], [3.0, 3.0], [0.5, -0.5]]))
    spec = QuantSpec(bits=1, quantizer="sign-ste", granularity="group", group_starts=(0, 2))
    layer = QuantEmbeddingBag.from_float(module, weight=spec)
    assert layer.table_quantizer.quantizer.scale.tolist() == [2.0, 0.5]


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (nn.EmbeddingBag(4, 2, mode="max"), "mode: has no quantized form"),
        (nn.EmbeddingBag(4, 2, max_norm=1.0), "max_norm: has no quantized form"),
        (nn.EmbeddingBag(4, 2, scale_grad_by_freq=True), "scale_grad_by_freq: has no quantized form"),
        (nn.EmbeddingBag(4, 2, padding_idx=0), "padding_idx: has no quantized form"),
    ],
)
def test_bags_that_cannot_be_quantized(module: nn.EmbeddingBag, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        QuantEmbeddingBag.from_float(module, weight=QuantSpec(bits=4))


def test_layers_that_cannot_be_quantized() -> None:
    with pytest.raises(ConfigError, match="max_norm: has no quantized form"):
        QuantEmbedding.from_float(nn.Embedding(4, 2, max_norm=1.0), weight=QuantSpec(bits=4))
    with pytest.raises(ConfigError, match="padding_mode: has no quantized form"):
        QuantConv2d.from_float(nn.Conv2d(1, 1, 3, padding_mode="reflect"), weight=QuantSpec(bits=4))
    padded = nn.Embedding(4, 2, padding_idx=3)
    nn.init.ones_(padded.weight)
    with pytest.raises(ConfigError, match="row 3 must be zero"):
        QuantEmbedding.from_float(padded, weight=QuantSpec(bits=4))


@pytest.mark.parametrize(
    ("module", "spec", "message"),
    [
        (nn.Linear(2, 2), QuantSpec(bits=4, granularity="row"), "a Linear weight takes channel or tensor, got 'row'"),
        (nn.Conv2d(1, 1, 1), QuantSpec(bits=4, granularity="table"), "a Conv2d weight takes channel or tensor"),
    ],
)
def test_granularities_that_do_not_fit(module: nn.Module, spec: QuantSpec, message: str) -> None:
    kind: Any = QuantLinear if isinstance(module, nn.Linear) else QuantConv2d
    with pytest.raises(ConfigError, match=message):
        kind.from_float(module, weight=spec)


def test_granularities_that_do_not_fit_an_embedding_or_an_activation() -> None:
    with pytest.raises(ConfigError, match="an embedding takes table or group or dimension or row, got 'channel'"):
        QuantEmbedding.from_float(nn.Embedding(2, 2), weight=QuantSpec(bits=4, granularity="channel"))
    with pytest.raises(ConfigError, match="group_starts: below the table's 2 rows, got 5"):
        QuantEmbedding.from_float(
            nn.Embedding(2, 2), weight=QuantSpec(bits=4, granularity="group", group_starts=(0, 5))
        )
    with pytest.raises(ConfigError, match="an activation takes tensor, got 'channel'"):
        QuantLinear.from_float(
            nn.Linear(2, 2), weight=QuantSpec(bits=4), activation=QuantSpec(bits=8, granularity="channel")
        )
