"""Nested frozen dataclasses as settings: `key=value` overrides and a JSON-able form.

A config is a frozen dataclass whose fields are scalars, tuples, `None`-able values or further configs. Its defaults
stand in its fields and nowhere else; `__post_init__` rejects bad values by raising `ConfigError`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import typing
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias, TypeVar

import msgspec

from farthing.base.errors import ConfigError

C = TypeVar("C")

# What a caller may nest: a text to be read, or the same one level down.
_Tree: TypeAlias = "dict[str, str | _Tree]"


def to_dict(config: object) -> dict[str, Any]:  # Any: JSON values
    """The config as nested dicts, sequences and scalars, ready for JSON; `from_dict` is its inverse."""
    values = msgspec.to_builtins(config)
    if not isinstance(values, dict):
        raise ConfigError(f"config must be a dataclass, got {type(config).__name__}")
    return values


def from_dict(type: type[C], values: Mapping[str, Any]) -> C:  # Any: JSON values
    """The config of class `type` that `to_dict` turned into `values`; missing fields take their defaults.

    Raises:
        ConfigError: a key that `type` does not have, or a value that its field does not take.
    """
    try:
        config = msgspec.convert(values, type=type)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{type.__name__}: {error}") from error
    _reject_unknown(values, to_dict(config), path="")
    return config


def apply_overrides(config: C, overrides: Iterable[str]) -> C:
    """A copy of `config` with `key=value` assignments applied, all at once; the last of two to one key counts.

    Keys are dotted paths (`optimizer.lr`). Values are read as the type of their field: numbers, `true` and `false`,
    `none`, text; several values as `200,200` or `[200, 200]`.

    Raises:
        ConfigError: not of the form `key=value`, an unknown key (the message suggests the nearest), a value that the
            field does not take, or a combination that the config itself rejects.
    """
    tree: _Tree = {}
    for override in overrides:
        key, separator, text = override.partition("=")
        if not separator or not key.strip():
            raise ConfigError(f"override {override!r} must read key=value, for example dim=32")
        _plant(tree, key.strip().split("."), text.strip())
    return _replace(config, tree, path="")


def _plant(tree: _Tree, path: Sequence[str], text: str) -> None:
    """Puts `text` at `path` of `tree`."""
    head, *rest = path
    if not rest:
        tree[head] = text
        return
    branch = tree.setdefault(head, {})
    if not isinstance(branch, dict):
        branch = tree[head] = {}
    _plant(branch, rest, text)


def _replace(config: C, tree: _Tree, *, path: str) -> C:
    """A copy of `config` with every leaf of `tree` read and set; `path` is its own dotted prefix for messages."""
    if not dataclasses.is_dataclass(config) or isinstance(config, type):
        raise ConfigError(f"{path.rstrip('.')} has no settings of its own; it is {config!r}")
    types = typing.get_type_hints(type(config))
    names = [field.name for field in dataclasses.fields(config)]
    changes: dict[str, object] = {}
    for name, value in tree.items():
        if name not in names:
            raise _unknown_key(path + name, [path + known for known in names])
        if isinstance(value, str):
            changes[name] = _read(value, types[name], key=path + name)
        else:
            changes[name] = _replace(getattr(config, name), value, path=f"{path}{name}.")
    return dataclasses.replace(config, **changes)


def _read(text: str, type: Any, *, key: str) -> object:  # Any: an annotation is not always a class
    """The value that `text` stands for in a field annotated `type`: the first reading that the type accepts."""
    failure: msgspec.ValidationError | None = None
    for reading in _readings(text):
        try:
            return msgspec.convert(reading, type=type, strict=False)
        except msgspec.ValidationError as error:
            failure = failure or error
    raise ConfigError(f"{key} cannot be {text!r}: {failure}") from failure


def _readings(text: str) -> Iterable[object]:
    """What `text` may mean, most special first: nothing, JSON, itself, several values."""
    if text.lower() in {"none", "null"}:
        yield None
    if text.startswith(("[", "{")):
        try:
            yield msgspec.json.decode(text)
        except msgspec.DecodeError:
            text = text.strip("[]")
    yield text
    with contextlib.suppress(ValueError):
        yield float(text)  # .5 and 1_000 are numbers to a person, though not to JSON
    yield [item.strip() for item in text.split(",") if item.strip()]


def _reject_unknown(given: object, known: object, *, path: str) -> None:
    """Raises for the first key of `given`, at any depth, that its counterpart `known` does not have."""
    if isinstance(given, Mapping) and isinstance(known, Mapping):
        for key, value in given.items():
            if key not in known:
                raise _unknown_key(f"{path}{key}", [f"{path}{name}" for name in known])
            _reject_unknown(value, known[key], path=f"{path}{key}.")
    elif isinstance(given, list | tuple) and isinstance(known, list | tuple):
        for index, (value, counterpart) in enumerate(zip(given, known, strict=True)):
            _reject_unknown(value, counterpart, path=f"{path}{index}.")


def _unknown_key(key: str, known: Sequence[str]) -> ConfigError:
    """The error for a key that does not exist, with the nearest one that does."""
    nearest = difflib.get_close_matches(key, known, n=1, cutoff=0.0)
    hint = f"; did you mean {nearest[0]!r}?" if nearest else ""
    return ConfigError(f"unknown setting {key!r}{hint} (there are: {', '.join(known)})")
