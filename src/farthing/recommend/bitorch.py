"""BITorch's DLRM as ours: the same function of the same weights, to be packed, saved and scored without BITorch.

BITorch's `models.DLRM` keeps a float table for each field and a Sequential of [BatchNorm1d, linear, BatchNorm1d, PReLU]
for each layer of its MLPs, the last PReLU being a Sigmoid. Our `Dlrm` with norms around its layers is the same network,
up to two things: a bag is one embedding's sign there (`sign` of the mean of signs), so that a field must have one value
per row; and the probability is the sigmoid of our logit. Nothing here imports BITorch: the modules say what they are.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from farthing.base.errors import ConfigError
from farthing.lowbit.bitorch import Grid, input_grid, set_scale
from farthing.lowbit.convert import prepare
from farthing.lowbit.plan import QuantPlan, QuantRule, QuantSpec
from farthing.lowbit.quantizers import Quantizer
from farthing.recommend.clicks import ClickBatch
from farthing.recommend.config import FLOAT_BITS, LayerBits, ModelConfig, Precision, RecommendConfig
from farthing.recommend.encoder import RowEncoder
from farthing.recommend.model import Dlrm
from farthing.recommend.modelfolder import save_model

PRESET = "bitorch"

# Modules of one layer: BatchNorm1d, linear, BatchNorm1d, PReLU.
_LAYER_LENGTH = 4

# The values of a quantized weight, table and input there, and the quantizers of ours that have them at scale 1.
_SIGNS = Grid(1, 1.0)
_SIGN = _SIGNS.spec()
_TABLE = QuantSpec(bits=1, quantizer=_SIGN.quantizer, granularity="table")

# Any: the modules of BITorch carry no types
Module = Any


def model_inputs(batch: ClickBatch, table_rows: tuple[int, ...]) -> tuple[Tensor, tuple[list[Tensor], list[Tensor]]]:
    """What BITorch's DLRM is called with for a batch: dense values, and the indices and offsets of each field.

    Args:
        batch: rows with one value in every field.
        table_rows: rows of each field's table.

    Raises:
        ConfigError: a field has several values or none.
    """
    if not batch.is_single_valued:
        raise ConfigError("batch: BITorch's DLRM takes the sign of a bag, so every field needs exactly one value")
    starts = torch.tensor((0, *table_rows[:-1])).cumsum(0)
    fields = (batch.indices.view(batch.num_rows, -1) - starts).unbind(1)
    return batch.dense, ([field.contiguous() for field in fields], [torch.arange(batch.num_rows)] * len(fields))


def save_dlrm(out: Path, model: nn.Module, encoder: RowEncoder) -> None:
    """Writes a trained DLRM of BITorch as a model folder that `farthing recommend predict` scores logs with.

    Args:
        out: the folder.
        model: a `bitorch.models.DLRM`; it stays as it is.
        encoder: from raw rows to the ids that the model was trained on.

    Raises:
        ConfigError: the model or the encoder has a part that the folder cannot hold, or they do not fit.
    """
    several = [field.name for field in encoder.description.schema.fields if field.separator]
    if several:
        raise ConfigError(
            f"fields {', '.join(several)}: BITorch's DLRM takes the sign of a bag; have one value per row"
        )
    twin, config = to_dlrm(model)
    if (len(encoder.description.dense), encoder.table_rows) != (twin.num_dense, twin.table_rows):
        theirs = f"{twin.num_dense} numbers and tables of {list(twin.table_rows)} rows"
        raise ConfigError(f"encoder: does not fit the model's {theirs}; train with the tables of the same data")
    save_model(out, twin, config, encoder, metrics={})


@torch.no_grad()
def to_dlrm(model: nn.Module) -> tuple[Dlrm, RecommendConfig]:
    """Our DLRM with the weights of a `bitorch.models.DLRM`, in evaluation mode, and the settings that describe it.

    Its logit is what they take the sigmoid of, up to the order in which sums of floats are rounded.

    Raises:
        ConfigError: the model has a part that ours cannot have; says which.
    """
    theirs: Module = model
    if getattr(theirs, "interaction_operation", None) != "product":
        raise ConfigError("model: must be a bitorch.models.DLRM with interaction_operation='product'")
    tables, bottom, top = list(theirs.embedding_layers), _mlp(theirs.bottom_mlp), _mlp(theirs.top_mlp)
    config = _config(tables, bottom, top)
    rows = tuple(table.num_embeddings for table in tables)
    twin = Dlrm(num_dense=bottom[0].linear.in_features, table_rows=rows, config=config.model)
    _copy_tables(tables, twin.embedding)
    rules = [QuantRule(pattern="embedding", weight=_TABLE)] if _is_quantized(tables[0]) else []
    for name, layers in (("bottom", bottom), ("top", top)):
        for i, layer in enumerate(layers):
            _copy_layer(layer, twin.get_submodule(name), i)
            if _is_quantized(layer.linear):
                rules.append(QuantRule(pattern=f"{name}.linear{i}", weight=_SIGN, activation=_input(layer.linear)))
    prepare(twin, QuantPlan(rules=tuple(rules)))
    for module in twin.modules():
        if isinstance(module, Quantizer):
            set_scale(module, 1.0)
    return twin.eval(), config


class _Layer(NamedTuple):
    """The modules that make a layer of an MLP of BITorch's DLRM; the last has a Sigmoid as its activation."""

    input_norm: nn.BatchNorm1d
    linear: Module
    norm: nn.BatchNorm1d
    activation: nn.Module


