"""Resumable training state in one safetensors file, without pickle.

A state is a tree of dicts and lists whose leaves are tensors and JSON scalars. The tensors are stored as they are; the
rest of the tree is JSON in the file's header, where `{"$tensor": "3:a/b"}` stands for the tensor of that name. Floats
survive exactly (JSON holds their shortest round-trip form), so what is loaded equals what was saved bit for bit.

One file means one atomic rename: after a crash or a power loss the whole old state is there, or the whole new one.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any  # trees of tensors and JSON scalars: checked when written, not by the type checker

import msgspec
import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.optim import Optimizer

from farthing.base.errors import DataError, FormatError
from farthing.base.files import atomic_path
from farthing.train.interrupt import hold_back_interrupt

_KEY = "farthing"
_MARK = "$tensor"
_FORMAT = "checkpoint-1"


class _Header(msgspec.Struct, frozen=True, kw_only=True):
    """What the file's header says: `state` is the tree as JSON, `sha256` covers it and all tensors."""

    format: str
    sha256: str
    state: msgspec.Raw


def save_state(path: Path, state: Mapping[str, Any]) -> None:
    """Writes a tree of tensors and JSON scalars to `path`, atomically and durably.

    Raises:
        DataError: the folder cannot be written or the disk is full; an earlier file at `path` is left as it was.
    """
    tensors: dict[str, Tensor] = {}
    tree = msgspec.json.encode(_strip(state, "", tensors))
    header = _Header(format=_FORMAT, sha256=_digest(tree, tensors), state=msgspec.Raw(tree))
    # one entry: safetensors writes several in a random order, and equal states should make equal files
    metadata = {_KEY: msgspec.json.encode(header).decode()}
    with atomic_path(path) as temporary, hold_back_interrupt():
        try:
            save_file(tensors, temporary, metadata=metadata)
        except SafetensorError as error:
            raise DataError(f"{path}: writing failed ({error}); free some space and run again") from error


def load_state(path: Path) -> dict[str, Any]:
    """Reads back what `save_state` wrote.

    Raises:
        FormatError: the file is missing, damaged, or not a farthing checkpoint.
    """
    try:
        with hold_back_interrupt(), safe_open(path, framework="pt") as stream:
            header = msgspec.json.decode((stream.metadata() or {}).get(_KEY, ""), type=_Header)
            tensors = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118 - not a dict
    except (OSError, SafetensorError, msgspec.DecodeError) as error:
        raise FormatError(f"{path}: not a checkpoint that can be read ({error})") from error
    if header.format != _FORMAT:
        raise FormatError(f"{path}: format must be {_FORMAT}, got {header.format!r}")
    if header.sha256 != _digest(bytes(header.state), tensors):
        raise FormatError(f"{path}: its SHA-256 does not fit its content; the file is damaged")
    return {name: _restore(value, tensors) for name, value in msgspec.json.decode(header.state).items()}


def optimizer_state(optimizer: Optimizer) -> dict[str, Any]:
    """The optimizer's state and settings as a tree that `save_state` takes."""
    state = optimizer.state_dict()
    per_parameter = {str(index): values for index, values in state["state"].items()}
    return {"state": per_parameter, "param_groups": state["param_groups"]}


def load_optimizer_state(optimizer: Optimizer, state: Mapping[str, Any]) -> None:
    """Gives `optimizer` back what `optimizer_state` took from it."""
    per_parameter = {int(index): values for index, values in state["state"].items()}
    optimizer.load_state_dict({"state": per_parameter, "param_groups": state["param_groups"]})
    # torch casts every state tensor but `step` to its parameter's type, which counts and flags must not become
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    for index, values in per_parameter.items():
        own = optimizer.state[parameters[index]]
        for name, value in values.items():
            if isinstance(value, Tensor) and own[name].dtype != value.dtype:
                own[name] = value.to(own[name].device)


def rng_state() -> dict[str, Any]:
    """The states of the global generators of torch (CPU), numpy and Python."""
    _, keys, position, has_gauss, cached = np.random.get_state(legacy=True)  # noqa: NPY002 - the global generator is what is kept
    version, words, gauss = random.getstate()
    return {
        "torch": torch.get_rng_state(),
        "numpy": {
            "keys": torch.from_numpy(np.asarray(keys).astype(np.int64)),
            "rest": [int(position), int(has_gauss), float(cached)],
        },
        "python": {"version": version, "words": torch.tensor(words), "gauss": gauss},
    }


def load_rng_state(state: Mapping[str, Any]) -> None:
    """Sets the global generators to what `rng_state` returned."""
    torch.set_rng_state(state["torch"])
    keys = state["numpy"]["keys"].numpy().astype(np.uint32)
    np.random.set_state(("MT19937", keys, *state["numpy"]["rest"]))  # noqa: NPY002
    python = state["python"]
    random.setstate((python["version"], tuple(python["words"].tolist()), python["gauss"]))


def seed_all(seed: int) -> None:
    """Seeds the global generators of torch, numpy (its low 32 bits) and Python."""
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002
    random.seed(seed)


def _strip(value: object, name: str, tensors: dict[str, Tensor]) -> object:
    """The tree with its tensors moved to `tensors`, each replaced by a mark that names it."""
    if isinstance(value, Tensor):
        name = f"{len(tensors)}:{name}"  # unique, even if a key holds a slash
        tensors[name] = _owned(value.detach().cpu().contiguous(), tensors)
        return {_MARK: name}
    if isinstance(value, Mapping):
        return {key: _strip(item, f"{name}/{key}" if name else key, tensors) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_strip(item, f"{name}/{index}", tensors) for index, item in enumerate(value)]
    return value


def _owned(value: Tensor, others: Mapping[str, Tensor]) -> Tensor:
    """`value`, copied if it shares memory with one of `others` (tied weights), which safetensors would refuse."""
    storage = value.untyped_storage().data_ptr()
    is_shared = any(other.untyped_storage().data_ptr() == storage for other in others.values())
    return value.clone() if is_shared else value


def _restore(value: object, tensors: Mapping[str, Tensor]) -> object:
    """The tree with every mark replaced by its tensor: the inverse of `_strip`."""
    if isinstance(value, dict):
        if value.keys() == {_MARK}:
            return tensors[value[_MARK]]
        return {key: _restore(item, tensors) for key, item in value.items()}
    if isinstance(value, list):
        return [_restore(item, tensors) for item in value]
    return value


def _digest(tree: bytes, tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 over the JSON tree and, in the order of their names, all tensors: name, type, shape and bytes."""
    digest = hashlib.sha256(tree)
    for name, value in sorted(tensors.items()):
        digest.update(f"{name} {value.dtype} {list(value.shape)}".encode())
        digest.update(value.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
