"""Layers that train with quantized weights and inputs; drop-in replacements of their torch.nn namesakes.

Each keeps a full-precision latent weight, quantizes it on the way forward and is converted by `convert.py`.
Embeddings quantize *after* the lookup: a step reads and writes only the rows that the batch names.
"""

from __future__ import annotations

from typing import cast

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from farthing.base.errors import ConfigError
from farthing.lowbit import ops
from farthing.lowbit.bags import flat_bags, pool_bags
from farthing.lowbit.granularity import (
    ACTIVATION_GRANULARITIES,
    EMBEDDING_GRANULARITIES,
    WEIGHT_GRANULARITIES,
    Granularity,
    row_groups,
)
from farthing.lowbit.plan import QuantSpec
from farthing.lowbit.quantizers import QUANTIZERS, Quantizer


def build_quantizer(
    spec: QuantSpec, allowed: tuple[Granularity, ...], *, sizes: dict[Granularity, int], what: str
) -> Quantizer:
    """The quantizer that `spec` describes.

    Args:
        spec: What to build.
        allowed: Granularities that make sense at this place; the first is the default.
        sizes: Number of scales for those granularities that have more than one.
        what: The place, for the error message.

    Raises:
        ConfigError: the granularity is not one of `allowed`.
    """
    granularity = spec.granularity or allowed[0]
    if granularity not in allowed:
        raise ConfigError(f"granularity: {what} takes {' or '.join(allowed)}, got {granularity!r}")
    return QUANTIZERS[spec.quantizer](spec.bits, granularity, sizes.get(granularity, 1))


class _QuantProduct(nn.Module):
    """What QuantLinear and QuantConv2d share: a weight and its quantizer, and perhaps one for the input.

    While training, or wherever gradients are recorded, the layer multiplies rounded floats. In eval mode without
    gradients it multiplies the integers behind them, as its packed twin does: the two agree bit for bit.
    """

    weight: Tensor
    weight_quantizer: Quantizer
    activation_quantizer: Quantizer | None

    def add_quantizers(self, weight: QuantSpec, activation: QuantSpec | None, *, what: str) -> None:
        """Builds both quantizers and sets the weight's scales from the weight."""
        sizes: dict[Granularity, int] = {"channel": len(self.weight)}
        self.weight_quantizer = build_quantizer(weight, WEIGHT_GRANULARITIES, sizes=sizes, what=what)
        self.weight_quantizer.init_from(self.weight)
        self.activation_quantizer = None
        if activation is not None:
            self.activation_quantizer = build_quantizer(
                activation, ACTIVATION_GRANULARITIES, sizes={}, what="an activation"
            )

    def multiplies_integers(self) -> bool:
        """Whether `forward` computes as the packed twin does."""
        return not (self.training or torch.is_grad_enabled())

    def quantized(self, x: Tensor) -> Tensor:
        """The input, rounded to what its codes can say."""
        quantizer = self.activation_quantizer
        rounded: Tensor = x if quantizer is None else quantizer(x)
        return rounded

    def product(self, x: Tensor, bias: Tensor | None) -> ops.Product:
        """What the packed twin multiplies with; `x` sets the input's scale if nothing did before."""
        quantizer, activation = self.activation_quantizer, None
        if quantizer is not None:
            if quantizer.is_due():
                quantizer.init_from(x)
            activation = ops.ActivationScale(quantizer.positive_scale(), quantizer.bits)
        return ops.Product.from_codes(
            self.weight_quantizer.codes(self.weight),
            self.weight_quantizer.bits,
            scale=self.weight_quantizer.positive_scale(),
            bias=bias,
            activation=activation,
        )


