"""Ids by frequency for the values of one column, in bounded memory however many there are.

Every block of the spool brings a sorted dictionary with counts. The values are cut into ranges of about equal size, and
a range is summed over all blocks at once. A value's id then follows from how many values are more frequent, which the
ranges' count tables tell, and how many equally frequent ones are smaller: those of earlier ranges, and of its own. So
the ids depend on the values and their counts alone, not on blocks or ranges.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from farthing.recommend.spool import Block, Spool
from farthing.recommend.vocabulary import NUM_RESERVED, UNKNOWN_ID, factorize

RANGE_ENTRIES = 1_000_000
_SAMPLES = 65_536

Numbers = npt.NDArray[np.int64]


def rank_column(spool: Spool, column: int, vocabulary: Path, *, range_entries: int = RANGE_ENTRIES) -> int:
    """Replaces the counts of a column's dictionary entries by ids, and writes the vocabulary.

    Args:
        spool: its entries hold, for this column, how often training rows show the value; afterwards its id, where one
            that training rows do not show has id 0.
        column: the number of the coded column.
        vocabulary: the Parquet file to write (`value`, `count`, in the order of ids).
        range_entries: about how many dictionary entries are in memory at once.

    Returns:
        How many values there are.
    """
    scratch = vocabulary.with_suffix("")
    scratch.mkdir()
    cuts = _cut(spool, column, range_entries)
    ranges = [
        _Range(scratch, number, spool, column, cuts[:, number : number + 2]) for number in range(len(cuts[0]) - 1)
    ]
    histogram: Counter[int] = Counter()
    for part in ranges:
        histogram.update(part.sum())
    first_ids = _first_ids(histogram)
    for part in ranges:
        part.number_values(first_ids)
    num_values = histogram.total()
    _merge([part.table for part in ranges], num_values, range_entries, scratch, vocabulary)
    shutil.rmtree(scratch)
    return num_values


def _cut(spool: Spool, column: int, range_entries: int) -> Numbers:
    """[blocks, ranges + 1] positions at which each block's dictionary is cut, at the same values in all of them."""
    sizes = np.array([block.starts[column + 1] - block.starts[column] for block in spool.blocks], dtype=np.int64)
    num_ranges = max(1, -(-int(sizes.sum()) // range_entries))
    cuts = np.zeros((len(sizes), num_ranges + 1), dtype=np.int64)
    cuts[:, -1] = sizes
    if num_ranges > 1:
        step = max(1, int(sizes.sum()) // max(_SAMPLES, 64 * num_ranges))
        samples = [spool.values(block, column).collect()["value"].gather_every(step) for block in spool.blocks]
        sample = pl.concat(samples).sort()
        bounds = sample.gather(np.arange(1, num_ranges) * len(sample) // num_ranges)
        for row, block in enumerate(spool.blocks):
            cuts[row, 1:-1] = spool.values(block, column).collect()["value"].search_sorted(bounds).to_numpy()
    return cuts


def _first_ids(histogram: Counter[int]) -> dict[int, int]:
    """Per count, the id of the first value that has it."""
    ids, next_id = {}, NUM_RESERVED
    for count in sorted(histogram, reverse=True):
        ids[count] = next_id
        next_id += histogram[count]
    return ids


class _Range:
    """The dictionary entries between two values, over all blocks.

    `table` is its file of distinct values: `id`, `value`, `count`, in the order of ids once they are numbered.
    """

    def __init__(self, folder: Path, number: int, spool: Spool, column: int, cuts: Numbers) -> None:
        self.table = folder / f"table-{number}.arrow"
        self._codes = folder / f"codes-{number}.npy"
        self._spool = spool
        self._column = column
        self._cuts = cuts

    def sum(self) -> Counter[int]:
        """Adds up the counts of equal values; how many values have which count."""
        counts = np.concatenate([np.zeros(0, dtype=np.int64), *(entries for _, entries in self._entries())])
        parts = [self._spool.values(block, self._column, *cut) for block, cut in self._pieces()]
        values = pl.concat([pl.LazyFrame(schema={"value": pl.String}), *parts]).collect()
        (distinct,), codes = factorize(values)
        positions = codes.to_series().to_numpy()
        totals = np.bincount(positions, weights=counts, minlength=len(distinct)).astype(np.int64)
        seen = totals > 0
        # -1, the last place of the table of ids, is for values that training rows do not show in any block.
        np.save(self._codes, np.where(seen, np.cumsum(seen) - 1, -1)[positions])
        totals = totals[seen]
        pl.DataFrame({"value": distinct.filter(pl.Series(seen)), "count": totals}).write_ipc(self.table)
        numbers, multiplicities = np.unique(totals, return_counts=True)
        return Counter(dict(zip(numbers.tolist(), multiplicities.tolist(), strict=True)))

    def number_values(self, first_ids: dict[int, int]) -> None:
        """Gives the range's values the next ids of their counts, and writes these to the spool's entries."""
        table = pl.read_ipc(self.table)
        counts = table["count"].to_numpy()
        order = np.argsort(-counts, kind="stable")
        numbers, starts, sizes = np.unique(-counts[order], return_index=True, return_counts=True)
        firsts = np.array([first_ids[-number] for number in numbers.tolist()], dtype=np.int64)
        ids = np.full(len(counts) + 1, UNKNOWN_ID, dtype=np.int64)
        ids[order] = np.repeat(firsts - starts, sizes) + np.arange(len(counts))
        for number, size in zip(numbers.tolist(), sizes.tolist(), strict=True):
            first_ids[-number] += size
        table.with_columns(id=ids[:-1])[order].write_ipc(self.table)
        codes, start = np.load(self._codes), 0
        for _, entries in self._entries():
            entries[:] = ids[codes[start : start + len(entries)]]
            start += len(entries)

    def _pieces(self) -> Iterator[tuple[Block, tuple[int, int]]]:
        for block, (start, end) in zip(self._spool.blocks, self._cuts.tolist(), strict=True):
            if end > start:
                yield block, (start, end)

    def _entries(self) -> Iterator[tuple[Block, Numbers]]:
        for block, (start, end) in self._pieces():
            yield block, self._spool.column_entries(block, self._column)[start:end]


def _merge(tables: list[Path], num_values: int, chunk: int, scratch: Path, vocabulary: Path) -> None:
    """Writes the values of all tables in the order of their ids, `chunk` at a time."""
    ids = [pl.scan_ipc(table).select("id").collect().to_series() for table in tables]
    parts = []
    for number, first in enumerate(range(NUM_RESERVED, max(num_values, 1) + NUM_RESERVED, chunk)):
        slices = []
        for table, known in zip(tables, ids, strict=True):
            start, end = (known.search_sorted(bound, side="left") for bound in (first, first + chunk))
            slices.append(pl.scan_ipc(table).slice(start, end - start))
        parts.append(scratch / f"part-{number}.arrow")
        pl.concat(slices).collect().sort("id").select("value", "count").write_ipc(parts[-1])
    pl.scan_ipc(parts).sink_parquet(vocabulary)
