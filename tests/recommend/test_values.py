"""Rows of values are encoded alike as lines and as columns, whatever the values are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from farthing.base.errors import DataError
from farthing.lowbit import native
from farthing.recommend.encoder import RowEncoder
from farthing.recommend.values import Row, Value, ValueEncoder
from tests.recommend import small

VALUES: st.SearchStrategy[Value] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**40), 2**70),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.sampled_from(["", "3", "item-2", "item-7", " 4", "1e3", "x\ty", "a\x1fb", "a\nb", "a\r", "\0", "tag1", "\xfc"]),
    st.lists(st.sampled_from(["tag1", "tag2", "", "other"]), max_size=3),
)


@pytest.fixture(scope="module", params=["mixed", "ids_only"])
def encoder(request: pytest.FixtureRequest, trained: small.Trainings) -> RowEncoder:
    folder: Path = trained(request.param, "int4")
    return RowEncoder.load(folder)


def outcome(encoder: ValueEncoder, rows: list[Row], context: Row) -> tuple[torch.Tensor, ...] | str:
    try:
        batch = encoder.encode(rows, context=context, name="rows").batch()
    except DataError as error:
        return str(error)
    return batch.dense, batch.indices, batch.offsets


@given(data=st.data())
def test_lines_and_columns_agree(encoder: RowEncoder, data: st.DataObject) -> None:
    as_lines, as_columns = ValueEncoder(encoder), ValueEncoder(encoder)
    as_columns._parser = None
    row = st.dictionaries(st.sampled_from(as_lines.columns), VALUES, max_size=4)
    rows: list[Row] = data.draw(st.lists(row, min_size=1, max_size=4))
    context: Row = data.draw(row)
    first, second = outcome(as_lines, rows, context), outcome(as_columns, rows, context)
    if isinstance(first, str) or isinstance(second, str):
        assert first == second
    else:
        assert all(torch.equal(one, other) for one, other in zip(first, second, strict=True))


def test_plain_rows_go_as_lines(encoder: RowEncoder) -> None:
    values = ValueEncoder(encoder)
    if values._parser is None:
        pytest.skip("the native extension is not built (make install)")
    name = values.columns[-1]
    assert values._parser.rows([{}, {name: "a"}, {name: None}], {name: 3}, values._positions) is not None
    assert values._parser.rows([{name: ["a", "b"]}], {}, values._positions) is None
    assert values._parser.rows([{"nothing": 1}], {}, values._positions) is None


def test_a_row_says_otherwise_than_its_context(encoder: RowEncoder) -> None:
    values = ValueEncoder(encoder)
    name = values.columns[-1]
    together = values.encode([{name: "item-2"}, {}], context={name: "item-7"}, name="rows")
    alone = values.encode([{name: "item-2"}, {name: "item-7"}], context={}, name="rows")
    assert np.array_equal(together.indices, alone.indices)


@pytest.mark.parametrize("is_hashed", [False, True])
@pytest.mark.parametrize(
    "rows",
    [
        [{"color": "red"}, {"color": "blue"}, {"color": None}],
        [{"m": 0.5, "label": 1}, {}, {"m": "7"}],
        [{"n": 1}, {"color": "red"}, {"m": 3, "n": None}],  # rows of which others name other columns
        [{}, {"color": "red"}],
    ],
)
def test_what_rows_share_is_theirs(rows: list[Row], is_hashed: bool) -> None:
    module = native.extension()
    if module is None:
        pytest.skip("the native extension is not built (make install)")
    positions = {"label": -1, "n": 0, "m": 1, "color": 2, "shape": 3}
    parser = module.ClickParser(
        separator="\t",
        num_columns=4,
        dense_columns=np.array([1, 0], dtype=np.uint32),
        field_columns=np.array([3, 2, 3], dtype=np.uint32),
        means=np.array([0.5, 2.0]),
        deviations=np.array([2.0, 3.0]),
        table_rows=np.array([3, 4, 3], dtype=np.uint64),
        text=b"" if is_hashed else b"roundredbluesquare",
        sizes=np.array([] if is_hashed else [5, 3, 4, 6], dtype=np.uint32),
        is_hashed=is_hashed,
    )
    context: Row = {"n": 4, "m": -2, "color": "blue", "shape": "square"}

    def encoded(rows: list[Row], context: Row) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
        dense, ids = np.empty((len(rows), 2), dtype=np.float32), np.empty((len(rows), 3), dtype=np.int64)
        assert module.encode_rows(parser, rows, context, positions, dense, ids)
        return dense, ids

    together = encoded(rows, context)
    alone = [encoded([context | row], {}) for row in rows]
    for part, parts in zip(together, zip(*alone, strict=True), strict=True):
        np.testing.assert_array_equal(part, np.concatenate(parts))


def test_columns_of_the_log_that_say_nothing_are_no_fault(encoder: RowEncoder) -> None:
    values = ValueEncoder(encoder)
    assert values.encode([dict.fromkeys(values.ignored, 1)], context={}, name="rows").num_rows == 1
    with pytest.raises(DataError, match=r"rows\[1\]: the model has no column 'q'"):
        values.encode([{}, {"q": 1}], context={}, name="rows")
