"""The rows of the comparison: which models are set side by side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from farthing.base.config import apply_overrides
from farthing.base.errors import ConfigError
from farthing.recommend.config import RecommendConfig
from farthing.recommend.presets import PRESET_OF_BITS, Shape, build_preset, seed_binary, suit_training

FLOAT = "fp32"


@dataclass(frozen=True, slots=True)
class Variant:
    """One row of the table.

    Attributes:
        name: of the row.
        config: what is trained or, where `rounds` is set, what a trained float model is rounded to.
        rounds: the name of the row that is rounded after its training; None for a row that is trained.
        teacher: the name of the row, itself without a teacher, whose run of the same seed this one learns from.
    """

    name: str
    config: RecommendConfig
    rounds: str | None = None
    teacher: str | None = None


def presets_of_bits(bits: Iterable[int]) -> list[str]:
    """The presets with these bit widths, widest first and FP32 among them in any case.

    Raises:
        ConfigError: no preset has these bits.
    """
    wanted = {32, *bits}
    for value in wanted - set(PRESET_OF_BITS):
        raise ConfigError(f"--bits takes {', '.join(map(str, PRESET_OF_BITS))}, got {value}")
    return [PRESET_OF_BITS[value] for value in sorted(wanted, reverse=True)]


def build_variants(shape: Shape, *, presets: Sequence[str], min_count: int, overrides: Iterable[str]) -> list[Variant]:
    """The rows of some presets, then those that are always there.

    Those are `fp32-distilled` (FP32 that has a teacher, as the rounded presets have), `fp32-unfiltered` (every id has a
    row), `int4-ptq` (FP32 rounded after training, to the bits of int4) and `seed-binary` (the recipe that the project
    started from). All rows share the architecture and training settings, which were tuned for FP32, except where a
    row's definition says otherwise.

    Args:
        shape: of the data.
        presets: names, in the order of the table.
        min_count: frequency cut of the filtered rows.
        overrides: `key=value` settings for every row.

    Raises:
        ConfigError: an override does not fit.
    """
    settings = list(overrides)

    def preset(name: str) -> RecommendConfig:
        return apply_overrides(replace(build_preset(name, shape), min_count=min_count), settings)

    return [
        *(Variant(name, preset(name), teacher=None if name == FLOAT else FLOAT) for name in presets),
        Variant("fp32-distilled", replace(preset(FLOAT), preset="fp32-distilled"), teacher=FLOAT),
        Variant("fp32-unfiltered", replace(preset(FLOAT), preset="fp32-unfiltered", min_count=1)),
        Variant("int4-ptq", replace(preset("int4"), preset="int4-ptq"), rounds=FLOAT),
        Variant("seed-binary", apply_overrides(suit_training(seed_binary(), shape), _training_only(settings))),
    ]


def _training_only(settings: Iterable[str]) -> list[str]:
    """The overrides that leave a recipe what it is."""
    return [setting for setting in settings if setting.startswith("train.")]
