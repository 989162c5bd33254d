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
    the model's training data; a missing number, which is 0, stays missing (and so does one that equals the data set's
    mean exactly). On the training data itself nothing changes by a single bit.

    Raises:
        ConfigError: the data set has other columns than the model.
    """
    table_rows = tuple(dataset.table_rows(1))
    there = RowEncoder.from_dataset(dataset, table_rows=table_rows)
    require_same_columns(encoder, there, where=str(dataset.folder))
    rows = torch.from_numpy(translate(encoder, there))
    scale, shift = _standardisation(there, encoder)

    def aligned(dense: Tensor, indices: Tensor, offsets: Tensor) -> Tensor:
        return network(torch.where(dense == 0, 0.0, dense * scale + shift), rows[indices], offsets)

    return aligned, table_rows


def _standardisation(old: RowEncoder, new: RowEncoder) -> tuple[Tensor, Tensor]:
    """[num_dense] each: factor and summand that turn numbers as `old` standardises them into those of `new`."""
    pairs = list(zip(old.description.dense, new.description.dense, strict=True))
    scale = torch.tensor([a.std / b.std for a, b in pairs], dtype=torch.float32)
    shift = torch.tensor([(a.mean - b.mean) / b.std for a, b in pairs], dtype=torch.float32)
    return scale, shift


def require_same_columns(model: RowEncoder, data: RowEncoder, *, where: str) -> None:
    """Raises ConfigError unless the data that `data` was made from has the columns that `model` reads."""
    reads, has = _columns(model), _columns(data)
    if reads != has:
        texts = [f"the numbers {', '.join(c[0]) or '(none)'} and the fields {', '.join(c[1])}" for c in (reads, has)]
        raise ConfigError(
            f"{where}: the model reads {texts[0]}; the data has {texts[1]}; prepare it as the model's was"
        )


def _columns(encoder: RowEncoder) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return tuple(column.name for column in encoder.description.dense), encoder.fields
