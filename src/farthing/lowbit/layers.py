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


def _activation_quantizer(spec: QuantSpec | None) -> Quantizer | None:
    if spec is None:
        return None
    return build_quantizer(spec, ACTIVATION_GRANULARITIES, sizes={}, what="an activation")


class QuantLinear(nn.Linear):
    """y = quantized(x) quantized(weight)^T + bias; call signature of `torch.nn.Linear`.

    Attributes:
        weight_quantizer: Scales per output channel or one.
        activation_quantizer: One scale, set from the first batch; None leaves the input as it is.
    """

    weight_quantizer: Quantizer
    activation_quantizer: Quantizer | None

    @classmethod
    def from_float(cls, module: nn.Linear, *, weight: QuantSpec, activation: QuantSpec | None = None) -> QuantLinear:
        """The quantizing twin of `module`; it shares the parameters, which are not copied."""
        new = cls(module.in_features, module.out_features, bias=module.bias is not None, device="meta")
        new.weight, new.bias = module.weight, module.bias
        sizes: dict[Granularity, int] = {"channel": module.out_features}
        new.weight_quantizer = build_quantizer(weight, WEIGHT_GRANULARITIES, sizes=sizes, what="a Linear weight")
        new.activation_quantizer = _activation_quantizer(activation)
        new.weight_quantizer.init_from(module.weight)
        return new.train(module.training)

    def forward(self, input: Float[Tensor, "*batch in_features"]) -> Float[Tensor, "*batch out_features"]:
        if self.activation_quantizer is not None:
            input = self.activation_quantizer(input)
        return F.linear(input, self.weight_quantizer(self.weight), self.bias)


class QuantConv2d(nn.Conv2d):
    """y = quantized(x) * quantized(weight) + bias; call signature of `torch.nn.Conv2d`.

    The border that `padding` adds is zero (or what `padding_mode` says of the quantized input), also at 1 bit.
    """

    weight_quantizer: Quantizer
    activation_quantizer: Quantizer | None

    @classmethod
    def from_float(cls, module: nn.Conv2d, *, weight: QuantSpec, activation: QuantSpec | None = None) -> QuantConv2d:
        """The quantizing twin of `module`; it shares the parameters, which are not copied."""
        new = cls(
            module.in_channels,
            module.out_channels,
            cast("tuple[int, int]", module.kernel_size),
            stride=cast("tuple[int, int]", module.stride),
            padding=cast("str | tuple[int, int]", module.padding),
            dilation=cast("tuple[int, int]", module.dilation),
            groups=module.groups,
            bias=module.bias is not None,
            padding_mode=module.padding_mode,
            device="meta",
        )
        new.weight, new.bias = module.weight, module.bias
        sizes: dict[Granularity, int] = {"channel": module.out_channels}
        new.weight_quantizer = build_quantizer(weight, WEIGHT_GRANULARITIES, sizes=sizes, what="a Conv2d weight")
        new.activation_quantizer = _activation_quantizer(activation)
        new.weight_quantizer.init_from(module.weight)
        return new.train(module.training)

    def forward(self, input: Float[Tensor, "*batch in_channels h w"]) -> Float[Tensor, "*batch out_channels h2 w2"]:
        if self.activation_quantizer is not None:
            input = self.activation_quantizer(input)
        out: Tensor = self._conv_forward(input, self.weight_quantizer(self.weight), self.bias)
        return out


class _TableQuantizer(nn.Module):
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
        if self.quantizer.is_due():
            self.init_from(table)
        quantized: Tensor = self.quantizer(rows, self.groups_of(indices))
        return quantized


class QuantEmbedding(nn.Embedding):
    """Rows of a table, quantized after the lookup; call signature of `torch.nn.Embedding`, sparse gradients too.

    A row at `padding_idx` reads as zeros, whether or not the levels include zero.
    """

    table_quantizer: _TableQuantizer

    @classmethod
    def from_float(cls, module: nn.Embedding, *, weight: QuantSpec) -> QuantEmbedding:
        """The quantizing twin of `module`; it shares the table, which is not copied.

        Raises:
            ConfigError: `module` uses max_norm or scale_grad_by_freq, or its padding row is not zero.
        """
        _refuse(max_norm=module.max_norm is not None, scale_grad_by_freq=module.scale_grad_by_freq)
        if module.padding_idx is not None and bool(module.weight[module.padding_idx].any()):
            raise ConfigError(f"padding_idx: row {module.padding_idx} must be zero to be quantized as padding")
        size = (module.num_embeddings, module.embedding_dim)
        new = cls(*size, padding_idx=module.padding_idx, sparse=module.sparse, _weight=module.weight, device="meta")
        new.weight = module.weight
        new.table_quantizer = _TableQuantizer(weight, module.weight)
        return new.train(module.training)

    def forward(self, input: Int[Tensor, "*rows"]) -> Float[Tensor, "*rows dim"]:
        rows = super().forward(input)
        quantized: Tensor = self.table_quantizer(rows, input, self.weight)
        if self.padding_idx is not None:
            quantized = quantized.masked_fill((input == self.padding_idx).unsqueeze(-1), 0.0)
        return quantized


class QuantEmbeddingBag(nn.EmbeddingBag):
    """Sum or mean of each bag's rows, quantized after the lookup; call signature of `torch.nn.EmbeddingBag`."""

    table_quantizer: _TableQuantizer

    @classmethod
    def from_float(cls, module: nn.EmbeddingBag, *, weight: QuantSpec) -> QuantEmbeddingBag:
        """The quantizing twin of `module`; it shares the table, which is not copied.

        Raises:
            ConfigError: `module` uses mode 'max', max_norm, scale_grad_by_freq or padding_idx.
        """
        _refuse(
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
        new.table_quantizer = _TableQuantizer(weight, module.weight)
        return new.train(module.training)

    def forward(
        self,
        input: Int[Tensor, "*indices"],
        offsets: Int[Tensor, " bags"] | None = None,
        per_sample_weights: Float[Tensor, "*indices"] | None = None,
    ) -> Float[Tensor, "bags dim"]:
        indices, ends = flat_bags(input, offsets, include_last_offset=self.include_last_offset)
        rows = F.embedding(indices, self.weight, sparse=self.sparse)
        rows = self.table_quantizer(rows, indices, self.weight)
        weights = None if per_sample_weights is None else per_sample_weights.reshape(-1)
        return pool_bags(rows, ends, mode=self.mode, weights=weights)


def _refuse(**options: bool) -> None:
    """Raises ConfigError for the first option that is in use and has no quantized form."""
    for name, is_used in options.items():
        if is_used:
            raise ConfigError(f"{name}: has no quantized form; leave this module out of the plan")