def _mlp(modules: Module) -> list[_Layer]:
    """The layers of an MLP, from first to last."""
    kinds = (nn.BatchNorm1d, nn.Linear, nn.BatchNorm1d, (nn.PReLU, nn.Sigmoid))
    if any(not isinstance(module, kinds[i % _LAYER_LENGTH]) for i, module in enumerate(modules)):
        raise ConfigError("model: its MLPs must be BITorch's own, float or quantized, and not yet converted")
    return [_Layer(*modules[i : i + _LAYER_LENGTH]) for i in range(0, len(modules), _LAYER_LENGTH)]


def _config(tables: list[Module], bottom: list[_Layer], top: list[_Layer]) -> RecommendConfig:
    if top[-1].linear.out_features != 1:
        raise ConfigError(f"top_mlp_layer_sizes: must end in 1, got {top[-1].linear.out_features}")
    if len({_is_quantized(table) for table in tables}) > 1:
        raise ConfigError("embedding_layers: all of them quantized or none")
    binary, number = LayerBits(weight=1, activation=1), LayerBits()
    has_binary_bottom, has_binary_top = (any(_is_quantized(layer.linear) for layer in mlp) for mlp in (bottom, top))
    model = ModelConfig(
        embedding_dim=tables[0].embedding_dim,
        bottom=tuple(layer.linear.out_features for layer in bottom[:-1]),
        top=tuple(layer.linear.out_features for layer in top[:-1]),
        activation="prelu",
        norms="around",
    )
    precision = Precision(
        embedding=1 if _is_quantized(tables[0]) else FLOAT_BITS,
        edge=binary if has_binary_top else number,
        hidden=binary if has_binary_top else number,
        is_bottom_float=not has_binary_bottom,
    )
    return RecommendConfig(preset=PRESET, model=model, precision=precision)


def _is_quantized(module: Module) -> bool:
    """Whether a layer is one of BITorch's and not torch's."""
    return type(module) not in (nn.Linear, nn.EmbeddingBag)


def _copy_tables(tables: list[Module], embedding: nn.EmbeddingBag) -> None:
    """Copies what a bag of one index gives: the weight, or the sign that its two functions leave of it."""
    start = 0
    for table in tables:
        values = table.weight
        if _is_quantized(table):
            values = table.embedding_input_quantization(table.embedding_weight_quantization(values))
            if not _SIGNS.holds(values):
                raise ConfigError("embedding_layers: their weights must be signs in evaluation mode")
        embedding.weight[start : start + len(values)] = values
        start += len(values)


def _copy_layer(layer: _Layer, mlp: nn.Module, i: int) -> None:
    linear = mlp.get_submodule(f"linear{i}")
    assert isinstance(linear, nn.Linear), "named so by Dlrm"
    if linear.weight.shape != layer.linear.weight.shape:
        shapes = f"{list(linear.weight.shape)}, got {list(layer.linear.weight.shape)}"
        raise ConfigError(f"model: the weight of layer {i} must be {shapes}")
    linear.weight.copy_(_values(layer.linear))
    linear.bias.copy_(torch.zeros(len(linear.bias)) if layer.linear.bias is None else layer.linear.bias)
    mlp.get_submodule(f"input_norm{i}").load_state_dict(layer.input_norm.state_dict())
    mlp.get_submodule(f"norm{i}").load_state_dict(layer.norm.state_dict())
    if isinstance(layer.activation, nn.PReLU):
        slopes = mlp.get_submodule(f"activation{i}")
        assert isinstance(slopes, nn.PReLU), "the settings say so"
        slopes.weight.copy_(layer.activation.weight.expand_as(slopes.weight))


def _values(layer: Module) -> Tensor:
    """The weight that a linear layer multiplies with."""
    values: Tensor = layer.weight
    if _is_quantized(layer):
        values = layer.weight_quantization(values)
        if not _SIGNS.holds(values):
            raise ConfigError(f"weight_quantization: must give signs, {layer.weight_quantization.name!r} does not")
    return values


def _input(layer: Module) -> QuantSpec | None:
    """How the input of a QLinear is quantized; None for a float one."""
    function = layer.input_quantization
    grid = input_grid(function.name, function.bit_width)
    # `steheaviside` is a sign too, but of another opinion about 0.
    if grid not in (_SIGNS, "float") or function.name == "steheaviside":
        raise ConfigError(f"input_quantization: a sign with sign(0) = 1, or identity, got {function.name!r}")
    return None if grid == "float" else _SIGN
