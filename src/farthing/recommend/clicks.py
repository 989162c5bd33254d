"""The batch that a recommender reads, and the encoded rows that batches are cut from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float, Int64
from torch import Tensor

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.signedinteger]


@dataclass(frozen=True, slots=True)
class ClickBatch:
    """Some rows of a click log, encoded.

    Attributes:
        dense: [batch, num_dense] float32, standardised; a missing number is 0, which is the mean.
        indices: [n] int64, rows of ONE table in which the tables of all fields follow each other.
        offsets: [batch * num_fields + 1] int64; bag `b * num_fields + f` is `indices[offsets[bag]:offsets[bag + 1]]`,
            and no bag is empty.
        label: [batch] float32, 1 for a click and 0 for none (all 0 where the log has no labels).
    """

    dense: Float[Tensor, "batch num_dense"]
    indices: Int64[Tensor, " n"]
    offsets: Int64[Tensor, " bags_plus_one"]
    label: Float[Tensor, " batch"]

    @property
    def num_rows(self) -> int:
        """Rows in the batch."""
        return self.label.shape[0]

    @property
    def is_single_valued(self) -> bool:
        """Whether every field of every row has exactly one value."""
        return self.indices.shape[0] == self.offsets.shape[0] - 1

    def to(self, device: torch.device | str) -> ClickBatch:
        """The same rows on `device`."""
        return ClickBatch(
            self.dense.to(device), self.indices.to(device), self.offsets.to(device), self.label.to(device)
        )


@dataclass(frozen=True, slots=True)
class EncodedRows:
    """Rows in memory, ready to be permuted and cut into batches.

    Attributes:
        dense: [rows, num_dense] float32.
        indices: [n] int32 or int64, table rows, row by row and field by field.
        offsets: [rows * num_fields + 1] int64, as in a batch; None where every bag has exactly one value.
        label: [rows] float32.
        num_fields: bags per row.
    """

    dense: Floats
    indices: Integers
    offsets: npt.NDArray[np.int64] | None
    label: Floats
    num_fields: int

    @property
    def num_rows(self) -> int:
        """How many rows there are."""
        return len(self.label)

    def take(self, rows: npt.NDArray[np.int64]) -> EncodedRows:
        """The given rows, in the given order."""
        dense, label = self.dense[rows], self.label[rows]
        if self.offsets is None:
            indices = self.indices.reshape(-1, self.num_fields)[rows].reshape(-1)
            return EncodedRows(dense, indices, None, label, self.num_fields)
        bags = self.offsets[rows[:, None] * self.num_fields + np.arange(self.num_fields + 1)]
        starts = bags[:, 0]
        offsets = _offsets(np.diff(bags, axis=1))
        row_ends = offsets[self.num_fields :: self.num_fields]
        widths = bags[:, -1] - starts
        positions = np.arange(offsets[-1]) + np.repeat(starts - row_ends + widths, widths)
        return EncodedRows(dense, self.indices[positions], offsets, label, self.num_fields)

    def batch(self) -> ClickBatch:
        """All rows as one batch."""
        return ClickBatch(
            dense=torch.from_numpy(self.dense),
            indices=torch.from_numpy(self.indices.astype(np.int64)),
            offsets=torch.from_numpy(self.bag_offsets()),
            label=torch.from_numpy(self.label),
        )

    def bag_offsets(self) -> npt.NDArray[np.int64]:
        """`offsets`, also where every bag has exactly one value."""
        if self.offsets is not None:
            return self.offsets
        return np.arange(self.num_rows * self.num_fields + 1)


def concatenate(parts: Sequence[EncodedRows]) -> EncodedRows:
    """The rows of all `parts` (at least one), in order."""
    if len(parts) == 1:
        return parts[0]
    offsets = None
    if any(part.offsets is not None for part in parts):
        offsets = _offsets(np.concatenate([np.diff(part.bag_offsets()) for part in parts]))
    return EncodedRows(
        dense=np.concatenate([part.dense for part in parts]),
        indices=np.concatenate([part.indices for part in parts]),
        offsets=offsets,
        label=np.concatenate([part.label for part in parts]),
        num_fields=parts[0].num_fields,
    )


def encode_rows(dense: Floats, fields: Sequence[tuple[Integers, Integers | None]], label: Floats) -> EncodedRows:
    """Rows from columns.

    Args:
        dense: [rows, num_dense] float32.
        fields: per field (at least one) its table rows, either [rows] and None, or flat [n] and the [rows] numbers of
            values that each row has, none of them 0.
        label: [rows] float32.
    """
    num_fields = len(fields)
    if all(lengths is None for _, lengths in fields):
        return EncodedRows(dense, np.stack([ids for ids, _ in fields], axis=1).reshape(-1), None, label, num_fields)
    ones = np.ones(len(label), dtype=np.int64)
    lengths = [ones if counts is None else counts for _, counts in fields]
    offsets = _offsets(np.stack(lengths, axis=1))
    indices = np.empty(offsets[-1], dtype=fields[0][0].dtype)
    for field, (ids, _) in enumerate(fields):
        starts = offsets[field:-1:num_fields]
        before = np.cumsum(lengths[field]) - lengths[field]
        indices[np.arange(len(ids)) + np.repeat(starts - before, lengths[field])] = ids
    return EncodedRows(dense, indices, offsets, label, num_fields)


def _offsets(lengths: Integers) -> npt.NDArray[np.int64]:
    """Where each bag starts, and where the last one ends."""
    offsets = np.zeros(lengths.size + 1, dtype=np.int64)
    np.cumsum(lengths.reshape(-1), out=offsets[1:])
    return offsets
