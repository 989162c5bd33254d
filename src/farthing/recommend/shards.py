"""Encoded rows as Arrow files, one per block and split."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from farthing.recommend.vocabulary import MISSING_ID

Ids = npt.NDArray[np.int32]


def encode_codes(codes: pl.Series, ids: npt.NDArray[np.int64]) -> pl.Series:
    """Ids (Int32, or List(Int32) with at least one in each row) for codes into a dictionary.

    Args:
        codes: UInt32 or List(UInt32) positions in `ids`; null is missing.
        ids: [dictionary entries].
    """
    # The place after the last entry is for missing values.
    table = np.append(ids, MISSING_ID).astype(np.int32)
    flat, lengths = flatten(codes)
    encoded = table[flat.fill_null(len(ids)).to_numpy()]
    return pl.Series(codes.name, encoded) if lengths is None else nest(codes.name, encoded, lengths)


def flatten(column: pl.Series) -> tuple[pl.Series, Ids | None]:
    """The values of a column one after the other, and how many each row has; None for one each.

    In a list column, nulls inside a list are left out, and a row without values gets one null.
    """
    if not isinstance(column.dtype, pl.List):
        return column, None
    kept = column.list.drop_nulls()
    lengths = kept.list.len().fill_null(0).clip(lower_bound=1)
    return kept.explode(), lengths.cast(pl.Int32).to_numpy()


def nest(name: str, values: Ids, lengths: Ids) -> pl.Series:
    """The opposite of `flatten`: a list column."""
    rows = np.repeat(np.arange(len(lengths)), lengths)
    return pl.DataFrame({"row": rows, name: values}).group_by("row", maintain_order=True).agg(name)[name]


def standardise(frame: pl.DataFrame, mean: Sequence[float], std: Sequence[float]) -> pl.DataFrame:
    """The columns `dense_0`... as (x - mean) / std, Float32, with 0 for a missing one."""
    return frame.with_columns(
        ((pl.col(f"dense_{i}").cast(pl.Float64) - center) / scale).cast(pl.Float32).fill_null(0.0)
        for i, (center, scale) in enumerate(zip(mean, std, strict=True))
    )


def log_transform(name: str) -> pl.Expr:
    """sign(x) log(1 + |x|) of a column, Float32; null stays null."""
    column = pl.col(name)
    return column.sign() * column.abs().log1p()


def write_shard(frame: pl.DataFrame, path: Path) -> None:
    """Writes encoded rows as a compressed Arrow IPC file."""
    frame.write_ipc(path, compression="lz4")
