from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from farthing.recommend.shards import flatten, ids_of_codes, narrowest


@pytest.mark.parametrize(
    ("num_values", "type"), [(0, pl.UInt8), (254, pl.UInt8), (255, pl.UInt16), (65_534, pl.UInt16), (65_535, pl.UInt32)]
)
def test_ids_take_the_narrowest_type(num_values: int, type: pl.DataType) -> None:
    assert narrowest(num_values + 2) == type


def test_ids_of_codes_by_hand() -> None:
    ids = np.array([5, 0, 300])
    frame = pl.DataFrame({"one": [2, 3, 0, 1], "many": [[0, 1], [3], [2], [2, 2]]})
    encoded = frame.select(ids_of_codes(name, frame.schema[name], ids, 400) for name in frame.columns)
    assert encoded["one"].to_list() == [300, 1, 5, 0]
    assert encoded["many"].to_list() == [[5, 0], [1], [300], [300, 300]]
    assert encoded.schema == {"one": pl.UInt16(), "many": pl.List(pl.UInt16())}


def test_flatten_by_hand() -> None:
    values, lengths = flatten(pl.Series([["a"], [], None, ["b", "c"]]))
    assert values.to_list() == ["a", None, None, "b", "c"]
    assert lengths is not None
    assert lengths.tolist() == [1, 1, 1, 2]
    single = pl.Series(["a", None])
    assert flatten(single)[1] is None
    assert flatten(single)[0].to_list() == ["a", None]
