from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from farthing.documents.training.losses import generalized_iou, pairwise_iou, quality_focal_loss
from farthing.vision.boxes import iou

numbers = st.floats(-50, 50, width=32)
boxes = st.tuples(numbers, numbers, st.floats(0.5, 60, width=32), st.floats(0.5, 60, width=32)).map(
    lambda box: torch.tensor([box[0], box[1], box[0] + box[2], box[1] + box[3]])
)


@pytest.mark.parametrize(
    ("logit", "quality", "expected"),
    [
        (0.0, 0.5, 0.0),
        (0.0, 0.0, 0.25 * math.log(2)),
        (0.0, 1.0, 0.25 * math.log(2)),
        (math.log(3), 0.5, 0.0625 * (-0.5 * math.log(0.75) - 0.5 * math.log(0.25))),
    ],
)
def test_quality_focal_loss_by_hand(logit: float, quality: float, expected: float) -> None:
    loss = quality_focal_loss(torch.tensor([logit]), torch.tensor([quality]))
    assert loss.item() == pytest.approx(expected, abs=1e-6)


def test_the_focal_gradient_pulls_towards_the_quality() -> None:
    logit = torch.tensor([-2.0, 2.0], requires_grad=True)
    quality_focal_loss(logit, torch.tensor([0.6, 0.6])).sum().backward()
    assert logit.grad is not None
    assert logit.grad[0] < 0 < logit.grad[1]


@pytest.mark.parametrize(
    ("first", "second", "overlap", "generalized"),
    [
        ((0, 0, 2, 2), (0, 0, 2, 2), 1.0, 1.0),
        ((0, 0, 2, 2), (1, 0, 3, 2), 1 / 3, 1 / 3),
        ((0, 0, 1, 1), (2, 0, 3, 1), 0.0, -1 / 3),
        ((0, 0, 2, 1), (0, 0, 1, 2), 1 / 3, 1 / 3 - 1 / 4),
    ],
)
def test_overlaps_by_hand(
    first: tuple[float, ...], second: tuple[float, ...], overlap: float, generalized: float
) -> None:
    pair = torch.tensor([first], dtype=torch.float32), torch.tensor([second], dtype=torch.float32)
    assert pairwise_iou(*pair).item() == pytest.approx(overlap, abs=1e-6)
    assert generalized_iou(*pair).item() == pytest.approx(generalized, abs=1e-6)


@given(boxes, boxes)
def test_iou_agrees_with_the_other_implementation(first: torch.Tensor, second: torch.Tensor) -> None:
    expected = iou(first[None].numpy(), second[None].numpy())[0, 0]
    np.testing.assert_allclose(pairwise_iou(first, second).numpy(), expected, rtol=1e-3, atol=1e-5)
    assert -1 < generalized_iou(first, second).item() <= pairwise_iou(first, second).item() + 1e-5