class QuantLinear(_QuantProduct, nn.Linear):
    """y = quantized(x) quantized(weight)^T + bias; call signature of `torch.nn.Linear`.

    Attributes:
        weight_quantizer: Scales per output channel or one.
        activation_quantizer: One scale, set from the first batch; None leaves the input as it is.
    """

    @classmethod
    def from_float(cls, module: nn.Linear, *, weight: QuantSpec, activation: QuantSpec | None = None) -> QuantLinear:
        """The quantizing twin of `module`; it shares the parameters, which are not copied."""
        new = cls(module.in_features, module.out_features, bias=module.bias is not None, device="meta")
        new.weight, new.bias = module.weight, module.bias
        new.add_quantizers(weight, activation, what="a Linear weight")
        return new.train(module.training)

    def forward(self, input: Float[Tensor, "*batch in_features"]) -> Float[Tensor, "*batch out_features"]:
        """The product of the quantized input and weight, plus the bias."""
        if not self.multiplies_integers():
            return F.linear(self.quantized(input), self.weight_quantizer(self.weight), self.bias)
        return ops.linear(input, self.product(input, self.bias))


class QuantConv2d(_QuantProduct, nn.Conv2d):
    """y = quantized(x) * quantized(weight) + bias; call signature of `torch.nn.Conv2d`.

    The border that `padding` adds is zero, also at 1 and 2 bits, which have no level for it.
    """

    @classmethod
    def from_float(cls, module: nn.Conv2d, *, weight: QuantSpec, activation: QuantSpec | None = None) -> QuantConv2d:
        """The quantizing twin of `module`; it shares the parameters, which are not copied.

        Raises:
            ConfigError: `module` pads with anything but zeros.
        """
        refuse_options(padding_mode=module.padding_mode != "zeros")
        new = cls(
            module.in_channels,
            module.out_channels,
            cast("tuple[int, int]", module.kernel_size),
            stride=cast("tuple[int, int]", module.stride),
            padding=cast("str | tuple[int, int]", module.padding),
            dilation=cast("tuple[int, int]", module.dilation),
            groups=module.groups,
            bias=module.bias is not None,
            device="meta",
        )
        new.weight, new.bias = module.weight, module.bias
        new.add_quantizers(weight, activation, what="a Conv2d weight")
        return new.train(module.training)

    def geometry(self) -> ops.ConvGeometry:
        """Stride, padding, dilation and groups."""
        return ops.ConvGeometry(
            stride=cast("tuple[int, int]", self.stride),
            padding=cast("tuple[int, int]", self.padding),
            dilation=cast("tuple[int, int]", self.dilation),
            groups=self.groups,
        )

    def forward(self, input: Float[Tensor, "*batch in_channels h w"]) -> Float[Tensor, "*batch out_channels h2 w2"]:
        """The convolution of the quantized input and weight, plus the bias."""
        if not self.multiplies_integers():
            out: Tensor = self._conv_forward(self.quantized(input), self.weight_quantizer(self.weight), self.bias)
            return out
        return ops.conv2d(input, self.product(input, self.bias), self.geometry())


class TableQuantizer(nn.Module):
    """Quantizes looked-up rows of one table with the scales of the groups that they belong to."""

    group_starts: Tensor | None

    def __init__(self, spec: QuantSpec, table: Tensor) -> None:
        super().__init__()
        num_rows, dim = table.shape
        starts = spec.group_starts
        if starts is not None and starts[-1] >= num_rows:
            raise ConfigError(f"group_starts: below the table's {num_rows} rows, got {starts[-1]}")
        self.register_buffer("group_starts", None if starts is None else torch.tensor(starts), persistent=False)
        sizes: dict[Granularity, int] = {"group": len(starts or ()), "dimension": dim, "row": num_rows}
        self.quantizer = build_quantizer(spec, EMBEDDING_GRANULARITIES, sizes=sizes, what="an embedding")
        self.init_from(table)

    def init_from(self, table: Float[Tensor, "num_rows dim"]) -> None:
        """Sets the scales from the whole table."""
        self.quantizer.init_from(table, self.groups_of(torch.arange(len(table), device=table.device)))

    def groups_of(self, indices: Int[Tensor, "*rows"]) -> Int[Tensor, "*rows"] | None:
        """The scale index of each row, or None where the row does not decide it."""
        return row_groups(indices, self.quantizer.granularity, self.group_starts)

    def forward(
        self, rows: Float[Tensor, "*rows dim"], indices: Int[Tensor, "*rows"], table: Float[Tensor, "num_rows dim"]
    ) -> Float[Tensor, "*rows dim"]:
        """`rows`, which `indices` looked up in `table`, quantized."""
        if self.quantizer.is_due():
            self.init_from(table)
        quantized: Tensor = self.quantizer(rows, self.groups_of(indices))
        return quantized


