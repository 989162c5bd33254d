"""Bags against torch.nn.EmbeddingBag, empty and single-row ones included."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from farthing.base.errors import ConfigError
from farthing.lowbit.bags import flat_bags, pool_bags


@given(st.lists(st.integers(0, 4), min_size=1, max_size=7), st.sampled_from(["sum", "mean"]), st.booleans())
def test_pooling_equals_that_of_torch(sizes: list[int], mode: str, has_weights: bool) -> None:
    ends = torch.tensor([0, *sizes]).cumsum(0)
    table = torch.randn(10, 3)
    indices = torch.randint(0, 10, (int(ends[-1]),))
    weights = torch.randn(len(indices)) if has_weights and mode == "sum" else None
    theirs = nn.EmbeddingBag.from_pretrained(table, mode=mode, include_last_offset=True)
    expected = theirs(indices, ends, per_sample_weights=weights)
    assert torch.allclose(pool_bags(table[indices], ends, mode=mode, weights=weights), expected, atol=1e-6)


def test_bags_of_one_row_are_the_rows_themselves() -> None:
    rows = torch.randn(4, 2)
    assert pool_bags(rows, torch.arange(5), mode="mean") is rows


def test_as_many_rows_as_bags_are_not_yet_bags_of_one_row() -> None:
    rows = torch.tensor([[1.0], [2.0]])
    assert pool_bags(rows, torch.tensor([0, 0, 2]), mode="sum").tolist() == [[0.0], [3.0]]


@pytest.mark.parametrize("weighted", [False, True])
def test_gradients_reach_rows_and_weights(weighted: bool) -> None:
    rows = torch.tensor([[1.0], [2.0], [4.0]], requires_grad=True)
    weights = torch.tensor([1.0, 10.0, 100.0], requires_grad=True) if weighted else None
    pooled = pool_bags(rows, torch.tensor([0, 2, 3]), mode="sum", weights=weights)
    torch.autograd.backward(pooled.sum())
    assert rows.grad is not None
    assert rows.grad.flatten().tolist() == ([1, 10, 100] if weighted else [1, 1, 1])
    if weights is not None:
        assert weights.grad is not None
        assert weights.grad.tolist() == [1, 2, 4]


def test_weights_need_a_sum() -> None:
    with pytest.raises(ConfigError, match="per_sample_weights: go with mode 'sum' only, got 'mean'"):
        pool_bags(torch.ones(1, 1), torch.tensor([0, 1]), mode="mean", weights=torch.ones(1))


@pytest.mark.parametrize("include_last_offset", [False, True])
def test_flat_bags_reads_the_arguments_of_torch(include_last_offset: bool) -> None:
    indices = torch.tensor([5, 6, 7])
    offsets = torch.tensor([0, 1, 3] if include_last_offset else [0, 1])
    flat, ends = flat_bags(indices, offsets, include_last_offset=include_last_offset)
    assert flat.tolist() == [5, 6, 7]
    assert ends.tolist() == [0, 1, 3]
    flat, ends = flat_bags(torch.tensor([[1, 2], [3, 4]]), None, include_last_offset=include_last_offset)
    assert flat.tolist() == [1, 2, 3, 4]
    assert ends.tolist() == [0, 2, 4]


@pytest.mark.parametrize(("shape", "offsets"), [((3,), None), ((1, 3), torch.tensor([0]))])
def test_offsets_go_with_flat_indices_only(shape: tuple[int, ...], offsets: torch.Tensor | None) -> None:
    with pytest.raises(ConfigError, match="offsets: go with 1-D indices"):
        flat_bags(torch.zeros(shape, dtype=torch.int64), offsets, include_last_offset=False)
