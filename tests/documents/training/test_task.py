from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.optim import AdamW

from farthing.documents.net.architectures import build_detector
from farthing.documents.net.candidates import Candidates
from farthing.documents.net.detector import points_of
from farthing.documents.training.cache import PageCache
from farthing.documents.training.criterion import detection_loss
from farthing.documents.training.data import TrainBatches, read_pages
from farthing.documents.training.targets import Objects
from farthing.documents.training.task import DetectTask
from tests.documents.plainpages import NAMES, small_config, write_pages


def said(logits: Tensor, boxes: Tensor, centers: Tensor, page_logits: Tensor) -> Candidates:
    return Candidates(logits=logits, boxes=boxes, centers=centers, page_logits=page_logits)


def one_object(*, is_known: bool = True) -> tuple[Objects, Tensor]:
    centers, _ = points_of([torch.Size(size) for size in ((8, 6), (4, 3), (2, 2), (1, 1))], device=torch.device("cpu"))
    objects = Objects(
        boxes=torch.tensor([[[8.0, 8.0, 40.0, 40.0]]]),
        labels=torch.tensor([[1]]),
        is_real=torch.tensor([[True]]),
        is_known=torch.tensor([[is_known, True]]),
    )
    return objects, centers


def test_saying_the_truth_costs_next_to_nothing() -> None:
    objects, centers = one_object()
    boxes = objects.boxes.expand(1, len(centers), 4)
    logits = torch.full((1, len(centers), 2), -12.0)
    truth = detection_loss(said(logits, boxes, centers, torch.tensor([[-12.0, 12.0]])), objects)
    inside = ((centers > 8) & (centers < 40)).all(1)
    logits[0, inside, 1] = 12.0
    # ten of the points inside are chosen; the others inside are paid for, so only the order of the losses is told
    right = detection_loss(said(logits, boxes, centers, torch.tensor([[-12.0, 12.0]])), objects)
    wrong_page = detection_loss(said(logits, boxes, centers, torch.tensor([[12.0, -12.0]])), objects)
    wrong_box = detection_loss(said(logits, boxes + 30, centers, torch.tensor([[-12.0, 12.0]])), objects)
    assert right < truth + 100
    assert right + 0.2 * 12 == pytest.approx(wrong_page.item(), abs=1e-3)
    assert wrong_box > right + 1


def test_classes_that_the_data_does_not_know_cost_nothing() -> None:
    objects, centers = one_object(is_known=False)
    boxes = objects.boxes.expand(1, len(centers), 4)
    losses = []
    for shout in (-5.0, 5.0):
        logits, page_logits = torch.zeros(1, len(centers), 2), torch.zeros(1, 2)
        logits[..., 0], page_logits[:, 0] = shout, shout
        losses.append(detection_loss(said(logits, boxes, centers, page_logits), objects).item())
    assert losses[0] == losses[1]


def test_pages_without_objects_only_pay_for_what_they_say() -> None:
    objects, centers = one_object()
    empty = Objects(
        boxes=objects.boxes[:, :0],
        labels=objects.labels[:, :0],
        is_real=objects.is_real[:, :0],
        is_known=objects.is_known,
    )
    boxes = torch.rand(1, len(centers), 4, requires_grad=True)
    logits = torch.full((1, len(centers), 2), -9.0)
    loss = detection_loss(said(logits, boxes, centers, torch.full((1, 2), -9.0)), empty)
    assert loss.item() == pytest.approx(0, abs=1e-3)
    loss.backward()
    assert boxes.grad is not None
    assert boxes.grad.abs().max() == 0


@pytest.fixture
def cache(tmp_path: Path) -> PageCache:
    return PageCache.build(read_pages([write_pages(tmp_path / "data", 12)], NAMES), tmp_path, long_side=64)


def test_a_few_steps_lower_the_loss_and_evaluation_names_every_class(cache: PageCache) -> None:
    config = small_config()
    model = build_detector(config)
    task = DetectTask(
        model,
        cache=cache,
        held_out=range(12),
        classes=NAMES,
        long_side=64,
        augment=config.augment,
        optimizer=AdamW(model.parameters(), lr=1e-2, weight_decay=0.0),
    )
    batches = TrainBatches(
        cache=cache, indices=range(12), classes=NAMES, batch_size=12, num_batches=1, long_side=64, seed=0
    )
    losses = []
    batch = next(batches.epoch(0, 0))
    for _ in range(30):
        loss = task.loss(batch)
        task.optimizers[0].zero_grad()
        loss.backward()
        task.optimizers[0].step()
        losses.append(loss.item())
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5])
    task.model.eval()
    with torch.no_grad():
        metrics = task.evaluate()
    assert {"score", "page_ap", "ap50", "page_ap/stamp", "ap50/illustration"} <= metrics.keys()
    assert all(0 <= value <= 1 for value in metrics.values())
