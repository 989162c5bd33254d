"""BITorch's QLinear and QConv2d on packed layers: after `register()`, its `convert(model, RuntimeMode.CPU)` uses them.

BITorch keeps float weights and quantizes them in every call. Its extension point asks an implementation whether it can
take a layer over (`can_clone`) and then for the replacement (`create_clone_from`); both are here, and nothing else of
BITorch is. It is imported only inside `register`, because it is optional and under the GPL-3 (docs/bitorch.md).

What a layer computes there, with q the two quantization functions and p the value of the border:

    QLinear   y = q_x(x) q_w(W)^T + b          QConv2d   y = pad(q_x(x), p) * q_w(W)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from farthing.base.errors import ConfigError, DataError
from farthing.lowbit.layers import QuantConv2d, QuantLinear
from farthing.lowbit.levels import Bits, nearest_level
from farthing.lowbit.packed import PackedProduct
from farthing.lowbit.plan import QuantSpec
from farthing.lowbit.quantizers import Quantizer
from farthing.lowbit.twins import packed_twin

INSTALL = "pip install 'farthing[bitorch]'"

# Names of BITorch's quantization functions that give the sign of x. `steheaviside` gives -1 for 0, the others give 1.
_SIGNS = ("sign", "approxsign", "swishsign", "progressive_sign", "steheaviside")
# Up to 7 bits: the multiples of 8 bits have to be signed integers up to 127.
_MAX_DOREFA_BITS = 7

# Any: the objects of BITorch carry no types here
Recipe = Any
Quantization = Any


@dataclass(frozen=True, slots=True)
class Grid:
    """The values that a quantization function can give: `scale` times the levels of `bits`."""

    bits: Bits
    scale: float

    def holds(self, values: Tensor) -> bool:
        """Whether every value is one of the grid's, up to the rounding of float32 that its arithmetic leaves."""
        scale = torch.tensor(self.scale, device=values.device)
        nearest = nearest_level(values, scale, self.bits) * scale
        return bool(((nearest - values).abs() <= 1e-4 * scale).all())

    def spec(self) -> QuantSpec:
        """A quantizer of this grid, its scale still to be set."""
        quantizer = "sign-ste" if self.bits == 1 else "lsq"
        return QuantSpec(bits=self.bits, quantizer=quantizer, granularity="tensor")


def weight_grid(name: str, bit_width: int) -> Grid | None:
    """The values of a weight quantization of BITorch; None for one that packed layers do not hold.

    `weightdorefa` gives 2 j / m - 1 for j = 0 .. m, m = 2^bits - 1: multiples of 1 / m, which at 2 bits are our four
    levels times 2/3, and from 3 bits on are kept as 8-bit integers.

    Args:
        name: BITorch's own, such as "sign".
        bit_width: its attribute of this name.
    """
    if name in _SIGNS or (name == "weightdorefa" and bit_width == 1):
        return Grid(1, 1.0)
    if name == "weightdorefa" and bit_width == 2:
        return Grid(2, 2 / 3)
    if name == "weightdorefa" and bit_width <= _MAX_DOREFA_BITS:
        return Grid(8, 1 / (2**bit_width - 1))
    return None


def input_grid(name: str, bit_width: int) -> Grid | Literal["float"] | None:
    """The values of an input quantization of BITorch; None for one that packed layers do not take.

    `inputdorefa` gives j / m for j = 0 .. m, m = 2^bits - 1, and `identity` leaves the input in float.
    """
    if name in _SIGNS:
        return Grid(1, 1.0)
    if name == "inputdorefa" and bit_width <= _MAX_DOREFA_BITS:
        return Grid(8, 1 / (2**bit_width - 1))
    return "float" if name == "identity" else None


