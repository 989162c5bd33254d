"""Ready-made settings: one function per row of the comparison, and the architecture that suits a log's shape."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from farthing.base.errors import ConfigError
from farthing.recommend.config import LayerBits, ModelConfig, Precision, RecommendConfig, TrainConfig
from farthing.recommend.dataset import Dataset
from farthing.train.loop import FitConfig

W8A8 = LayerBits(weight=8, activation=8)
W4A8 = LayerBits(weight=4, activation=8)
W1A1 = LayerBits(weight=1, activation=1)

CRITEO_NUM_DENSE = 13
CRITEO_NUM_FIELDS = 26
CRITEO_MIN_COUNT = 10

STEPS_PER_EPOCH = 100
# Rounded networks fit more slowly than float ones and overfit later: on validation 12 epochs beat 8 in all widths.
ROUNDED = TrainConfig(fit=FitConfig(max_epochs=12, patience=3))


def fp32() -> RecommendConfig:
    """Full precision: the yardstick."""
    return RecommendConfig(preset="fp32")


def int8() -> RecommendConfig:
    """8-bit embeddings and W8A8 MLPs."""
    return RecommendConfig(preset="int8", precision=Precision(embedding=8, edge=W8A8, hidden=W8A8), train=ROUNDED)


def int4() -> RecommendConfig:
    """4-bit embeddings and W4A8 MLPs, first and last layer W8A8."""
    return RecommendConfig(preset="int4", precision=Precision(embedding=4, edge=W8A8, hidden=W4A8), train=ROUNDED)


def int2() -> RecommendConfig:
    """2-bit embeddings and W4A8 MLPs, first and last layer W8A8."""
    return RecommendConfig(preset="int2", precision=Precision(embedding=2, edge=W8A8, hidden=W4A8), train=ROUNDED)


def binary() -> RecommendConfig:
    """1-bit embeddings and W1A1 MLPs, first and last layer W8A8."""
    return RecommendConfig(
        preset="binary",
        model=ModelConfig(activation="prelu"),
        precision=Precision(embedding=1, edge=W8A8, hidden=W1A1, weight_quantizer="lsq", activation_quantizer="lsq"),
        train=ROUNDED,
    )


PRESETS: Mapping[str, Callable[[], RecommendConfig]] = {
    "fp32": fp32,
    "int8": int8,
    "int4": int4,
    "int2": int2,
    "binary": binary,
}

PRESET_OF_BITS: Mapping[int, str] = {32: "fp32", 8: "int8", 4: "int4", 2: "int2", 1: "binary"}


def seed_binary() -> RecommendConfig:
    """The recipe this project started from: 1-bit embeddings of dim 16, a binary top MLP, the bottom in FP32.

    Source: the DLRM example of BITorch: binary embeddings and top MLP, batch normalisation and PReLU, every
        id, ten epochs without early stopping.
    """
    return RecommendConfig(
        preset="seed-binary",
        model=ModelConfig(embedding_dim=16, activation="prelu"),
        precision=Precision(embedding=1, edge=W1A1, hidden=W1A1, is_bottom_float=True),
        train=TrainConfig(fit=FitConfig(max_epochs=10)),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """What of a data set decides an architecture: numeric columns, categorical fields, training rows."""

    num_dense: int
    num_fields: int
    num_rows: int

    @classmethod
    def of(cls, dataset: Dataset) -> Shape:
        """The shape of `dataset`."""
        manifest = dataset.manifest
        num_rows = manifest.splits["train"].num_rows
        return cls(num_dense=len(manifest.dense), num_fields=len(manifest.fields), num_rows=num_rows)

    @property
    def is_criteo(self) -> bool:
        """Whether a log has Criteo's columns, for which the frequency cut of the literature is taken over."""
        return (self.num_dense, self.num_fields) == (CRITEO_NUM_DENSE, CRITEO_NUM_FIELDS)


def build_preset(name: str, shape: Shape) -> RecommendConfig:
    """The preset `name` with the settings that suit a log of this shape.

    Raises:
        ConfigError: `name` is no preset.
    """
    if name not in PRESETS:
        raise ConfigError(f"preset must be one of {', '.join(PRESETS)}, got {name!r}")
    return suit(PRESETS[name](), shape)


def suit(config: RecommendConfig, shape: Shape) -> RecommendConfig:
    """`config` with the architecture, frequency cut and batch size that suit a log of this shape.

    Logs with numeric columns get the published DLRM. Without them there is no bottom MLP, and the embeddings
    themselves feed the top MLP: logs of that kind (users, items, contexts) do better with wider vectors, a smaller top
    and dropout.
    """
    config = suit_training(config, shape)
    if shape.is_criteo:
        config = replace(config, min_count=CRITEO_MIN_COUNT)
    if shape.num_dense == 0:
        config = replace(config, model=replace(config.model, embedding_dim=32, top=(200, 200), dropout=0.2))
    return config


def suit_training(config: RecommendConfig, shape: Shape) -> RecommendConfig:
    """`config` with the batch size alone that suits a log of this shape."""
    return replace(config, train=replace(config.train, batch_size=_batch_size(shape.num_rows)))


def _batch_size(num_rows: int) -> int:
    """The power of two nearest to a hundredth of the training rows, 256 to 4096: smaller logs need smaller steps."""
    return int(min(4096, max(256, 2 ** round(math.log2(max(1, num_rows) / STEPS_PER_EPOCH)))))
