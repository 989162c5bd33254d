from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from farthing.recommend.codes import code_rows
from farthing.recommend.ranking import rank_column
from farthing.recommend.spool import Spool
from farthing.recommend.vocabulary import read_vocabulary

COUNTED = st.lists(
    st.dictionaries(st.text("ab\u00e9\U0001f600", max_size=4), st.integers(0, 3), max_size=20), min_size=1, max_size=5
)


@given(COUNTED, st.sampled_from([1, 2, 7, 100]))
def test_ids_follow_from_total_counts_and_values_alone(blocks: list[dict[str, int]], range_entries: int) -> None:
    totals: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        spool = Spool(Path(folder), ["other", "field"])
        for counts in blocks:
            counts.pop("", None)
            frame = pl.DataFrame({"other": "x", "field": list(counts)}, schema={"other": pl.String, "field": pl.String})
            spool.append(code_rows(frame, spool.coded))
            totals.update(counts)
            ordered = sorted(counts, key=str.encode)
            spool.column_entries(spool.blocks[-1], 1)[:] = [counts[value] for value in ordered]
        path = Path(folder) / "field.parquet"
        num_values = rank_column(spool, 1, path, range_entries=range_entries)
        expected = sorted(((v, n) for v, n in totals.items() if n), key=lambda item: (-item[1], item[0].encode()))
        ids = {value: rank + 2 for rank, (value, _) in enumerate(expected)}
        assert num_values == len(expected)
        assert read_vocabulary(path).rows() == expected
        for block, counts in zip(spool.blocks, blocks, strict=True):
            own = [ids.get(value, 0) for value in sorted(counts, key=str.encode)]
            assert spool.column_entries(block, 1).tolist() == own
        assert not path.with_suffix("").exists()