class QuantEmbedding(nn.Embedding):
    """Rows of a table, quantized after the lookup; call signature of `torch.nn.Embedding`, sparse gradients too.

    A row at `padding_idx` reads as zeros, whether or not the levels include zero.
    """

    table_quantizer: TableQuantizer

    @classmethod
    def from_float(cls, module: nn.Embedding, *, weight: QuantSpec) -> QuantEmbedding:
        """The quantizing twin of `module`; it shares the table, which is not copied.

        Raises:
            ConfigError: `module` uses max_norm or scale_grad_by_freq, or its padding row is not zero.
        """
        refuse_options(max_norm=module.max_norm is not None, scale_grad_by_freq=module.scale_grad_by_freq)
        if module.padding_idx is not None and bool(module.weight[module.padding_idx].any()):
            raise ConfigError(f"padding_idx: row {module.padding_idx} must be zero to be quantized as padding")
        size = (module.num_embeddings, module.embedding_dim)
        new = cls(*size, padding_idx=module.padding_idx, sparse=module.sparse, _weight=module.weight, device="meta")
        new.weight = module.weight
        new.table_quantizer = TableQuantizer(weight, module.weight)
        return new.train(module.training)

    def forward(self, input: Int[Tensor, "*rows"]) -> Float[Tensor, "*rows dim"]:
        """The rows of `input`, quantized."""
        rows = super().forward(input)
        quantized: Tensor = self.table_quantizer(rows, input, self.weight)
        if self.padding_idx is not None:
            quantized = quantized.masked_fill((input == self.padding_idx).unsqueeze(-1), 0.0)
        return quantized


class QuantEmbeddingBag(nn.EmbeddingBag):
    """Sum or mean of each bag's rows, quantized after the lookup; call signature of `torch.nn.EmbeddingBag`."""

    table_quantizer: TableQuantizer

    @classmethod
    def from_float(cls, module: nn.EmbeddingBag, *, weight: QuantSpec) -> QuantEmbeddingBag:
        """The quantizing twin of `module`; it shares the table, which is not copied.

        Raises:
            ConfigError: `module` uses mode 'max', max_norm, scale_grad_by_freq or padding_idx.
        """
        refuse_options(
            max_norm=module.max_norm is not None,
            scale_grad_by_freq=module.scale_grad_by_freq,
            padding_idx=module.padding_idx is not None,
            mode=module.mode == "max",
        )
        new = cls(
            module.num_embeddings,
            module.embedding_dim,
            mode=module.mode,
            sparse=module.sparse,
            include_last_offset=module.include_last_offset,
            _weight=module.weight,
            device="meta",
        )
        new.weight = module.weight
        new.table_quantizer = TableQuantizer(weight, module.weight)
        return new.train(module.training)

    def forward(
        self,
        input: Int[Tensor, "*indices"],
        offsets: Int[Tensor, " starts"] | None = None,
        per_sample_weights: Float[Tensor, "*indices"] | None = None,
    ) -> Float[Tensor, "bags dim"]:
        """The pooled bags of quantized rows."""
        indices, ends = flat_bags(input, offsets, include_last_offset=self.include_last_offset)
        rows = F.embedding(indices, self.weight, sparse=self.sparse)
        rows = self.table_quantizer(rows, indices, self.weight)
        weights = None if per_sample_weights is None else per_sample_weights.reshape(-1)
        return pool_bags(rows, ends, mode=self.mode, weights=weights)


def refuse_options(**options: bool) -> None:
    """Raises ConfigError for the first option that is in use and has no quantized form."""
    for name, is_used in options.items():
        if is_used:
            raise ConfigError(f"{name}: has no quantized form; leave this module out of the plan")
