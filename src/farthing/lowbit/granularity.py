"""Which elements of a tensor share one scale.

| granularity | scales | shared by | used for |
|---|---|---|---|
| `tensor` | 1 | all elements | activations, Linear and Conv2d weights |
| `channel` | out_channels | one output channel (first axis) | Linear and Conv2d weights |
| `table` | 1 | all elements | embeddings |
| `group` | num_groups | a range of rows, for example one feature's | embeddings |
| `dimension` | dim | one column | embeddings |
| `row` | num_rows | one row | embeddings; costs 4 bytes a row, as much as 32 one-bit weights |

Embeddings are quantized after the lookup, so `group` and `row` need to know which scale each looked-up row uses:
`groups`, one scale index per row.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

Granularity = Literal["tensor", "channel", "table", "group", "dimension", "row"]

WEIGHT_GRANULARITIES: tuple[Granularity, ...] = ("channel", "tensor")
EMBEDDING_GRANULARITIES: tuple[Granularity, ...] = ("table", "group", "dimension", "row")
ACTIVATION_GRANULARITIES: tuple[Granularity, ...] = ("tensor",)


def expand(
    scale: Float[Tensor, " scales"],
    granularity: Granularity,
    *,
    ndim: int,
    groups: Int[Tensor, "*rows"] | None = None,
) -> Float[Tensor, "*broadcastable"]:
    """A view or gather of one value per scale that broadcasts against a tensor of `ndim` axes.

    Args:
        scale: One value per scale.
        granularity: How the values are shared.
        ndim: Number of axes of the tensor that they are for.
        groups: For `group` and `row`: the scale's index for each row; the tensor has one axis more.
    """
    if granularity == "channel":
        return scale.view(-1, *[1] * (ndim - 1))
    if granularity in ("group", "row"):
        assert groups is not None, f"granularity {granularity!r} needs one scale index per row"
        return scale.index_select(0, groups.reshape(-1)).view(*groups.shape, 1)
    return scale


def num_uses(
    x: Float[Tensor, "*shape"], granularity: Granularity, *, num_scales: int, groups: Int[Tensor, "*rows"] | None = None
) -> Float[Tensor, " scales_or_1"]:
    """How many elements of `x` use each scale, as float32; one number where all are equal."""
    if granularity in ("group", "row"):
        assert groups is not None, f"granularity {granularity!r} needs one scale index per row"
        return torch.bincount(groups.reshape(-1), minlength=num_scales).to(x.dtype) * x.shape[-1]
    return torch.tensor([x.numel() / num_scales], device=x.device)


def mean_per_scale(
    x: Float[Tensor, "*shape"], granularity: Granularity, *, num_scales: int, groups: Int[Tensor, "*rows"] | None = None
) -> Float[Tensor, " scales"]:
    """The mean of the elements that share each scale; a scale that no element uses gets the mean of all."""
    if granularity == "channel":
        return x.flatten(1).mean(1)
    if granularity == "dimension":
        return x.flatten(0, -2).mean(0)
    if groups is None or granularity in ("tensor", "table"):
        return x.mean().reshape(1)
    rows = torch.bincount(groups.reshape(-1), minlength=num_scales)
    total = x.new_zeros(num_scales).index_add_(0, groups.reshape(-1), x.flatten(0, -2).mean(-1))
    return torch.where(rows > 0, total / rows.clamp_min(1), x.mean())


def extremes_per_scale(
    x: Float[Tensor, "*shape"], granularity: Granularity, *, num_scales: int, groups: Int[Tensor, "*rows"] | None = None
) -> tuple[Float[Tensor, " scales"], Float[Tensor, " scales"]]:
    """The smallest and the largest element of each scale; a scale that no element uses gets those of all."""
    if granularity == "channel":
        return x.flatten(1).amin(1), x.flatten(1).amax(1)
    if granularity == "dimension":
        return x.flatten(0, -2).amin(0), x.flatten(0, -2).amax(0)
    if groups is None or granularity in ("tensor", "table"):
        return x.min().reshape(1), x.max().reshape(1)
    index, rows = groups.reshape(-1), x.flatten(0, -2)
    low = x.new_full((num_scales,), math.inf).scatter_reduce_(0, index, rows.amin(-1), "amin")
    high = x.new_full((num_scales,), -math.inf).scatter_reduce_(0, index, rows.amax(-1), "amax")
    return torch.where(low <= high, low, x.min()), torch.where(low <= high, high, x.max())


def row_groups(
    indices: Int[Tensor, "*rows"], granularity: Granularity, group_starts: Int[Tensor, " groups"] | None
) -> Int[Tensor, "*rows"] | None:
    """The scale index of each table row, or None where a row does not decide it.

    Args:
        indices: Table rows, int64 in [0, num_rows).
        granularity: Of the table's scales.
        group_starts: For `group`: first row of each group, ascending from 0.
    """
    if granularity == "row":
        return indices
    if granularity == "group":
        assert group_starts is not None, "granularity 'group' needs group_starts"
        return torch.bucketize(indices, group_starts[1:], right=True)
    return None
