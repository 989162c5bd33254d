"""The settings of one page detector: classes, architecture, bits, augmentation, training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, get_args

from farthing.base.errors import ConfigError
from farthing.documents.classes import CLASSES

FLOAT_BITS: Final = 32
# 32 is float; the others are widths of lowbit's codes that have a level for zero and more than two levels.
Width = Literal[32, 8, 4, 2]
Architecture = Literal["tiny", "dfine"]

# Strides of the maps that objects are found on; every canvas is a multiple of CANVAS_STEP.
CANVAS_STEP: Final = 32
# Sizes also come from model files: a net is laid out before the tensors are compared with it.
MAX_SIDE: Final = 1 << 13
MAX_WIDTH: Final = 1 << 12
MAX_BLOCKS: Final = 64


def _require(holds: bool, name: str, rule: str, value: object) -> None:
    if not holds:
        raise ConfigError(f"{name} must be {rule}, got {value!r}")


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelConfig:
    """The architecture of a detector.

    Attributes:
        architecture: "tiny", the convolutional net of `detector.py`, or "dfine", D-FINE from transformers.
        long_side: pixels of a page's long side as the net sees it, a multiple of 32, from 64 to MAX_SIDE. Time
            grows with its square.
        widths: channels at strides 4, 8, 16 and 32, each from 1 to MAX_WIDTH ("tiny").
        blocks: residual blocks at these strides, each from 0 to MAX_BLOCKS ("tiny").
        neck: channels of the pyramid that objects are found on, from 1 to MAX_WIDTH ("tiny").
    """

    architecture: Architecture = "tiny"
    long_side: int = 384
    widths: tuple[int, ...] = (24, 56, 112, 112)
    blocks: tuple[int, ...] = (0, 1, 1, 3)
    neck: int = 48

    def __post_init__(self) -> None:
        known = get_args(Architecture)
        _require(self.architecture in known, "architecture", f"one of {known}", self.architecture)
        is_step = 64 <= self.long_side <= MAX_SIDE and self.long_side % CANVAS_STEP == 0
        _require(is_step, "long_side", f"a multiple of {CANVAS_STEP}, from 64 to {MAX_SIDE}", self.long_side)
        for name, least, most in (("widths", 1, MAX_WIDTH), ("blocks", 0, MAX_BLOCKS)):
            numbers = getattr(self, name)
            is_four = len(numbers) == 4 and all(least <= number <= most for number in numbers)
            _require(is_four, name, f"four numbers from {least} to {most}", numbers)
        _require(1 <= self.neck <= MAX_WIDTH, "neck", f"from 1 to {MAX_WIDTH}", self.neck)


@dataclass(frozen=True, kw_only=True, slots=True)
class Precision:
    """How many bits a detector has; 32 is float.

    Attributes:
        weight: bits of the weights of all convolutions but the first and the last ones.
        edge: bits of the weights of those.
        activation: bits of the inputs of all convolutions; 32 if and only if `weight` is.
    """

    weight: Width = 8
    edge: Width = 8
    activation: Width = 8

    def __post_init__(self) -> None:
        for name in ("weight", "edge", "activation"):
            _require(getattr(self, name) in get_args(Width), name, f"one of {get_args(Width)}", getattr(self, name))
        is_float = {self.weight == FLOAT_BITS, self.edge == FLOAT_BITS, self.activation == FLOAT_BITS}
        _require(len(is_float) == 1, "precision", "float in all its parts or in none", (self.weight, self.activation))

    @property
    def is_float(self) -> bool:
        """Whether nothing is quantized."""
        return self.weight == FLOAT_BITS


@dataclass(frozen=True, kw_only=True, slots=True)
class AugmentConfig:
    """How training pages are varied; 0 (or 1 for `scale`) switches a variation off.

    Attributes:
        scale: pages are drawn up to this times larger or smaller than they would be seen, >= 1.
        aspect: and stretched by up to this share along one side, in [0, 1).
        flip: share of pages that are mirrored left to right, in [0, 1].
        gamma: grey values to a power between 1 / (1 + gamma) and 1 + gamma, >= 0.
        shade: uneven light: a smooth field that darkens or lightens by up to this share, in [0, 1).
        sharpen: share of pages that gain sharpness, up to twice what a Gaussian of one pixel takes, in [0, 1].
        ink: share of pages whose strokes grow thicker or thinner, by up to a pixel to each side, in [0, 1].
        texture: share of pages that a random filter of 3 x 3 pixels is blended into, in [0, 1].
        blur: share of pages that lose sharpness, by a Gaussian of up to 1.2 pixels, in [0, 1].
        noise: largest standard deviation of added noise, in parts of the range from black to white, >= 0.
        cutout: share of pages that lose a few rectangles, in [0, 1].
    """

    scale: float = 1.35
    aspect: float = 0.1
    flip: float = 0.25
    gamma: float = 0.7
    shade: float = 0.15
    ink: float = 0.3
    texture: float = 0.3
    sharpen: float = 0.4
    blur: float = 0.3
    noise: float = 0.06
    cutout: float = 0.2

    def __post_init__(self) -> None:
        _require(self.scale >= 1, "scale", ">= 1", self.scale)
        for name in ("gamma", "noise"):
            _require(getattr(self, name) >= 0, name, ">= 0", getattr(self, name))
        for name in ("aspect", "shade"):
            _require(0 <= getattr(self, name) < 1, name, "in [0, 1)", getattr(self, name))
        for name in ("flip", "ink", "texture", "sharpen", "blur", "cutout"):
            _require(0 <= getattr(self, name) <= 1, name, "in [0, 1]", getattr(self, name))


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainConfig:
    """How a detector is trained: in float, then for a while with its final bits.

    Attributes:
        num_images: the budget: pages seen in float, repeats counted, >= 1.
        num_quantized_images: pages seen with quantized weights and activations, >= 1.
        batch_size: pages per step, >= 2 (batch normalisation needs two).
        lr: learning rate of AdamW, > 0; falls to 0 along a cosine.
        quantized_lr: where the quantized part starts, > 0.
        weight_decay: of AdamW, >= 0.
        warmup_steps: of the float part, >= 0.
        num_evals: evaluations of the float part, >= 1; the quantized part has a quarter as many.
        holdout: share of the pages that is not trained on but chosen by, in (0, 0.5].
        max_holdout: at most this many of them, >= 1.
        cache_side: long side in pixels at which pages are kept while training, >= 64.
        bfloat16: whether the float part multiplies in bfloat16 where the device is quicker with it.
    """

    num_images: int = 80_000
    num_quantized_images: int = 6_000
    batch_size: int = 32
    lr: float = 3e-3
    quantized_lr: float = 2e-4
    weight_decay: float = 0.05
    warmup_steps: int = 200
    num_evals: int = 5
    holdout: float = 0.1
    max_holdout: int = 500
    cache_side: int = 448
    bfloat16: bool = True

    def __post_init__(self) -> None:
        for name in ("num_images", "num_quantized_images", "num_evals", "max_holdout"):
            _require(getattr(self, name) >= 1, name, ">= 1", getattr(self, name))
        _require(self.batch_size >= 2, "batch_size", ">= 2", self.batch_size)
        for name in ("lr", "quantized_lr"):
            _require(getattr(self, name) > 0, name, "> 0", getattr(self, name))
        for name in ("weight_decay", "warmup_steps"):
            _require(getattr(self, name) >= 0, name, ">= 0", getattr(self, name))
        _require(0 < self.holdout <= 0.5, "holdout", "in (0, 0.5]", self.holdout)
        _require(self.cache_side >= 64, "cache_side", ">= 64", self.cache_side)


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentsConfig:
    """Everything that decides a training run, apart from the data and the seed.

    Attributes:
        preset: the name of the preset that this is a variant of.
        classes: what is looked for.
    """

    preset: str
    classes: tuple[str, ...] = CLASSES
    model: ModelConfig = ModelConfig()
    precision: Precision = Precision()
    augment: AugmentConfig = AugmentConfig()
    train: TrainConfig = TrainConfig()

    def __post_init__(self) -> None:
        is_tiny = self.model.architecture == "tiny"
        _require(
            is_tiny or self.precision.is_float, "precision", 'float (32 bits) for architecture "dfine"', self.precision
        )
        is_list = len(self.classes) >= 1 and len(set(self.classes)) == len(self.classes)
        _require(is_list, "classes", "one or more different names", self.classes)
