"""Ready-made settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from farthing.base.errors import ConfigError
from farthing.documents.config import DocumentsConfig


def tiny() -> DocumentsConfig:
    """A small int8 net for whole corpora; what `builtin` is."""
    return DocumentsConfig(preset="tiny")


PRESETS: Mapping[str, Callable[[], DocumentsConfig]] = {"tiny": tiny}


def build_preset(name: str) -> DocumentsConfig:
    """The preset of this name.

    Raises:
        ConfigError: there is none.
    """
    if name not in PRESETS:
        raise ConfigError(f"preset must be one of {', '.join(PRESETS)}, got {name!r}")
    return PRESETS[name]()
