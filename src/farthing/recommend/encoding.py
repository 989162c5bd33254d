"""The second pass of `prepare`: a spooled log, whose size is now known, as encoded shards."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from farthing.base.errors import DataError
from farthing.recommend.manifest import DenseStatistics, FieldStatistics, Shard, SplitStatistics
from farthing.recommend.ranking import rank_column
from farthing.recommend.schema import SPLITS, LogSchema
from farthing.recommend.shards import flatten, ids_of_codes, standardise
from farthing.recommend.splitting import Splitter
from farthing.recommend.spool import Block, Spool

Report = Callable[[str, float, int], None]


class SpoolEncoder:
    """Counts, ranks and encodes the rows of a spool; call `count`, `rank` and `write` in this order."""

    def __init__(self, spool: Spool, schema: LogSchema, splitter: Splitter, *, folder: Path) -> None:
        """Sets out to write shards and vocabularies into `folder`."""
        self._spool = spool
        self._schema = schema
        self._splitter = splitter
        self._folder = folder
        self._num_values: list[int] = []

    def count(self) -> tuple[DenseStatistics, ...]:
        """Counts every dictionary entry over training rows (a group: over all rows); mean and deviation of the numbers.

        Raises:
            DataError: a split has no rows, or rows of one class only.
        """
        tallies = np.zeros((len(SPLITS), 2), dtype=np.int64)
        sums = []
        for block in self._spool.blocks:
            rows = self._spool.rows(block)
            splits = self._splits(block, rows)
            np.add.at(tallies, (splits, rows["label"].to_numpy()), 1)
            self._count_entries(block, rows, splits == 0)
            sums.append(_sums(rows, len(self._schema.dense), splits == 0))
        _check_splits(tallies)
        return tuple(_statistics(name, sums, column) for column, name in enumerate(self._schema.dense))

    def _splits(self, block: Block, rows: pl.DataFrame) -> npt.NDArray[np.uint8]:
        if self._schema.split:
            splits: npt.NDArray[np.uint8] = rows["split"].to_numpy()
            return splits
        return self._splitter.split(block.first_row, block.num_rows)

    def _count_entries(self, block: Block, rows: pl.DataFrame, is_train: npt.NDArray[np.bool_]) -> None:
        entries = self._spool.entries(block)
        train = _only(rows, is_train)
        for column, name in enumerate(self._spool.coded):
            counted = rows if name == "group" else train
            codes, _ = flatten(counted[name])
            start, end = block.starts[column : column + 2]
            entries[start:end] = np.bincount(codes.to_numpy(), minlength=end - start + 1)[:-1]

    def rank(self, *, range_entries: int, progress: Report) -> tuple[FieldStatistics, ...]:
        """Turns counts into ids, and writes the vocabularies."""
        (self._folder / "vocabulary").mkdir()
        fields = []
        types = self._spool.rows(self._spool.blocks[0]).schema
        for column, name in enumerate(self._spool.coded):
            path = self._folder / "vocabulary" / f"{column:03d}.parquet"
            num_values = rank_column(self._spool, column, path, range_entries=range_entries)
            self._num_values.append(num_values)
            progress("rank", (column + 1) / len(self._spool.coded), self._spool.num_rows)
            if name != "group":
                fields.append(
                    FieldStatistics(
                        name=self._schema.fields[column].name,
                        num_values=num_values,
                        is_multi_valued=isinstance(types[name], pl.List),
                        vocabulary=str(path.relative_to(self._folder)),
                    )
                )
        return tuple(fields)

    def write(self, dense: tuple[DenseStatistics, ...], *, progress: Report) -> dict[str, SplitStatistics]:
        """Writes the shards."""
        shards: dict[str, list[Shard]] = {name: [] for name in SPLITS}
        clicks = dict.fromkeys(SPLITS, 0)
        for name in SPLITS:
            (self._folder / name).mkdir()
        for block in self._spool.blocks:
            rows = self._spool.rows(block)
            splits = self._splits(block, rows)
            encoded = self._encode(block, rows, dense)
            for code, name in enumerate(SPLITS):
                part = _only(encoded, splits == code)
                if part.height:
                    path = self._folder / name / f"{len(shards[name]):06d}.arrow"
                    part.write_ipc(path)
                    shards[name].append(Shard(path=str(path.relative_to(self._folder)), num_rows=part.height))
                    clicks[name] += int(part["label"].sum())
            progress("encode", (block.index + 1) / len(self._spool.blocks), block.first_row + block.num_rows)
        return {
            name: SplitStatistics(
                num_rows=sum(shard.num_rows for shard in parts), num_clicks=clicks[name], shards=tuple(parts)
            )
            for name, parts in shards.items()
        }

    def _encode(self, block: Block, rows: pl.DataFrame, dense: tuple[DenseStatistics, ...]) -> pl.DataFrame:
        entries = self._spool.entries(block)
        columns = [
            ids_of_codes(name, rows.schema[name], entries[block.starts[i] : block.starts[i + 1]], self._num_values[i])
            for i, name in enumerate(self._spool.coded)
        ]
        encoded = rows.drop("split", strict=False).with_columns(columns)
        return standardise(encoded, [column.mean for column in dense], [column.std for column in dense])


def _only(rows: pl.DataFrame, mask: npt.NDArray[np.bool_]) -> pl.DataFrame:
    """The rows where `mask` is true; no copy where that is all."""
    return rows if mask.all() else rows.filter(pl.Series(mask))


def _sums(rows: pl.DataFrame, num_dense: int, is_train: npt.NDArray[np.bool_]) -> list[tuple[int, float, float]]:
    """Per numeric column, over training rows: how many there are, their sum and the sum of their squares."""
    train = _only(rows, is_train)
    result = []
    for column in range(num_dense):
        values = train[f"dense_{column}"].drop_nulls().to_numpy().astype(np.float64)
        result.append((len(values), float(values.sum()), float(values @ values)))
    return result


def _statistics(name: str, sums: list[list[tuple[int, float, float]]], column: int) -> DenseStatistics:
    """Mean and deviation, rounded to float32 so that the last bits of the sums, which depend on blocks, are gone."""
    count = sum(block[column][0] for block in sums)
    if count == 0:
        return DenseStatistics(name=name, mean=0.0, std=1.0)
    mean = math.fsum(block[column][1] for block in sums) / count
    variance = math.fsum(block[column][2] for block in sums) / count - mean**2
    std = math.sqrt(variance) if variance > 1e-12 * max(mean**2, 1.0) else 1.0
    return DenseStatistics(name=name, mean=float(np.float32(mean)), std=float(np.float32(std)))


def _check_splits(tallies: npt.NDArray[np.int64]) -> None:
    for name, (negatives, clicks) in zip(SPLITS, tallies.tolist(), strict=True):
        if negatives + clicks == 0:
            raise DataError(f"the {name} split has no rows; give it some with --split or the split column")
        if negatives == 0 or clicks == 0:
            only = "clicks" if clicks else "rows without a click"
            raise DataError(
                f"the {name} split has {negatives + clicks:,} {only} only; a classifier needs both classes "
                "(more rows, --order random, or another --label)"
            )