class _PackedQuantLayer(nn.Module):
    """A layer of BITorch, packed; `rounding` is its input quantization where the packed layer does not repeat it."""

    def __init__(self, layer: nn.Linear | nn.Conv2d, weight: Quantization, input: Quantization) -> None:
        super().__init__()
        grid = input_grid(input.name, input.bit_width)
        values = weight(layer.weight.detach())
        self.rounding = None if grid == "float" or input.name in _SIGNS[:-1] else input
        self.packed = packed_layer(layer, values, weight_grid(weight.name, weight.bit_width), grid)
        self.eval()

    def rounded(self, x: Tensor) -> Tensor:
        """The input, quantized already where that is not left to the packed layer."""
        out: Tensor = x if self.rounding is None else self.rounding(x)
        return out


class PackedQLinear(_PackedQuantLayer):
    """BITorch's QLinear on `PackedLinear`."""

    @classmethod
    def can_clone(cls, recipe: Recipe) -> tuple[bool, str]:
        """Whether the layer can be packed, and if not, why."""
        layer = recipe.layer.layer_implementation
        if not isinstance(layer, nn.Linear):
            return False, f"{type(layer).__name__} is not BITorch's own QLinear: a layer is converted only once"
        return _verdict(layer.weight_quantization, layer.input_quantization)

    @classmethod
    def create_clone_from(cls, recipe: Recipe, device: torch.device | None = None) -> PackedQLinear:
        """The packed layer with the weights of the recipe's layer."""
        layer = recipe.layer.layer_implementation
        return cls(layer, layer.weight_quantization, layer.input_quantization).to(device)

    @torch.no_grad()
    def forward(self, x: Float[Tensor, "*batch in_features"]) -> Float[Tensor, "*batch out_features"]:
        """The product of the quantized input and weight, plus the bias."""
        out: Tensor = self.packed(self.rounded(x))
        return out


class PackedQConv2d(_PackedQuantLayer):
    """BITorch's QConv2d on `PackedConv2d`.

    BITorch fills the border of the *quantized* input, with -1 unless told otherwise. A value that the quantization can
    give stays what it is when the packed layer rounds it, so the border is added to what the packed layer is given.
    """

    def __init__(self, layer: Any, weight: Quantization, input: Quantization) -> None:  # Any: BITorch's QConv2d
        super().__init__(layer, weight, input)
        self.border, self.border_value = _border(layer), _border_value(layer)

    @classmethod
    def can_clone(cls, recipe: Recipe) -> tuple[bool, str]:
        """Whether the layer can be packed, and if not, why."""
        layer = recipe.layer.layer_implementation
        if not isinstance(layer, nn.Conv2d):
            return False, f"{type(layer).__name__} is not BITorch's own QConv2d: a layer is converted only once"
        rounding, value = _input_quantization(layer), _border_value(layer)
        grid = input_grid(rounding.name, rounding.bit_width)
        if isinstance(grid, Grid) and any(_border(layer)) and not grid.holds(torch.tensor([value])):
            return False, f"pad_value {value} is none of the values that {rounding.name!r} gives"
        return _verdict(_weight_quantization(layer), rounding)

    @classmethod
    def create_clone_from(cls, recipe: Recipe, device: torch.device | None = None) -> PackedQConv2d:
        """The packed layer with the weights of the recipe's layer."""
        layer = recipe.layer.layer_implementation
        return cls(layer, _weight_quantization(layer), _input_quantization(layer)).to(device)

    @torch.no_grad()
    def forward(self, x: Float[Tensor, "*batch in_channels h w"]) -> Float[Tensor, "*batch out_channels h2 w2"]:
        """The convolution of the quantized, bordered input with the quantized weight."""
        out: Tensor = self.packed(F.pad(self.rounded(x), self.border, value=self.border_value))
        return out


