"""Layers that run on packed codes: what `convert.pack` makes of the training layers, for inference only.

A layer is a description (what config.json holds) and buffers (the tensors of the model file); docs/format.md defines
both. It gives what the training layer it came from gives in eval mode, bit for bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property
from typing import Annotated, Any, Literal

import msgspec
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn

from farthing.lowbit import ops
from farthing.lowbit.bags import flat_bags, pool_bags
from farthing.lowbit.convolution import NativeConv2d, native_conv2d
from farthing.lowbit.granularity import EMBEDDING_GRANULARITIES, Granularity, expand, row_groups
from farthing.lowbit.levels import Bits
from farthing.lowbit.packing import row_bytes, unpack
from farthing.lowbit.products import native_linear, native_product, takes_rows
from farthing.lowbit.tables import NativeTable, native_table

Size = Annotated[int, msgspec.Meta(ge=1, le=2**40)]
Row = Annotated[int, msgspec.Meta(ge=0, le=2**40)]


class LinearDescription(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="linear"):
    """What a `PackedLinear` is: one row of codes per output."""

    out_features: Size
    in_features: Size
    bits: Bits
    activation_bits: Bits | None
    has_bias: bool
    num_scales: Size

    @property
    def weight_shape(self) -> tuple[int, ...]:
        """The axes of the weight, output first."""
        return (self.out_features, self.in_features)


class ConvDescription(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="conv2d"):
    """What a `PackedConv2d` is: one row of codes per output channel."""

    weight_shape: tuple[Size, Size, Size, Size]
    geometry: ops.ConvGeometry
    bits: Bits
    activation_bits: Bits | None
    has_bias: bool
    num_scales: Size


class EmbeddingDescription(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="embedding"):
    """What a `PackedEmbedding` is; the row at `padding_idx` reads as zeros."""

    num_embeddings: Size
    embedding_dim: Size
    bits: Bits
    granularity: Granularity
    group_starts: tuple[Row, ...] | None
    has_offset: bool
    padding_idx: Row | None

    def __post_init__(self) -> None:
        _check_groups(self)


class EmbeddingBagDescription(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="embedding_bag"
):
    """What a `PackedEmbeddingBag` is."""

    num_embeddings: Size
    embedding_dim: Size
    bits: Bits
    granularity: Granularity
    group_starts: tuple[Row, ...] | None
    has_offset: bool
    mode: Literal["sum", "mean"]
    include_last_offset: bool

    def __post_init__(self) -> None:
        _check_groups(self)


class FoldedNormDescription(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="folded_norm"):
    """What a `FoldedNorm` is: nothing but its place."""


def _check_groups(table: EmbeddingDescription | EmbeddingBagDescription) -> None:
    """Raises ValueError, which msgspec reports with the place, unless the groups fit the granularity and the table."""
    if table.granularity not in EMBEDDING_GRANULARITIES:
        raise ValueError(f"granularity of a table is one of {EMBEDDING_GRANULARITIES}, got {table.granularity!r}")
    starts = table.group_starts
    if (starts is None) == (table.granularity == "group"):
        raise ValueError("group_starts goes with granularity 'group' and only with it")
    if starts and (starts[0] != 0 or starts[-1] >= table.num_embeddings or list(starts) != sorted(set(starts))):
        raise ValueError("group_starts ascends strictly from 0 to below num_embeddings")
    if starts == ():
        raise ValueError("group_starts is not empty")


ProductDescription = LinearDescription | ConvDescription
TableDescription = EmbeddingDescription | EmbeddingBagDescription
Description = ProductDescription | TableDescription | FoldedNormDescription


class _Prepared(nn.Module):
    """A layer that makes something of its tensors in its first call, and again when they have changed."""

    description: Any  # Any: each layer has its own

    def _forget(self) -> None:
        """Drops what was made of the tensors, which change."""
        self.__dict__.pop("native", None)

    def __getstate__(self) -> dict[str, Any]:  # Any: attributes
        """What a copy of the layer has: all but what it makes again in its first call."""
        return {name: value for name, value in self.__dict__.items() if name != "native"}

    def extra_repr(self) -> str:
        """What `print(model)` shows."""
        return repr(self.description)

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Any:  # Any: torch's own signature
        self._forget()
        return super()._apply(fn, recurse)  # type: ignore[no-untyped-call]

    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:  # Any: torch's own signature
        self._forget()
        super()._load_from_state_dict(*args, **kwargs)


class PackedProduct(_Prepared):
    """What PackedLinear and PackedConv2d share: packed weights, and how the input becomes integers.

    Attributes:
        codes: u8 [out, row_bytes(weights per output, bits)].
        scale: f32 [1 or out]; may be negative where a normalisation was folded in.
        bias: f32 [out], or None.
        activation_scale: f32 [1], or None where the input stays float.
    """

    description: ProductDescription
    codes: UInt8[Tensor, "out stride"]
    scale: Float[Tensor, " scales"]
    bias: Float[Tensor, " out"] | None
    activation_scale: Float[Tensor, " 1"] | None
    _product: ops.Product | None  # what was made of these tensors

    def __init__(self, description: ProductDescription) -> None:
        super().__init__()
        self.description = description
        num_rows, *rest = description.weight_shape
        stride = row_bytes(math.prod(rest), description.bits)
        self.register_buffer("codes", torch.zeros(num_rows, stride, dtype=torch.uint8))
        self.register_buffer("scale", torch.ones(description.num_scales))
        self.register_buffer("bias", torch.zeros(num_rows) if description.has_bias else None)
        self.register_buffer("activation_scale", None if description.activation_bits is None else torch.ones(1))
        self._forget()

    @property
    def num_columns(self) -> int:
        """Codes in a row."""
        return math.prod(self.description.weight_shape[1:])

    def product(self) -> ops.Product:
        """The weight in the form that torch multiplies; unpacked once, on the first call."""
        if self._product is None:
            bits, activation = self.description.bits, self._activation()
            self._product = ops.Product.from_codes(
                self._unpacked(), bits, scale=self.scale, bias=self.bias, activation=activation
            )
        return self._product

    def _activation(self) -> ops.ActivationScale | None:
        bits = self.description.activation_bits
        if bits is None or self.activation_scale is None:
            return None
        return ops.ActivationScale(self.activation_scale, bits)

    def _unpacked(self) -> UInt8[Tensor, "*weight_shape"]:
        return unpack(self.codes, self.description.bits, self.num_columns).reshape(self.description.weight_shape)

    def _forget(self) -> None:
        super()._forget()
        self._product = None

    def __getstate__(self) -> dict[str, Any]:  # Any: attributes
        return super().__getstate__() | {"_product": None}


class PackedLinear(PackedProduct):
    """y = (activation_scale scale) (integers of x) (integers of the codes)^T + bias; see `ops.linear`."""

    description: LinearDescription

    def forward(self, input: Float[Tensor, "*batch in_features"]) -> Float[Tensor, "*batch out_features"]:
        """The product, scaled, plus the bias; without a gradient."""
        product = self.native
        if product is None or not takes_rows(input):
            return ops.linear(input.detach(), self.product())
        return native_linear(input, product)

    @cached_property
    def native(self) -> Any:  # Any: an object of the extension
        """The weight as the native extension multiplies it, or None where it does not."""
        return native_product(
            self.codes,
            self.description.bits,
            self.num_columns,
            scale=self.scale,
            bias=self.bias,
            activation=self._activation(),
        )


class PackedConv2d(PackedProduct):
    """The convolution with the arithmetic of `PackedLinear`; see `ops.conv2d`.

    Attributes:
        has_relu: whether the layer ends with a ReLU (`add_relu`); never so in a file.
    """

    description: ConvDescription

    def __init__(self, description: ConvDescription) -> None:
        super().__init__(description)
        self.has_relu = False

    def forward(self, input: Float[Tensor, "*batch in_channels h w"]) -> Float[Tensor, "*batch out_channels h2 w2"]:
        """The convolution, scaled, plus the bias; without a gradient."""
        images = input.detach()
        if self.native is not None and self.native.takes(images):
            return self.native(images)
        out = ops.conv2d(images, self.product(), self.description.geometry)
        return out.relu_() if self.has_relu else out

    def add_relu(self) -> None:
        """Makes max(y, 0) of the result y; see `folding.fold_relus`."""
        self._forget()
        self.has_relu = True

    @cached_property
    def native(self) -> NativeConv2d | None:
        """The native convolution, or None where there is none for this layer."""
        return native_conv2d(
            self._unpacked(),
            self.description.bits,
            scale=self.scale,
            bias=self.bias,
            activation=self._activation(),
            geometry=self.description.geometry,
            has_relu=self.has_relu,
        )


class PackedTable(_Prepared):
    """What PackedEmbedding and PackedEmbeddingBag share: a packed table, of which only looked-up rows are unpacked.

    Attributes:
        codes: u8 [num_embeddings, row_bytes(embedding_dim, bits)].
        scale: f32, one per table, group, dimension or row.
        offset: f32 like `scale`, the value of level 0; None means 0.
    """

    description: TableDescription
    codes: UInt8[Tensor, "rows stride"]
    scale: Float[Tensor, " scales"]
    offset: Float[Tensor, " scales"] | None
    group_starts: Int[Tensor, " groups"] | None

    def __init__(self, description: TableDescription) -> None:
        super().__init__()
        self.description = description
        num_rows, dim, starts = description.num_embeddings, description.embedding_dim, description.group_starts
        num_scales = {"group": len(starts or ()), "dimension": dim, "row": num_rows}.get(description.granularity, 1)
        self.register_buffer("codes", torch.zeros(num_rows, row_bytes(dim, description.bits), dtype=torch.uint8))
        self.register_buffer("scale", torch.ones(num_scales))
        self.register_buffer("offset", torch.zeros(num_scales) if description.has_offset else None)
        first_rows = None if starts is None else torch.tensor(starts, device="cpu")
        self.register_buffer("group_starts", first_rows, persistent=False)

    @property
    def num_columns(self) -> int:
        """Codes in a row."""
        return self.description.embedding_dim

    def lookup(self, indices: Int[Tensor, " n"]) -> Float[Tensor, "n dim"]:
        """The values of the rows that `indices` name."""
        granularity = self.description.granularity
        values = ops.lookup_levels(self.codes, indices, bits=self.description.bits, num_columns=self.num_columns)
        groups = row_groups(indices, granularity, self.group_starts)
        values = values * expand(self.scale, granularity, ndim=2, groups=groups)
        return values if self.offset is None else values.add_(expand(self.offset, granularity, ndim=2, groups=groups))

    @cached_property
    def native(self) -> NativeTable | None:
        """The table as the native extension reads it, or None where it does not."""
        return native_table(
            self.codes,
            self.description.bits,
            dim=self.num_columns,
            granularity=self.description.granularity,
            scale=self.scale,
            offset=self.offset,
            group_starts=self.group_starts,
            is_mean=getattr(self.description, "mode", "sum") == "mean",
        )


class PackedEmbedding(PackedTable):
    """Rows of a packed table; call signature of `torch.nn.Embedding`."""

    description: EmbeddingDescription

    def forward(self, input: Int[Tensor, "*rows"]) -> Float[Tensor, "*rows dim"]:
        """The rows of `input`, without a gradient; zeros where it is `padding_idx`."""
        native, indices = self.native, input.reshape(-1, 1)  # bags of one row
        if native is not None and native.takes(indices):
            rows = native.sum_bags(indices)
        else:
            rows = self.lookup(indices.flatten())
        rows = rows.view(*input.shape, self.num_columns)
        if self.description.padding_idx is None:
            return rows
        return rows.masked_fill((input == self.description.padding_idx).unsqueeze(-1), 0.0)


class PackedEmbeddingBag(PackedTable):
    """Sum or mean of each bag's rows of a packed table; call signature of `torch.nn.EmbeddingBag`."""

    description: EmbeddingBagDescription

    def forward(
        self,
        input: Int[Tensor, "*indices"],
        offsets: Int[Tensor, " starts"] | None = None,
        per_sample_weights: Float[Tensor, "*indices"] | None = None,
    ) -> Float[Tensor, "bags dim"]:
        """The pooled bags, without a gradient.

        Raises:
            ConfigError: 1-D input without offsets or 2-D input with them, or weights with another mode than `sum`.
            IndexError: an index that is no row of the table.
        """
        native, has_end = self.native, self.description.include_last_offset
        if native is not None and native.takes(input, offsets, per_sample_weights):
            return native.sum_bags(input, offsets, per_sample_weights, has_end=has_end)
        indices, ends = flat_bags(input, offsets, include_last_offset=has_end)
        weights = None if per_sample_weights is None else per_sample_weights.detach().reshape(-1)
        return pool_bags(self.lookup(indices), ends, mode=self.description.mode, weights=weights)


class FoldedNorm(nn.Identity):
    """Stands where a normalisation was folded into the layer before it."""

    description = FoldedNormDescription()


PackedLayer = PackedProduct | PackedTable | FoldedNorm


def build(description: Description) -> PackedLayer:
    """The layer that `description` stands for, its tensors still to be filled in."""
    match description:
        case LinearDescription():
            return PackedLinear(description)
        case ConvDescription():
            return PackedConv2d(description)
        case EmbeddingDescription():
            return PackedEmbedding(description)
        case EmbeddingBagDescription():
            return PackedEmbeddingBag(description)
        case FoldedNormDescription():
            return FoldedNorm()
