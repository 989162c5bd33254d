"""Bags of embedding rows: flat indices with offsets, summed or averaged; for training and packed layers."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from farthing.base.errors import ConfigError


def flat_bags(
    input: Int[Tensor, "*indices"], offsets: Int[Tensor, " starts"] | None, *, include_last_offset: bool
) -> tuple[Int[Tensor, " n"], Int[Tensor, " ends"]]:
    """Flat indices and where each bag starts and ends, from the arguments of `torch.nn.EmbeddingBag`.

    Args:
        input: Row indices, flat with offsets or [bags, length] without.
        offsets: First position of each bag, and the end of the last one if `include_last_offset`.
        include_last_offset: See `torch.nn.EmbeddingBag`; plays no role for 2-D input.

    Returns:
        indices [n] and offsets [bags + 1]: bag b holds indices[offsets[b] : offsets[b + 1]].

    Raises:
        ConfigError: 1-D input without offsets or 2-D input with them.
    """
    if (input.ndim == 1) == (offsets is None):
        raise ConfigError(f"offsets: go with 1-D indices and only with them, got {input.ndim}-D indices")
    indices = input.reshape(-1)
    if offsets is None:
        return indices, torch.arange(len(input) + 1, device=input.device) * input.shape[1]
    if not include_last_offset:
        offsets = torch.cat([offsets, offsets.new_tensor([indices.numel()])])
    return indices, offsets


def pool_bags(
    rows: Float[Tensor, "n dim"],
    offsets: Int[Tensor, " ends"],
    *,
    mode: str,
    weights: Float[Tensor, " n"] | None = None,
) -> Float[Tensor, "bags dim"]:
    """The sum or mean of each bag's rows, times `weights` if given; an empty bag gives zeros.

    Args:
        rows: Looked-up rows, bag after bag.
        offsets: Start of each bag and the end of the last, [bags + 1].
        mode: `sum` or `mean`.
        weights: One factor per row; `sum` only.

    Raises:
        ConfigError: weights with another mode than `sum`.
    """
    if weights is not None and mode != "sum":
        raise ConfigError(f"per_sample_weights: go with mode 'sum' only, got {mode!r}")
    num_rows = len(rows)
    if len(offsets) == num_rows + 1 and torch.equal(offsets, torch.arange(num_rows + 1, device=offsets.device)):
        return rows if weights is None else rows * weights.unsqueeze(1)  # each bag is one row
    positions = torch.arange(num_rows, device=rows.device, dtype=offsets.dtype)
    pooled: Tensor = F.embedding_bag(
        positions, rows, offsets, mode=mode, per_sample_weights=weights, include_last_offset=True
    )
    return pooled
