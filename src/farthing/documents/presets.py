"""Ready-made settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from farthing.base.errors import ConfigError
from farthing.documents.config import FLOAT_BITS, DocumentsConfig, ModelConfig, Precision, TrainConfig


def tiny() -> DocumentsConfig:
    """A small int8 net for whole corpora; what `builtin` is."""
    return DocumentsConfig(preset="tiny")


def accurate() -> DocumentsConfig:
    """D-FINE in float at a higher resolution, for a GPU: some eight times as slow as `tiny`."""
    return DocumentsConfig(
        preset="accurate",
        model=ModelConfig(architecture="dfine", long_side=640),
        precision=Precision(weight=FLOAT_BITS, edge=FLOAT_BITS, activation=FLOAT_BITS),
        train=TrainConfig(
            num_images=300_000, batch_size=16, lr=4e-4, weight_decay=1e-4, warmup_steps=1000, cache_side=736
        ),
    )


PRESETS: Mapping[str, Callable[[], DocumentsConfig]] = {"tiny": tiny, "accurate": accurate}


def build_preset(name: str) -> DocumentsConfig:
    """The preset of this name.

    Raises:
        ConfigError: there is none.
    """
    if name not in PRESETS:
        raise ConfigError(f"preset must be one of {', '.join(PRESETS)}, got {name!r}")
    return PRESETS[name]()
