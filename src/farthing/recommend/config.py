"""The settings of one recommender: architecture, bits of every part, training."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from farthing.base.errors import ConfigError
from farthing.train.loop import FitConfig

FLOAT_BITS: Final = 32
# Sizes also come from model files: a network is laid out before the tensors are compared with it.
MAX_WIDTH: Final = 1 << 16
MAX_LAYERS: Final = 64

# 32 is float; the others are the widths of lowbit's codes.
Width = Literal[32, 8, 4, 2, 1]

Activation = Literal["relu", "prelu"]
Norms = Literal["after", "around"]


def _require(holds: bool, name: str, rule: str, value: object) -> None:
    if not holds:
        raise ConfigError(f"{name} must be {rule}, got {value!r}")


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelConfig:
    """The architecture of a DLRM, apart from what the data decides (numeric columns, rows of each table).

    Attributes:
        embedding_dim: length of every embedding vector, and of the bottom MLP's output, from 1 to MAX_WIDTH.
        bottom: hidden widths of the MLP over numeric columns, at most MAX_LAYERS; not built where the data has none.
        top: hidden widths of the MLP over the interactions, as many.
        dropout: share of hidden units set to zero in training, in [0, 1).
        activation: after each hidden layer. A ReLU before a sign makes its output constant: 1-bit layers want prelu.
        norms: where batches are normalised: after each hidden layer, or around every linear layer, which is before and
            after it, the one that gives the logit included (BITorch's DLRM).
    """

    embedding_dim: int = 16
    bottom: tuple[int, ...] = (512, 256, 64)
    top: tuple[int, ...] = (512, 256)
    dropout: float = 0.0
    activation: Activation = "relu"
    norms: Norms = "after"

    def __post_init__(self) -> None:
        rule = f"from 1 to {MAX_WIDTH}"
        _require(1 <= self.embedding_dim <= MAX_WIDTH, "embedding_dim", rule, self.embedding_dim)
        for name, widths in (("bottom", self.bottom), ("top", self.top)):
            _require(len(widths) <= MAX_LAYERS, name, f"at most {MAX_LAYERS} widths", len(widths))
            _require(all(1 <= width <= MAX_WIDTH for width in widths), name, f"widths {rule}", widths)
        _require(0 <= self.dropout < 1, "dropout", "in [0, 1)", self.dropout)
        _require(self.activation in ("relu", "prelu"), "activation", '"relu" or "prelu"', self.activation)
        _require(self.norms in ("after", "around"), "norms", '"after" or "around"', self.norms)


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerBits:
    """Bits of a linear layer's weight and of its input; 32 is float."""

    weight: Width = FLOAT_BITS
    activation: Width = FLOAT_BITS

    def __post_init__(self) -> None:
        _require(self.weight in get_args(Width), "weight", f"one of {get_args(Width)}", self.weight)
        _require(self.activation in get_args(Width), "activation", f"one of {get_args(Width)}", self.activation)


@dataclass(frozen=True, kw_only=True, slots=True)
class Precision:
    """How many bits every part has.

    Attributes:
        embedding: bits of the embedding tables: 32, 8, 4, 2 or 1.
        edge: bits of the network's first and last linear layer.
        hidden: bits of all other linear layers.
        is_bottom_float: leaves the whole bottom MLP in float.
        embedding_quantizer: a name of `lowbit.quantizers.QUANTIZERS`, for embeddings.
        weight_quantizer: the same for linear weights.
        activation_quantizer: the same for the inputs of linear layers.
        sign_quantizer: the same for every part with 1 bit, where it takes the place of the other three.
    """

    embedding: Width = FLOAT_BITS
    edge: LayerBits = LayerBits()
    hidden: LayerBits = LayerBits()
    is_bottom_float: bool = False
    embedding_quantizer: str = "gaussian"
    weight_quantizer: str = "gaussian"
    activation_quantizer: str = "minmax"
    sign_quantizer: str = "sign-ste"

    def __post_init__(self) -> None:
        _require(self.embedding in get_args(Width), "embedding", f"one of {get_args(Width)}", self.embedding)


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainConfig:
    """How a recommender is trained.

    Attributes:
        batch_size: rows per step, >= 2 (batch normalisation needs two).
        lr: learning rate of Adam, > 0.
        scale_lr_factor: the quantizers' scales learn at `lr` times this, > 0.
        embedding_prior: strength of the L2 term on embeddings, in training rows, >= 0: its weight is this over the
            number of training rows, so that one value suits small and large logs. 0 switches it off.
        teacher_weight: share of the teacher's probability in the target of a run that has a teacher, in [0, 1]; the
            logged label has the rest.
        fit: epochs, early stopping, schedule.
    """

    batch_size: int = 4096
    lr: float = 3e-3
    scale_lr_factor: float = 0.1
    embedding_prior: float = 1200.0
    teacher_weight: float = 0.5
    fit: FitConfig = field(default_factory=lambda: FitConfig(max_epochs=8, patience=3))

    def __post_init__(self) -> None:
        _require(self.batch_size >= 2, "batch_size", ">= 2", self.batch_size)
        _require(self.lr > 0, "lr", "> 0", self.lr)
        _require(self.scale_lr_factor > 0, "scale_lr_factor", "> 0", self.scale_lr_factor)
        _require(self.embedding_prior >= 0, "embedding_prior", ">= 0", self.embedding_prior)
        _require(0 <= self.teacher_weight <= 1, "teacher_weight", "in [0, 1]", self.teacher_weight)


@dataclass(frozen=True, kw_only=True, slots=True)
class RecommendConfig:
    """Everything that decides a training run, apart from the data and the seed.

    Attributes:
        min_count: ids that occur in fewer training rows than this share one embedding row, >= 1.
    """

    preset: str
    min_count: int = 1
    model: ModelConfig = ModelConfig()
    precision: Precision = Precision()
    train: TrainConfig = TrainConfig()

    def __post_init__(self) -> None:
        _require(self.min_count >= 1, "min_count", ">= 1", self.min_count)
