from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from farthing.recommend.clicks import EncodedRows, Integers, concatenate, encode_rows

Bags = list[list[list[int]]]  # rows, fields, values


@st.composite
def bags(draw: st.DrawFn) -> Bags:
    num_fields = draw(st.integers(1, 3))
    many = [draw(st.booleans()) for _ in range(num_fields)]
    bag = [st.lists(st.integers(0, 99), min_size=1, max_size=3 if wide else 1) for wide in many]
    return draw(st.lists(st.tuples(*bag).map(list), max_size=12))


def _encode(rows: Bags, num_fields: int = 3) -> EncodedRows:
    num_fields = len(rows[0]) if rows else num_fields
    fields: list[tuple[Integers, Integers | None]] = []
    for field in range(num_fields):
        values = np.array([value for row in rows for value in row[field]], dtype=np.int32)
        lengths = np.array([len(row[field]) for row in rows], dtype=np.int32)
        fields.append((values, None if (lengths == 1).all() else lengths))
    numbers = np.arange(2 * len(rows), dtype=np.float32).reshape(-1, 2)
    return encode_rows(numbers, fields, np.arange(len(rows), dtype=np.float32))


def _bags(rows: EncodedRows) -> Bags:
    batch = rows.batch()
    assert batch.offsets.dtype == batch.indices.dtype == torch.int64
    flat = (
        [bag.tolist() for bag in np.split(batch.indices.numpy(), batch.offsets.numpy()[1:-1])] if rows.num_rows else []
    )
    return [flat[start : start + rows.num_fields] for start in range(0, len(flat), rows.num_fields)]


@given(bags())
def test_rows_come_back(rows: Bags) -> None:
    encoded = _encode(rows)
    assert _bags(encoded) == rows
    batch = encoded.batch()
    assert batch.num_rows == len(rows)
    assert batch.is_single_valued == all(len(bag) == 1 for row in rows for bag in row)


@given(bags(), st.randoms(use_true_random=False))
def test_take_gives_the_rows_asked_for(rows: Bags, random: st.DataObject) -> None:
    order = [random.randrange(len(rows)) for _ in range(6)] if rows else []  # type: ignore[attr-defined]
    taken = _encode(rows).take(np.array(order, dtype=np.int64))
    assert _bags(taken) == [rows[position] for position in order]
    assert taken.label.tolist() == order
    assert taken.dense[:, 0].tolist() == [2.0 * position for position in order]


@given(bags(), st.integers(0, 12))
def test_concatenate_undoes_a_cut(rows: Bags, cut: int) -> None:
    encoded = _encode(rows)
    positions = np.arange(len(rows))
    joined = concatenate([encoded.take(positions[:cut]), encoded.take(positions[cut:])])
    assert _bags(joined) == rows
    assert joined.label.tolist() == encoded.label.tolist()


def test_a_batch_moves_to_a_device() -> None:
    batch = _encode([[[1], [2]]]).batch()
    assert batch.to("cpu").indices.tolist() == [1, 2]
    assert batch.to("meta").dense.device == torch.device("meta")


def test_by_hand() -> None:
    batch = _encode([[[4], [5, 6]], [[7], [8]]]).batch()
    assert batch.indices.tolist() == [4, 5, 6, 7, 8]
    assert batch.offsets.tolist() == [0, 1, 3, 4, 5]
    assert not batch.is_single_valued
    assert batch.label.tolist() == pytest.approx([0.0, 1.0])
