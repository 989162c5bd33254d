"""The second pass of `prepare`: a spooled log, whose size is now known, as encoded shards."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from farthing.base.errors import DataError
from farthing.recommend.manifest import DenseStatistics, FieldStatistics, Shard, SplitStatistics
from farthing.recommend.ranking import rank_column
from farthing.recommend.schema import SPLITS, LogSchema
from farthing.recommend.shards import flatten, ids_of_codes
from farthing.recommend.splitting import Splitter
from farthing.recommend.spool import Block, Spool
from farthing.recommend.standardise import Moments, dense_matrix, standardise

Progress = Callable[[str, float, int], None]


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
        moments = Moments(len(self._schema.dense))
        for block in self._spool.blocks:
            rows = self._spool.rows(block)
            splits = self._splits(block, rows)
            np.add.at(tallies, (splits, rows["label"].to_numpy()), 1)
            train = _only(rows, splits == 0)
            self._count_entries(block, rows, train)
            moments.add(dense_matrix(train))
        _check_splits(tallies)
        return moments.statistics(self._schema.dense)

    def _splits(self, block: Block, rows: pl.DataFrame) -> npt.NDArray[np.uint8]:
        if self._schema.split:
            splits: npt.NDArray[np.uint8] = rows["split"].to_numpy()
            return splits
        return self._splitter.split(block.first_row, block.num_rows)

    def _count_entries(self, block: Block, rows: pl.DataFrame, train: pl.DataFrame) -> None:
        entries = self._spool.entries(block)
        for column, name in enumerate(self._spool.coded):
            counted = rows if name == "group" else train
            codes, _ = flatten(counted[name])
            start, end = block.starts[column : column + 2]
            entries[start:end] = np.bincount(codes.to_numpy(), minlength=end - start + 1)[:-1]

    def rank(self, *, range_entries: int, progress: Progress) -> tuple[FieldStatistics, ...]:
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

    def write(self, dense: tuple[DenseStatistics, ...], *, progress: Progress) -> dict[str, SplitStatistics]:
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
        return standardise(encoded, dense)


def _only(rows: pl.DataFrame, mask: npt.NDArray[np.bool_]) -> pl.DataFrame:
    """The rows where `mask` is true; no copy where that is all."""
    return rows if mask.all() else rows.filter(pl.Series(mask))


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
