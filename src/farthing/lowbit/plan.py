"""Which module gets how many bits: a `QuantPlan` is a list of rules, the first that matches a module's name wins."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from farthing.base.errors import ConfigError
from farthing.lowbit.granularity import Granularity
from farthing.lowbit.levels import Bits
from farthing.lowbit.quantizers import QUANTIZERS


@dataclass(frozen=True, kw_only=True, slots=True)
class QuantSpec:
    """How one tensor is quantized.

    Args:
        bits: 8, 4, 2 or 1.
        quantizer: A name of `QUANTIZERS` that offers these bits; the `sign-*` ones are those with 1.
        granularity: What shares a scale (see `granularity.py`). None takes the default of its place: `channel` for
            Linear and Conv2d weights, `table` for embeddings, `tensor` for activations.
        group_starts: For `group`: the first table row of each group, ascending from 0.

    Raises:
        ConfigError: the name is unknown, the quantizer does not offer these bits, or the groups are not as stated.
    """

    bits: Bits
    quantizer: str = "lsq"
    granularity: Granularity | None = None
    group_starts: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if self.quantizer not in QUANTIZERS:
            raise ConfigError(f"quantizer: {self.quantizer!r} is none of {', '.join(QUANTIZERS)}")
        offered = QUANTIZERS[self.quantizer].offered_bits
        if self.bits not in offered:
            able = [name for name, kind in QUANTIZERS.items() if self.bits in kind.offered_bits]
            fix = f"{self.bits} are offered by {' and '.join(able) or 'none'}"
            raise ConfigError(f"bits: {self.quantizer!r} offers {offered}, got {self.bits}; {fix}")
        _check_groups(self.granularity, self.group_starts)


def _check_groups(granularity: Granularity | None, starts: tuple[int, ...] | None) -> None:
    if (granularity == "group") != (starts is not None):
        raise ConfigError(f"group_starts: goes with granularity 'group' and only with it, got {granularity!r}")
    if starts is not None and (not starts or starts[0] != 0 or list(starts) != sorted(set(starts))):
        raise ConfigError(f"group_starts: first rows, strictly ascending from 0, got {starts[:4]}...")


@dataclass(frozen=True, kw_only=True, slots=True)
class QuantRule:
    """What happens to the modules whose dotted name matches `pattern`.

    Args:
        pattern: Shell-style: `*` matches any characters, also dots; `mlp.0`, `top.*`, `*`.
        weight: How the weight is quantized; None leaves the module in FP32 (to except it from a later rule).
        activation: How the input of a Linear or Conv2d is quantized; None leaves it in FP32.

    Raises:
        ConfigError: there is an activation without a weight.
    """

    pattern: str
    weight: QuantSpec | None = None
    activation: QuantSpec | None = None

    def __post_init__(self) -> None:
        if self.activation is not None and self.weight is None:
            raise ConfigError(f"rule {self.pattern!r}: an activation is quantized only together with the weight")


@dataclass(frozen=True, kw_only=True, slots=True)
class QuantPlan:
    """Rules in order; the first match decides, a module without a match stays in FP32."""

    rules: tuple[QuantRule, ...] = ()

    def rule_for(self, name: str) -> QuantRule | None:
        """The first rule that matches the dotted module name."""
        return next((rule for rule in self.rules if fnmatchcase(name, rule.pattern)), None)

    def to_json(self) -> dict[str, Any]:  # Any: JSON
        """The plan as JSON values; `from_json` gives it back."""
        value: dict[str, Any] = msgspec.to_builtins(self)
        return value

    @classmethod
    def from_json(cls, value: object) -> QuantPlan:
        """The plan that `to_json` wrote.

        Raises:
            ConfigError: a field is missing, unknown or out of range.
        """
        try:
            return msgspec.convert(value, cls)
        except msgspec.ValidationError as error:
            raise ConfigError(f"quantization plan: {error}") from error
