"""The checked rows of a log on disk, block by block, between the two passes of `prepare`.

A block has three files: its rows, in which a categorical value is a code into the block's own dictionary; the
dictionaries of all its coded columns, one after the other; and, beside them, an array with a place for each dictionary
entry, first for its count and then for its id.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from farthing.recommend.codes import CodedRows

Entries = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Block:
    """Rows that were read together.

    Attributes:
        index: position among the blocks.
        first_row: number of rows in the blocks before it.
        num_rows: its own.
        starts: [coded columns + 1] where the dictionary of each coded column starts among the block's entries.
    """

    index: int
    first_row: int
    num_rows: int
    starts: tuple[int, ...]


class Spool:
    """Appends blocks of rows to a folder and gives them back a column or a block at a time."""

    def __init__(self, folder: Path, coded: list[str]) -> None:
        """An empty spool.

        Args:
            folder: an empty folder.
            coded: the columns of codes.
        """
        self._folder = folder
        self.coded = coded
        self.blocks: list[Block] = []
        self.num_rows = 0

    def append(self, rows: CodedRows) -> None:
        """Writes one block of rows."""
        block = Block(len(self.blocks), self.num_rows, rows.frame.height, rows.starts)
        rows.frame.write_ipc(self._rows_path(block))
        rows.values.to_frame().write_ipc(self._values_path(block))
        np.save(self._entries_path(block), np.zeros(block.starts[-1], dtype=np.int64))
        self.blocks.append(block)
        self.num_rows += block.num_rows

    def rows(self, block: Block) -> pl.DataFrame:
        """The rows of a block, coded."""
        return pl.read_ipc(self._rows_path(block))

    def entries(self, block: Block) -> Entries:
        """The array with a place for each dictionary entry of a block; what is written to it stays."""
        if block.starts[-1] == 0:
            return np.zeros(0, dtype=np.int64)
        entries: Entries = np.load(self._entries_path(block), mmap_mode="r+")
        return entries

    def column_entries(self, block: Block, column: int) -> Entries:
        """The part of `entries` that belongs to coded column number `column`."""
        return self.entries(block)[block.starts[column] : block.starts[column + 1]]

    def values(self, block: Block, column: int, start: int = 0, end: int | None = None) -> pl.LazyFrame:
        """The `value`s of a coded column's dictionary, or those from `start` to `end`; read when collected."""
        first = block.starts[column] + start
        last = block.starts[column + 1] if end is None else block.starts[column] + end
        return pl.scan_ipc(self._values_path(block)).slice(first, last - first)

    def _rows_path(self, block: Block) -> Path:
        return self._folder / f"rows-{block.index:06d}.arrow"

    def _values_path(self, block: Block) -> Path:
        return self._folder / f"values-{block.index:06d}.arrow"

    def _entries_path(self, block: Block) -> Path:
        return self._folder / f"entries-{block.index:06d}.npy"
