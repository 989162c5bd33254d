from __future__ import annotations

import pytest

from farthing.base.config import from_dict, to_dict
from farthing.base.errors import ConfigError
from farthing.lowbit.layers import QuantEmbeddingBag, QuantLinear
from farthing.recommend.config import LayerBits, ModelConfig, RecommendConfig, TrainConfig
from farthing.recommend.precision import build_model
from farthing.recommend.presets import PRESET_OF_BITS, PRESETS, Shape, build_preset, seed_binary

PROMISED = {
    "int8": (8, (8, 8), (8, 8)),
    "int4": (4, (8, 8), (4, 8)),
    "int2": (2, (8, 8), (4, 8)),
    "binary": (1, (8, 8), (1, 1)),
}


@pytest.mark.parametrize("name", PROMISED)
@pytest.mark.parametrize("num_dense", [0, 13])
def test_bits_of_every_layer(name: str, num_dense: int) -> None:
    """First and last linear layer have the edge's bits, all between the hidden ones."""
    embedding, edge, hidden = PROMISED[name]
    config = build_preset(name, Shape(num_dense=num_dense, num_fields=4, num_rows=1000))
    model = build_model(num_dense=num_dense, table_rows=(5,) * 4, model=config.model, precision=config.precision)
    assert isinstance(model.embedding, QuantEmbeddingBag)
    assert model.embedding.table_quantizer.quantizer.bits == embedding
    layers = [module for module in model.modules() if isinstance(module, QuantLinear)]
    bits = [
        (layer.weight_quantizer.bits, layer.activation_quantizer.bits if layer.activation_quantizer else 32)
        for layer in layers
    ]
    assert bits == [edge, *[hidden] * (len(layers) - 2), edge]


def test_fp32_has_no_quantizer() -> None:
    config = PRESETS["fp32"]()
    model = build_model(num_dense=2, table_rows=(5,), model=config.model, precision=config.precision)
    assert not [module for module in model.modules() if isinstance(module, QuantLinear | QuantEmbeddingBag)]


def test_seed_binary_keeps_its_bottom_in_float() -> None:
    config = seed_binary()
    model = build_model(num_dense=13, table_rows=(5,) * 3, model=config.model, precision=config.precision)
    kinds = {name: isinstance(module, QuantLinear) for name, module in model.named_modules() if "linear" in name}
    assert all(is_quantized == name.startswith("top.") for name, is_quantized in kinds.items() if name.count(".") == 1)
    assert config.min_count == 1


@pytest.mark.parametrize(
    ("num_dense", "num_fields", "min_count", "dim"), [(13, 26, 10, 16), (0, 10, 1, 32), (5, 26, 1, 16)]
)
def test_shape_decides(num_dense: int, num_fields: int, min_count: int, dim: int) -> None:
    config = build_preset("int4", Shape(num_dense=num_dense, num_fields=num_fields, num_rows=1000))
    assert (config.min_count, config.model.embedding_dim) == (min_count, dim)


@pytest.mark.parametrize("name", PRESETS)
def test_json_round_trip(name: str) -> None:
    config = PRESETS[name]()
    assert from_dict(RecommendConfig, to_dict(config)) == config
    assert config.preset == name
    assert name in PRESET_OF_BITS.values()


def test_same_seed_same_weights() -> None:
    config = PRESETS["int4"]()
    first, second, other = (
        build_model(num_dense=2, table_rows=(5,), model=config.model, precision=config.precision, seed=seed)
        for seed in (1, 1, 2)
    )
    assert first.embedding.weight.equal(second.embedding.weight)
    assert not first.embedding.weight.equal(other.embedding.weight)


def test_unknown_preset() -> None:
    with pytest.raises(ConfigError, match="fp32, int8, int4, int2, binary, got 'int3'"):
        build_preset("int3", Shape(num_dense=0, num_fields=1, num_rows=1))


@pytest.mark.parametrize(
    ("make", "word"),
    [
        (lambda: ModelConfig(embedding_dim=0), "embedding_dim"),
        (lambda: ModelConfig(top=(0,)), "top"),
        (lambda: ModelConfig(bottom=(-1,)), "bottom"),
        (lambda: ModelConfig(embedding_dim=2**64), "embedding_dim must be from 1 to 65536"),
        (lambda: ModelConfig(bottom=(2**62,)), "bottom must be widths from 1 to 65536"),
        (lambda: ModelConfig(top=(1,) * 300_000), "top must be at most 64 widths, got 300000"),
        (lambda: ModelConfig(dropout=1.0), "dropout"),
        (lambda: ModelConfig(activation="tanh"), "activation"),  # type: ignore[arg-type]
        (lambda: TrainConfig(batch_size=1), "batch_size"),
        (lambda: TrainConfig(lr=0), "lr"),
        (lambda: TrainConfig(scale_lr_factor=0), "scale_lr_factor"),
        (lambda: TrainConfig(embedding_prior=-1), "embedding_prior"),
        (lambda: RecommendConfig(preset="x", min_count=0), "min_count"),
    ],
)
def test_bad_values_name_their_field(make: object, word: str) -> None:
    assert callable(make)
    with pytest.raises(ConfigError, match=word):
        make()


def test_layer_bits_default_to_float() -> None:
    assert LayerBits() == LayerBits(weight=32, activation=32)


@pytest.mark.parametrize(
    ("num_rows", "batch_size"), [(1, 256), (96_000, 1024), (202_027, 2048), (591_540, 4096), (10**9, 4096)]
)
def test_batch_size_grows_with_the_log(num_rows: int, batch_size: int) -> None:
    config = build_preset("fp32", Shape(num_dense=0, num_fields=3, num_rows=num_rows))
    assert config.train.batch_size == batch_size
