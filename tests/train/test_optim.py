"""Schedules by hand, clipping against torch, and who is decayed."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from farthing.train.optim import Schedule, clip_grad_norm, decay_groups, scale_learning_rates, schedule_factor


@pytest.mark.parametrize(
    ("schedule", "warmup_steps", "step", "factor"),
    [
        ("constant", 0, 0, 1.0),
        ("constant", 4, 0, 0.25),
        ("constant", 4, 3, 1.0),
        ("constant", 4, 9, 1.0),
        ("cosine", 0, 0, 1.0),
        ("cosine", 0, 5, 0.5),
        ("cosine", 0, 9, 0.5 * (1 + math.cos(0.9 * math.pi))),
        ("cosine", 2, 0, 0.5),
        ("cosine", 2, 2, 1.0),
        ("cosine", 2, 6, 0.5),
        ("cosine", 20, 9, 0.5),
        ("cosine", 10, 10, 1.0),
    ],
)
def test_schedules_by_hand(schedule: Schedule, warmup_steps: int, step: int, factor: float) -> None:
    value = schedule_factor(schedule, step=step, total_steps=10, warmup_steps=warmup_steps)
    assert value == pytest.approx(factor, abs=1e-12)


def test_learning_rates_are_scaled_from_their_first_value() -> None:
    first, second = (nn.Parameter(torch.zeros(1)) for _ in range(2))
    optimizer = torch.optim.SGD([{"params": [first], "lr": 0.4}, {"params": [second], "lr": 0.2}])
    for factor in (0.5, 0.25):
        scale_learning_rates([optimizer], factor)
        assert [group["lr"] for group in optimizer.param_groups] == [0.4 * factor, 0.2 * factor]


def mixed() -> tuple[nn.Embedding, nn.Linear]:
    table, linear = nn.Embedding(6, 3, sparse=True), nn.Linear(3, 2)
    linear(table(torch.tensor([1, 4, 1, 1]))).pow(2).sum().backward()
    return table, linear


@pytest.mark.parametrize("share", [0.3, 0.999, 1.5])
def test_clips_dense_and_sparse_gradients_by_their_joint_norm(share: float) -> None:
    table, linear = mixed()
    parameters = [*table.parameters(), *linear.parameters(), nn.Parameter(torch.zeros(2))]
    gradients = [p.grad.to_dense().double() for p in parameters if p.grad is not None]
    norm = float(torch.cat([gradient.flatten() for gradient in gradients]).norm())
    assert clip_grad_norm(parameters, share * norm) == pytest.approx(norm, rel=1e-6)
    for parameter, gradient in zip(parameters, gradients, strict=False):
        assert parameter.grad is not None
        torch.testing.assert_close(parameter.grad.to_dense().double(), min(share, 1.0) * gradient, rtol=1e-5, atol=1e-7)


def test_clips_as_torch_does_where_torch_can() -> None:
    _, own = mixed()
    torch.manual_seed(0)
    other = nn.Linear(3, 2)
    for mine, theirs in zip(own.parameters(), other.parameters(), strict=True):
        assert mine.grad is not None
        theirs.grad = mine.grad.clone()
    norm = clip_grad_norm(own.parameters(), 0.1)
    assert norm == pytest.approx(float(nn.utils.clip_grad_norm_(other.parameters(), 0.1)))
    for mine, theirs in zip(own.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, theirs.grad, rtol=1e-5, atol=1e-8)


def test_no_gradient_has_norm_zero() -> None:
    assert clip_grad_norm([nn.Parameter(torch.ones(3))], 1.0) == 0.0


def test_only_matrices_are_decayed() -> None:
    module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    decayed, spared = decay_groups(module, weight_decay=0.1)
    assert (decayed["weight_decay"], spared["weight_decay"]) == (0.1, 0.0)
    assert decayed["params"] == [module[0].weight, module[2].weight]
    assert spared["params"] == [module[0].bias, module[1].weight, module[1].bias, module[2].bias]
