"""A packed model as data (layer descriptions and tensors) and back: what a model file holds instead of code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import torch
from torch import Tensor, nn

from farthing.base.errors import FormatError
from farthing.lowbit.packed import Description, FoldedNorm, PackedProduct, PackedTable, build
from farthing.lowbit.packing import has_zero_padding


def packed_state(model: nn.Module) -> tuple[dict[str, Any], dict[str, Tensor]]:  # Any: JSON
    """What `restore` needs to give `model` back: descriptions of its packed layers by name (JSON), and its tensors."""
    layers = {
        name: msgspec.to_builtins(module.description)
        for name, module in model.named_modules()
        if isinstance(module, PackedProduct | PackedTable | FoldedNorm)
    }
    return layers, dict(model.state_dict())


def restore(model: nn.Module, layers: Mapping[str, object], tensors: Mapping[str, Tensor]) -> nn.Module:
    """The packed model that `packed_state` took apart.

    Args:
        model: The float model of the same structure; its own values play no role, so that it may be built under
            `torch.device("meta")`. It is changed in place.
        layers: Descriptions of the packed layers by dotted name.
        tensors: All tensors of the packed model; they are used as they are, not copied.

    Returns:
        `model`, or its replacement where the model is a single layer; in eval mode, without gradients.

    Raises:
        FormatError: a description or a tensor is missing, unknown, or not as the format says; names it.
    """
    for name, value in layers.items():
        layer = _build(name, value)
        if name == "":
            model = layer
            continue
        try:
            model.get_submodule(name)
        except AttributeError as error:
            raise FormatError(f"layer {name!r}: the model has no such module") from error
        model.set_submodule(name, layer)
    _check_tensors(model.state_dict(), tensors)
    model.load_state_dict(tensors, assign=True)
    for name, module in model.named_modules():
        if isinstance(module, PackedProduct | PackedTable):
            _check_values(name, module)
    return model.eval().requires_grad_(requires_grad=False)


def _build(name: str, value: object) -> nn.Module:
    try:
        description = msgspec.convert(value, Description)
    except msgspec.ValidationError as error:
        raise FormatError(f"layer {name!r}: {error}") from error
    with torch.device("meta"):  # sizes come from a file: nothing is allocated before the tensors agree with them
        return build(description)


def _check_tensors(expected: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> None:
    for name in expected.keys() | tensors.keys():
        if name not in tensors:
            raise FormatError(f"tensor {name!r}: missing")
        if name not in expected:
            raise FormatError(f"tensor {name!r}: the model has no place for it")
        want, got = expected[name], tensors[name]
        if (want.shape, want.dtype) != (got.shape, got.dtype):
            shapes = f"{want.dtype} {list(want.shape)}, got {got.dtype} {list(got.shape)}"
            raise FormatError(f"tensor {name!r}: the model takes {shapes}")


def _check_values(name: str, layer: PackedProduct | PackedTable) -> None:
    if not has_zero_padding(layer.codes, layer.description.bits, layer.num_columns):
        raise FormatError(f"tensor '{name}.codes': the bits behind the last code of a row must be zero")
    for part in ("scale", "offset", "bias", "activation_scale"):
        values = getattr(layer, part, None)
        if values is not None and not bool(values.isfinite().all()):
            raise FormatError(f"tensor '{name}.{part}': holds NaN or infinity")
    if isinstance(layer, PackedProduct) and layer.activation_scale is not None and layer.activation_scale.item() <= 0:
        raise FormatError(f"tensor '{name}.activation_scale': must be positive, got {layer.activation_scale.item()}")
