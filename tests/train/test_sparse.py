"""Merged rows against coalesce, RowAdam against torch and against dense equations."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from farthing.base.errors import ConfigError
from farthing.train.sparse import RowAdam, merge_rows


def sparse(indices: list[int], values: Tensor, num_rows: int) -> Tensor:
    return torch.sparse_coo_tensor(
        torch.tensor([indices], dtype=torch.int64), values, (num_rows, values.shape[1]), check_invariants=True
    )


@given(indices=st.lists(st.integers(0, 9), max_size=40), dim=st.integers(1, 5), seed=st.integers(0, 99))
def test_merged_rows_are_the_coalesced_ones(indices: list[int], dim: int, seed: int) -> None:
    values = torch.randn(len(indices), dim, generator=torch.Generator().manual_seed(seed))
    gradient = sparse(indices, values, 10)
    merged, expected = merge_rows(gradient), gradient.coalesce()
    assert merged.is_coalesced()
    assert torch.equal(merged.indices(), expected.indices())
    assert torch.equal(merged.values(), expected.values())
    assert merge_rows(merged) is merged


def test_merged_rows_by_hand() -> None:
    values = torch.tensor([[1.0, 2.0], [10.0, 20.0], [100.0, 200.0]])
    merged = merge_rows(sparse([3, 1, 3], values, 5))
    assert merged.indices().tolist() == [[1, 3]]
    assert merged.values().tolist() == [[10.0, 20.0], [101.0, 202.0]]
    assert merged.shape == (5, 2)


def run(optimizer: torch.optim.Optimizer, table: nn.Parameter, steps: int) -> None:
    generator = torch.Generator().manual_seed(3)
    for _ in range(steps):
        indices = torch.randint(len(table), (12,), generator=generator)
        table.grad = sparse(indices.tolist(), torch.randn(12, table.shape[1], generator=generator).double(), len(table))
        optimizer.step()


def test_equals_torch_sparse_adam_without_weight_decay() -> None:
    start = torch.randn(20, 4, dtype=torch.float64)
    own, other = nn.Parameter(start.clone()), nn.Parameter(start.clone())
    run(RowAdam([own], lr=0.05, betas=(0.8, 0.95), eps=1e-6), own, 25)
    run(torch.optim.SparseAdam([other], lr=0.05, betas=(0.8, 0.95), eps=1e-6), other, 25)
    torch.testing.assert_close(own, other, rtol=1e-12, atol=1e-12)
    assert not torch.allclose(own, start, atol=0.1)


def test_follows_its_equations_row_by_row() -> None:
    table = nn.Parameter(torch.randn(7, 3, dtype=torch.float64))
    weight = table.detach().clone().tolist()
    mean = [[0.0] * 3 for _ in range(7)]
    square = [[0.0] * 3 for _ in range(7)]
    last = [0] * 7
    optimizer = RowAdam([table], lr=0.1, weight_decay=0.01)
    for step in range(1, 9):
        indices = [step % 7, (3 * step) % 7, step % 7] if step != 4 else [0]
        values = torch.randn(len(indices), 3, dtype=torch.float64)
        table.grad = sparse(indices, values, 7)
        optimizer.step()
        for row in set(indices):
            for column in range(3):
                gradient = sum(float(v[column]) for i, v in zip(indices, values, strict=True) if i == row)
                gradient += 0.01 * (step - last[row]) * weight[row][column]
                mean[row][column] = 0.9 * mean[row][column] + 0.1 * gradient
                square[row][column] = 0.999 * square[row][column] + 0.001 * gradient**2
                rate = 0.1 * (1 - 0.999**step) ** 0.5 / (1 - 0.9**step)
                weight[row][column] -= rate * mean[row][column] / (square[row][column] ** 0.5 + 1e-8)
            last[row] = step
    torch.testing.assert_close(table.detach(), torch.tensor(weight, dtype=torch.float64), rtol=1e-10, atol=1e-12)


def test_leaves_rows_without_a_gradient_alone() -> None:
    table = nn.Parameter(torch.randn(5, 2))
    before = table.detach().clone()
    optimizer = RowAdam([table], lr=0.1, weight_decay=0.5)
    table.grad = sparse([1, 3, 1], torch.ones(3, 2), 5)
    optimizer.step()
    changed = (table != before).any(1)
    assert changed.tolist() == [False, True, False, True, False]
    assert optimizer.state[table]["exp_avg"][[0, 2, 4]].eq(0).all()


def test_no_gradient_and_an_empty_one_change_nothing() -> None:
    used, unused = nn.Parameter(torch.randn(3, 2)), nn.Parameter(torch.randn(3, 2))
    before = used.detach().clone(), unused.detach().clone()
    optimizer = RowAdam([used, unused])
    used.grad = sparse([], torch.zeros(0, 2), 3)
    optimizer.step()
    assert torch.equal(used, before[0])
    assert torch.equal(unused, before[1])


def test_returns_the_loss_of_a_closure() -> None:
    table = nn.Embedding(4, 2, sparse=True)
    optimizer = RowAdam(table.parameters())

    def closure() -> float:
        optimizer.zero_grad()
        loss = table(torch.tensor([1])).sum()
        loss.backward()
        return float(loss.detach())

    expected = float(table.weight[1].sum().detach())
    assert optimizer.step(closure) == expected


def test_a_dense_gradient_is_an_error() -> None:
    table = nn.Parameter(torch.zeros(3, 2))
    table.grad = torch.ones(3, 2)
    with pytest.raises(TypeError, match="RowAdam needs sparse gradients"):
        RowAdam([table]).step()


@pytest.mark.parametrize(
    ("name", "value"),
    [("lr", 0.0), ("betas", (0.9, 1.0)), ("betas", (-0.1, 0.9)), ("eps", 0.0), ("weight_decay", -1.0)],
)
def test_rejects_settings_out_of_range(name: str, value: float | tuple[float, float]) -> None:
    with pytest.raises(ConfigError, match=f"{name} must be"):
        RowAdam([nn.Parameter(torch.zeros(1, 1))], **{name: value})  # type: ignore[arg-type]
