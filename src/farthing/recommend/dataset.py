"""A prepared data set: its encoded rows in batches, fast enough to keep any trainer busy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from farthing.base.errors import ConfigError, FormatError
from farthing.recommend.clicks import ClickBatch, EncodedRows, Integers, concatenate, encode_rows
from farthing.recommend.manifest import Manifest, Shard, read_manifest
from farthing.recommend.schema import SPLITS
from farthing.recommend.shards import flatten
from farthing.recommend.standardise import dense_matrix
from farthing.recommend.vocabulary import UNKNOWN_ID, read_vocabulary, table_rows

WINDOW_ROWS = 1_000_000

Positions = npt.NDArray[np.int64]


class Dataset:
    """A folder that `prepare` wrote.

    A split of at most a window is read once and kept in memory.
    """

    def __init__(self, folder: Path, manifest: Manifest, *, window_rows: int = WINDOW_ROWS) -> None:
        """Use `Dataset.open`.

        Args:
            folder: of the data set.
            manifest: what it holds.
            window_rows: about how many rows are in memory, and shuffled, together.
        """
        self.folder = folder
        self.manifest = manifest
        self._window_rows = window_rows
        self._cache: dict[tuple[str, tuple[int, ...]], EncodedRows] = {}

    @classmethod
    def open(cls, folder: Path, *, window_rows: int = WINDOW_ROWS) -> Dataset:
        """The data set in `folder`.

        Raises:
            FormatError: it holds none, or a damaged one.
        """
        return cls(folder, read_manifest(folder), window_rows=window_rows)

    def path(self, name: str) -> Path:
        """Where a file of the manifest is."""
        return self.folder / self.manifest.folder / name

    def table_rows(self, min_count: int) -> list[int]:
        """Per field, rows of its table when values seen fewer than `min_count` times in training share row 0.

        Raises:
            ConfigError: `min_count` is below 1.
        """
        if min_count < 1:
            raise ConfigError(f"min_count is at least 1 (keep every value), not {min_count}")
        counts = [read_vocabulary(self.path(field.vocabulary), "count")["count"] for field in self.manifest.fields]
        return [table_rows(count.to_numpy(), min_count) for count in counts]

    def num_batches(self, split: str, batch_size: int) -> int:
        """Batches in one pass over `split`; the last may be smaller."""
        return -(-self._rows(split) // batch_size)

    def labels(self, split: str) -> npt.NDArray[np.float32]:
        """[rows] float32 labels of `split`, in its order."""
        return self._column(split, "label").cast(pl.Float32).to_numpy()

    def groups(self, split: str) -> npt.NDArray[np.int32] | None:
        """[rows] int32 group of every row of `split`, in its order; None where the data set has no group column."""
        return self._column(split, "group").cast(pl.Int32).to_numpy() if self.manifest.schema.group else None

    def batches(
        self,
        split: str,
        *,
        table_rows: Sequence[int],
        batch_size: int,
        shuffle_seed: int | None,
        epoch: int = 0,
        start_batch: int = 0,
    ) -> Iterator[ClickBatch]:
        """One pass over `split`.

        Args:
            split: train, valid or test.
            table_rows: per field, rows of its table; larger ids share row 0. Fields follow each other in one table.
            batch_size: rows per batch; the last one has what is left.
            shuffle_seed: None keeps the order of the log. Otherwise the order of shards, and of rows within a window of
                shards, follows from this seed and `epoch`.
            epoch: number of the pass.
            start_batch: the first batch to give; those before it are skipped without reading them where possible.
        """
        held: list[EncodedRows] = []  # of the batch that the window before could not fill
        for window, order in self._ordered(split, tuple(table_rows), shuffle_seed, epoch, start_batch * batch_size):
            first = batch_size - sum(part.num_rows for part in held)
            for start, end in pairwise([0, *range(first, len(order), batch_size), len(order)]):
                held.append(window.take(order[start:end]))
                if sum(part.num_rows for part in held) == batch_size:
                    yield concatenate(held).batch()
                    held = []
        if held:
            yield concatenate(held).batch()

    def _ordered(
        self, split: str, table_rows: tuple[int, ...], shuffle_seed: int | None, epoch: int, skip: int
    ) -> Iterator[tuple[EncodedRows, Positions]]:
        """Windows of a pass from row `skip` on, each with the positions of its rows in the order of the pass."""
        for number, shards in enumerate(self._windows(split, shuffle_seed, epoch)):
            num_rows = sum(shard.num_rows for shard in shards)
            if skip < num_rows:
                order = np.arange(num_rows)
                if shuffle_seed is not None:
                    order = np.random.default_rng([shuffle_seed, epoch, number]).permutation(num_rows)
                yield self._window(split, shards, table_rows), order[skip:]
            skip = max(0, skip - num_rows)

    def _rows(self, split: str) -> int:
        if split not in SPLITS:
            raise ConfigError(f"split is one of {', '.join(SPLITS)}, not {split!r}")
        return self.manifest.splits[split].num_rows

    def _windows(self, split: str, shuffle_seed: int | None, epoch: int) -> Iterator[list[Shard]]:
        """The shards of a split, in the order of the pass, in groups of about a window."""
        self._rows(split)
        shards = list(self.manifest.splits[split].shards)
        if shuffle_seed is not None and self._rows(split) > self._window_rows:
            order = np.random.default_rng([shuffle_seed, epoch]).permutation(len(shards))
            shards = [shards[position] for position in order]
        window: list[Shard] = []
        for shard in shards:
            if window and sum(part.num_rows for part in window) + shard.num_rows > self._window_rows:
                yield window
                window = []
            window.append(shard)
        if window:
            yield window

    def _window(self, split: str, shards: list[Shard], rows: tuple[int, ...]) -> EncodedRows:
        if (split, rows) in self._cache:
            return self._cache[split, rows]
        window = concatenate([self._load(shard, rows) for shard in shards])
        if window.num_rows == self._rows(split):
            self._cache[split, rows] = window
        return window

    def _load(self, shard: Shard, rows: tuple[int, ...]) -> EncodedRows:
        frame = self._read(shard, None)
        starts = np.cumsum([0, *rows])
        index_type = np.dtype(np.int32 if starts[-1] < 2**31 else np.int64)
        fields: list[tuple[Integers, Integers | None]] = []
        for field, kept in enumerate(rows):
            values, lengths = flatten(frame[f"field_{field}"])
            ids = values.to_numpy().astype(index_type)
            ids[ids >= kept] = UNKNOWN_ID
            ids += index_type.type(starts[field])
            fields.append((ids, lengths))
        return encode_rows(dense_matrix(frame), fields, frame["label"].cast(pl.Float32).to_numpy())

    def _column(self, split: str, name: str) -> pl.Series:
        self._rows(split)
        parts = [self._read(shard, [name])[name] for shard in self.manifest.splits[split].shards]
        return pl.concat(parts)

    def _read(self, shard: Shard, columns: list[str] | None) -> pl.DataFrame:
        path = self.path(shard.path)
        try:
            frame = pl.read_ipc(path, columns=columns)
        except (pl.exceptions.PolarsError, OSError) as error:
            reason = str(error).splitlines()[0]
            raise FormatError(f"{path}: cannot be read ({reason}); prepare the data again") from error
        if frame.height != shard.num_rows:
            raise FormatError(f"{path}: has {frame.height:,} rows where the manifest says {shard.num_rows:,}")
        return frame
