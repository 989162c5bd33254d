"""Encoded rows as Arrow files, one per block and split.

The columns of a shard: `label` (UInt8); `dense_0`... (Float32, standardised); `field_0`... (ids as unsigned integers
that are as wide as the field's largest needs, or lists of at least one of them); and `group` where there is one.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from farthing.recommend.vocabulary import MISSING_ID, NUM_RESERVED


def ids_of_codes(name: str, type: pl.DataType, ids: npt.NDArray[np.int64], num_values: int) -> pl.Expr:
    """A column of codes into a dictionary, as ids.

    Args:
        name: of the column.
        type: of the column, an integer or a list of them; the code after the last entry is a missing value.
        ids: [dictionary entries] their ids.
        num_values: that the field has ids for.
    """
    table = pl.lit(pl.Series(np.append(ids, MISSING_ID)).cast(narrowest(num_values + NUM_RESERVED)))
    if isinstance(type, pl.List):
        return pl.col(name).list.eval(table.gather(pl.element()))
    return table.gather(pl.col(name)).alias(name)


def narrowest(count: int) -> pl.DataType:
    """The narrowest unsigned integer for numbers from 0 on, so many of them."""
    return pl.UInt8() if count <= 2**8 else pl.UInt16() if count <= 2**16 else pl.UInt32()


def flatten(column: pl.Series) -> tuple[pl.Series, npt.NDArray[np.int32] | None]:
    """The values of a column one after the other, and how many each row has; None for one each.

    A row of a list column that has none gets one null.
    """
    if not isinstance(column.dtype, pl.List):
        return column, None
    # Exploding leaves an empty list out, but keeps a null.
    lists = column.to_frame("x").select(pl.when(pl.col("x").list.len() > 0).then(pl.col("x"))).to_series()
    return lists.explode(), lists.list.len().fill_null(1).cast(pl.Int32).to_numpy()
