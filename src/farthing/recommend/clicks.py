"""The batch that a recommender reads, and the encoded rows that batches are cut from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from jaxtyping import Float, Int64
from torch import Tensor

Ids = npt.NDArray[np.int32]
Rows = npt.NDArray[np.int64]


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
        indices: [n] int64 or int32, table rows, row by row and field by field.
        lengths: [rows, num_fields] int32, values per bag; None where every bag has exactly one.
        label: [rows] float32.
        num_fields: bags per row.
    """

    dense: npt.NDArray[np.float32]
    indices: Ids | Rows
    lengths: Ids | None
    label: npt.NDArray[np.float32]
    num_fields: int

    def take(self, rows: Rows) -> EncodedRows:
        """The given rows, in the given order."""
        if self.lengths is None:
            indices = self.indices.reshape(-1, self.num_fields)[rows].reshape(-1)
            return EncodedRows(self.dense[rows], indices, None, self.label[rows], self.num_fields)
        ends = np.cumsum(self.lengths.sum(axis=1, dtype=np.int64))
        lengths = self.lengths[rows]
        widths = lengths.sum(axis=1, dtype=np.int64)
        starts = ends[rows] - widths
        positions = np.repeat(starts - np.cumsum(widths) + widths, widths) + np.arange(widths.sum())
        return EncodedRows(self.dense[rows], self.indices[positions], lengths, self.label[rows], self.num_fields)

    def batch(self) -> ClickBatch:
        """All rows as one batch."""
        offsets = np.arange(len(self.label) * self.num_fields + 1, dtype=np.int64)
        if self.lengths is not None:
            np.cumsum(self.lengths.reshape(-1), out=offsets[1:])
        return ClickBatch(
            dense=torch.from_numpy(self.dense),
            indices=torch.from_numpy(self.indices.astype(np.int64)),
            offsets=torch.from_numpy(offsets),
            label=torch.from_numpy(self.label),
        )


def concatenate(parts: Sequence[EncodedRows]) -> EncodedRows:
    """The rows of all `parts` (at least one), in order."""
    if len(parts) == 1:
        return parts[0]
    lengths = None
    if any(part.lengths is not None for part in parts):
        lengths = np.concatenate([_lengths(part) for part in parts])
    return EncodedRows(
        dense=np.concatenate([part.dense for part in parts]),
        indices=np.concatenate([part.indices for part in parts]),
        lengths=lengths,
        label=np.concatenate([part.label for part in parts]),
        num_fields=parts[0].num_fields,
    )


def encode_rows(
    dense: npt.NDArray[np.float32],
    fields: Sequence[tuple[Ids | Rows, Ids | None]],
    label: npt.NDArray[np.float32],
) -> EncodedRows:
    """Rows from columns.

    Args:
        dense: [rows, num_dense] float32.
        fields: per field its table rows, [rows] with None, or flat [n] with the [rows] numbers of values per row.
        label: [rows] float32.
    """
    if all(lengths is None for _, lengths in fields):
        indices = np.stack([ids for ids, _ in fields], axis=1).reshape(-1)
        return EncodedRows(dense, indices, None, label, len(fields))
    ones = np.ones(len(label), dtype=np.int32)
    lengths = np.stack([ones if counts is None else counts for _, counts in fields], axis=1)
    ends = np.cumsum(lengths.reshape(-1), dtype=np.int64).reshape(lengths.shape)
    indices = np.empty(ends[-1, -1] if ends.size else 0, dtype=fields[0][0].dtype)
    for field, (ids, counts) in enumerate(fields):
        widths = ones if counts is None else counts
        starts = ends[:, field] - widths
        inside = np.arange(len(ids)) - np.repeat(np.cumsum(widths, dtype=np.int64) - widths, widths)
        indices[np.repeat(starts, widths) + inside] = ids
    return EncodedRows(dense, indices, lengths, label, len(fields))


def _lengths(rows: EncodedRows) -> Ids:
    shape = (len(rows.label), rows.num_fields)
    return np.ones(shape, dtype=np.int32) if rows.lengths is None else rows.lengths