def packed_layer(
    layer: nn.Linear | nn.Conv2d, values: Tensor, weight: Grid | None, input: Grid | Literal["float"] | None
) -> PackedProduct:
    """The packed layer that multiplies `input` values with `values`; a convolution comes without its padding.

    Args:
        layer: gives shape, geometry and bias.
        values: the quantized weight.
        weight: the grid of `values`.
        input: the grid of the input, or "float".

    Raises:
        ConfigError: a grid is None, or the layer has an option that packed layers lack.
        DataError: a value is not on its grid.
    """
    if weight is None or input is None:
        raise ConfigError("quantization: packed layers hold values on an even grid only; ask `can_clone` first")
    if not weight.holds(values):
        raise DataError("weight: not what its quantization gives in eval mode; call model.eval() before convert")
    activation = None if input == "float" else input
    activation_spec = None if activation is None else activation.spec()
    twin: QuantLinear | QuantConv2d
    if isinstance(layer, nn.Conv2d):
        twin = QuantConv2d.from_float(layer, weight=weight.spec(), activation=activation_spec)
        twin.padding = (0, 0)
    else:
        twin = QuantLinear.from_float(layer, weight=weight.spec(), activation=activation_spec)
    twin.weight = nn.Parameter(values, requires_grad=False)
    for quantizer, grid in ((twin.weight_quantizer, weight), (twin.activation_quantizer, activation)):
        if quantizer is not None and grid is not None:
            set_scale(quantizer, grid.scale)
    packed = packed_twin(type(layer).__name__, twin, norm=None)
    assert isinstance(packed, PackedProduct), "the twin of a product is a product"
    return packed


def register() -> None:
    """Makes packed layers BITorch's implementation of QLinear and QConv2d in `RuntimeMode.CPU`.

    Calling it again changes nothing.

    Raises:
        ConfigError: BITorch is not installed.
    """
    try:
        from bitorch import RuntimeMode
        from bitorch.layers import CustomImplementationMixin
        from bitorch.layers import register as registers
    except ImportError as error:
        raise ConfigError(f"bitorch: cannot be imported ({error}); install it: {INSTALL}") from error

    class FarthingQLinear(PackedQLinear, CustomImplementationMixin):  # type: ignore[misc]  # BITorch carries no types
        """What BITorch shows of a converted QLinear."""

    class FarthingQConv2d(PackedQConv2d, CustomImplementationMixin):  # type: ignore[misc]
        """What BITorch shows of a converted QConv2d."""

    if not _is_registered(registers.q_linear_registry, PackedQLinear):
        registers.QLinearImplementation(RuntimeMode.CPU)(FarthingQLinear)
    if not _is_registered(registers.q_conv2d_registry, PackedQConv2d):
        registers.QConv2dImplementation(RuntimeMode.CPU)(FarthingQConv2d)


def _is_registered(registry: Any, kind: type) -> bool:  # Any: BITorch's LayerRegistry
    return any(issubclass(implementation.class_, kind) for implementation in registry.layer_implementations)


def _verdict(weight: Quantization, input: Quantization) -> tuple[bool, str]:
    """Whether both quantizations can be packed, and if not, why."""
    if weight_grid(weight.name, weight.bit_width) is None:
        return False, f"packed weights come from a sign or up to 7 bits of DoReFa, not from {weight.name!r}"
    if input_grid(input.name, input.bit_width) is None:
        return False, f"packed layers take inputs of a sign, up to 7 bits of DoReFa or identity, not of {input.name!r}"
    return True, ""


def _weight_quantization(layer: Any) -> Quantization:  # Any: BITorch's QConv2d
    return layer._weight_quantize  # noqa: SLF001  it has no public name


def _input_quantization(layer: Any) -> Quantization:  # Any: BITorch's QConv2d
    return layer.activation.activation_function


def _border_value(layer: Any) -> float:  # Any: BITorch's QConv2d
    return float(layer._pad_value)  # noqa: SLF001  it has no public name


def _border(layer: nn.Conv2d) -> tuple[int, ...]:
    """Columns left and right, rows above and below: how torch and BITorch read `padding`, "same" included."""
    return tuple(layer._reversed_padding_repeated_twice)  # noqa: SLF001  it has no public name


@torch.no_grad()
def set_scale(quantizer: Quantizer, scale: float) -> None:
    """Fixes the scales of a quantizer."""
    quantizer.scale.fill_(scale)
    quantizer.is_initialised.fill_(value=True)
