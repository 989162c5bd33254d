"""Rows of values are encoded alike as lines and as columns, whatever the values are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from farthing.base.errors import DataError
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


def test_columns_of_the_log_that_say_nothing_are_no_fault(encoder: RowEncoder) -> None:
    values = ValueEncoder(encoder)
    assert values.encode([dict.fromkeys(values.ignored, 1)], context={}, name="rows").num_rows == 1
    with pytest.raises(DataError, match=r"rows\[1\]: the model has no column 'q'"):
        values.encode([{}, {"q": 1}], context={}, name="rows")
