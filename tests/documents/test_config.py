from __future__ import annotations

from collections.abc import Callable

import pytest

from farthing.base.config import apply_overrides, from_dict, to_dict
from farthing.base.errors import ConfigError
from farthing.documents.config import AugmentConfig, DocumentsConfig, ModelConfig, Precision, TrainConfig
from farthing.documents.presets import PRESETS, build_preset


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_names_itself_and_survives_json(name: str) -> None:
    config = build_preset(name)
    assert config.preset == name
    assert from_dict(DocumentsConfig, to_dict(config)) == config


def test_settings_can_be_changed_by_name() -> None:
    config = apply_overrides(
        build_preset("tiny"), ["train.num_images=100", "classes=stamp,seal", "model.long_side=256"]
    )
    assert (config.train.num_images, config.classes, config.model.long_side) == (100, ("stamp", "seal"), 256)


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(ConfigError, match="preset must be one of tiny"):
        build_preset("huge")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ModelConfig(long_side=100), "long_side must be a multiple of 32"),
        (lambda: ModelConfig(widths=(1, 2)), "widths must be four numbers"),
        (lambda: ModelConfig(blocks=(0, 0, 0, -1)), "blocks must be four numbers"),
        (lambda: ModelConfig(neck=0), "neck must be from 1 to 4096"),
        (lambda: ModelConfig(long_side=2**40), "long_side must be a multiple of 32, from 64 to 8192"),
        (lambda: ModelConfig(widths=(8, 8, 8, 2**63)), "widths must be four numbers from 1 to 4096"),
        (lambda: ModelConfig(blocks=(0, 0, 0, 2**40)), "blocks must be four numbers from 0 to 64"),
        (lambda: ModelConfig(architecture="vgg"), "architecture must be one of"),  # type: ignore[arg-type]
        (lambda: Precision(weight=1), "weight must be one of"),  # type: ignore[arg-type]
        (lambda: Precision(weight=32), "float in all its parts or in none"),
        (lambda: AugmentConfig(scale=0.5), "scale must be >= 1"),
        (lambda: AugmentConfig(gamma=-1), "gamma must be >= 0"),
        (lambda: AugmentConfig(shade=1), r"shade must be in \[0, 1\)"),
        (lambda: AugmentConfig(flip=2), r"flip must be in \[0, 1\]"),
        (lambda: TrainConfig(num_images=0), "num_images must be >= 1"),
        (lambda: TrainConfig(batch_size=1), "batch_size must be >= 2"),
        (lambda: TrainConfig(lr=0), "lr must be > 0"),
        (lambda: TrainConfig(weight_decay=-1), "weight_decay must be >= 0"),
        (lambda: TrainConfig(holdout=0.9), "holdout must be in"),
        (lambda: TrainConfig(cache_side=10), "cache_side must be >= 64"),
        (lambda: DocumentsConfig(preset="tiny", classes=()), "classes must be one or more"),
        (lambda: DocumentsConfig(preset="tiny", classes=("a", "a")), "classes must be one or more"),
    ],
)
def test_bad_values_are_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make()
