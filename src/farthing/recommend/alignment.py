"""A trained model on a data set that was prepared apart from its training data."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from farthing.base.errors import ConfigError
from farthing.recommend.dataset import Dataset
from farthing.recommend.encoder import RowEncoder
from farthing.recommend.vocabulary import translate

Network = Callable[[Tensor, Tensor, Tensor], Tensor]


def align(network: Network, encoder: RowEncoder, dataset: Dataset) -> tuple[Network, tuple[int, ...]]:
    """`network` as a function of `dataset`'s own batches, and the `table_rows` to ask those batches for.

    Ids are translated by their values, numbers are brought from the data set's mean and standard deviation to those of
    the model's training data. On the training data itself both leave everything as it is.

    Raises:
        ConfigError: the data set has other columns than the model.
    """
    table_rows = tuple(dataset.table_rows(1))
    there = RowEncoder.from_dataset(dataset, table_rows=table_rows)
    names = [[s.name for s in e.description.dense] for e in (encoder, there)]
    if encoder.fields != there.fields or names[0] != names[1]:
        raise ConfigError(
            f"{dataset.folder}: has the columns {', '.join([*names[1], *there.fields])}, "
            f"the model reads {', '.join([*names[0], *encoder.fields])}; prepare the data as the model's was"
        )
    rows = torch.from_numpy(translate(encoder, there))
    old, new = (
        torch.tensor([[s.mean, s.std] for s in e.description.dense], dtype=torch.float32).reshape(-1, 2).T
        for e in (encoder, there)
    )

    def aligned(dense: Tensor, indices: Tensor, offsets: Tensor) -> Tensor:
        return network((dense * new[1] + new[0] - old[0]) / old[1], rows[indices], offsets)

    return aligned, table_rows
