"""The losses equal the papers' sums, written out over every pair."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from farthing.vision.contrastive import info_nce, supervised_contrastive


def draw(n: int, dim: int, seed: int = 0) -> Tensor:
    return F.normalize(torch.randn(n, dim, generator=torch.Generator().manual_seed(seed)), dim=1)


def by_definition(features: Tensor, labels: list[int], temperature: float) -> float:
    """Khosla et al., equation 2, one term at a time."""
    rows = features.double().tolist()
    dot = [[sum(a * b for a, b in zip(x, y, strict=True)) / temperature for y in rows] for x in rows]
    means = []
    for i in range(len(rows)):
        partners = [p for p in range(len(rows)) if p != i and labels[p] == labels[i]]
        if partners:
            total = sum(math.exp(dot[i][k]) for k in range(len(rows)) if k != i)
            means.append(-sum(math.log(math.exp(dot[i][p]) / total) for p in partners) / len(partners))
    return sum(means) / max(1, len(means))


@pytest.mark.parametrize("temperature", [0.07, 0.5, 1.0])
def test_supervised_contrastive_is_its_definition(temperature: float) -> None:
    features, labels = draw(7, 5), [0, 1, 0, 2, 1, 0, 3]
    value = supervised_contrastive(features, torch.tensor(labels), temperature=temperature)
    assert value.item() == pytest.approx(by_definition(features, labels, temperature), rel=1e-4)


def test_info_nce_is_its_definition() -> None:
    first, second = draw(4, 6), draw(4, 6, seed=1)
    value = info_nce(first, second, temperature=0.2)
    expected = by_definition(torch.cat([first, second]), [0, 1, 2, 3] * 2, 0.2)
    assert value.item() == pytest.approx(expected, rel=1e-4)


def test_info_nce_of_one_image_is_zero() -> None:
    assert info_nce(draw(1, 3), draw(1, 3, seed=1), temperature=1.0).item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("labels", [[], [4], [0, 1, 2]])
def test_nothing_to_pull_together_costs_nothing_and_has_a_gradient(labels: list[int]) -> None:
    features = draw(len(labels), 4).requires_grad_()
    loss = supervised_contrastive(features, torch.tensor(labels, dtype=torch.int64), temperature=0.07)
    loss.backward()
    assert loss.item() == 0
    assert features.grad is not None
    assert not features.grad.any()


def test_equal_views_cost_less_than_others() -> None:
    first = draw(16, 8)
    near = F.normalize(first + 0.1 * draw(16, 8, seed=2), dim=1)
    assert info_nce(first, near, temperature=0.1) < info_nce(first, near.roll(1, 0), temperature=0.1) - 1
