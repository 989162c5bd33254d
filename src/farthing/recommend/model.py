"""DLRM: embeddings and an MLP over numeric columns, pairwise dot products, an MLP to one logit.

Axis letters: B batch, F categorical fields, D embedding_dim, V = F + 1 vectors with numeric columns, else F.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from itertools import accumulate, pairwise

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from farthing.base.errors import ConfigError
from farthing.recommend.config import ModelConfig

# Small enough that the first dot products leave the top MLP's biases in charge; Adam finds the scale in a few steps.
INITIAL_EMBEDDING_STD = 0.01


class Dlrm(nn.Module):
    """A click-through model; `forward` gives logits.

        x0 = bottom(dense)                              only with numeric columns
        e_f = sum of the rows of field f's bag          f = 1..F
        z = (x_i . x_j for i > j) over {x0, e_1, ..., e_F}
        logit = top([x0, z])                            with numeric columns
        logit = top([e_1, ..., e_F, z])                 without: the embeddings take the bottom output's place

    Each hidden layer is Linear, BatchNorm, activation, dropout.

    Args:
        num_dense: numeric columns, >= 0.
        table_rows: embedding rows of each field, F >= 1 of them; one concatenated table holds them all.
        config: the architecture.

    Source: Naumov et al., https://arxiv.org/abs/1906.00091, figure 1 and section 2. Differences: batch normalisation
        and dropout in the MLPs, and the form without numeric columns.
    """

    def __init__(self, *, num_dense: int, table_rows: Sequence[int], config: ModelConfig) -> None:
        super().__init__()
        if not table_rows or min(table_rows) < 1:
            raise ConfigError(f"table_rows must be one number >= 1 per field, got {list(table_rows)[:5]}")
        self.num_dense, self.table_rows, self.embedding_dim = num_dense, tuple(table_rows), config.embedding_dim
        num_fields, dim = len(table_rows), config.embedding_dim
        self.embedding = nn.EmbeddingBag(
            sum(table_rows),
            dim,
            mode="sum",
            sparse=True,
            include_last_offset=True,
            _weight=torch.randn(sum(table_rows), dim) * INITIAL_EMBEDDING_STD,
        )
        self.bottom = _mlp(num_dense, config.bottom, dim, config, is_output_hidden=True) if num_dense else None
        self.num_vectors = num_fields + bool(num_dense)
        self.register_buffer("pairs", _pairs(self.num_vectors), persistent=False)
        passed_on = dim if num_dense else num_fields * dim
        self.top = _mlp(passed_on + len(self.pairs), config.top, 1, config)

    pairs: Tensor

    @property
    def table_starts(self) -> tuple[int, ...]:
        """First row of each field in the concatenated table."""
        return (0, *accumulate(self.table_rows[:-1]))

    def forward(
        self, dense: Float[Tensor, "B num_dense"], indices: Int[Tensor, " n"], offsets: Int[Tensor, " bags_plus_one"]
    ) -> Float[Tensor, " B"]:
        """The logit of each sample.

        Args:
            dense: standardised numeric columns; missing values are 0.
            indices: rows of the concatenated table, bag after bag, sample-major.
            offsets: [B F + 1], where each bag starts in `indices`, and at the end n.
        """
        embedded: Tensor = self.embedding(indices, offsets).view(dense.shape[0], -1, self.embedding_dim)
        if self.bottom is None:
            return self._top(embedded.flatten(1), embedded)
        first = self.bottom(dense)
        return self._top(first, torch.cat([first.unsqueeze(1), embedded], dim=1))

    def _top(self, passed_on: Tensor, vectors: Tensor) -> Tensor:
        products = torch.bmm(vectors, vectors.transpose(1, 2)).flatten(1)
        logits: Tensor = self.top(torch.cat([passed_on, products.index_select(1, self.pairs)], dim=1))
        return logits.squeeze(1)


def _pairs(num_vectors: int) -> Int[Tensor, " pairs"]:
    """Positions of the products x_i . x_j, i > j, in the flattened V x V matrix of products."""
    # On the CPU by name: a model that is built on the meta device, to be filled from a file, needs its real values.
    lower = torch.tril_indices(num_vectors, num_vectors, offset=-1, device="cpu")
    return lower[0] * num_vectors + lower[1]


def _mlp(
    in_features: int,
    hidden: Sequence[int],
    out_features: int,
    config: ModelConfig,
    *,
    is_output_hidden: bool = False,
) -> nn.Sequential:
    """Linear layers of these widths, linear0, linear1, ...; all but the last followed by norm, activation, dropout.

    With `is_output_hidden` the output is normalised and activated like a hidden layer, without dropout. Norms around
    every layer add one before it (input_norm0, ...) and one after the last.
    """
    layers: OrderedDict[str, nn.Module] = OrderedDict()
    widths = [in_features, *hidden, out_features]
    for i, (fan_in, fan_out) in enumerate(pairwise(widths)):
        if config.norms == "around":
            layers[f"input_norm{i}"] = nn.BatchNorm1d(fan_in)
        layers[f"linear{i}"] = nn.Linear(fan_in, fan_out)
        is_last = i == len(hidden)
        is_logit = is_last and not is_output_hidden
        if config.norms == "around" or not is_logit:
            layers[f"norm{i}"] = nn.BatchNorm1d(fan_out)
        if is_logit:
            break
        layers[f"activation{i}"] = nn.PReLU(fan_out) if config.activation == "prelu" else nn.ReLU()
        if config.dropout and not is_last:
            layers[f"dropout{i}"] = nn.Dropout(config.dropout)
    return nn.Sequential(layers)
