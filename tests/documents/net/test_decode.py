from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from farthing.documents.detections import Detections
from farthing.documents.net.candidates import Candidates
from farthing.documents.net.decode import LEAST_SCORE, MAX_BOXES, PAGE_POWER, decode
from farthing.documents.net.detector import points_of

CLASSES = ("illustration", "stamp")


def candidates(points: dict[int, tuple[int, float, tuple[float, float, float, float]]]) -> Candidates:
    """One page of 64 x 48 where the given points say (class, score, box) and all others next to nothing."""
    sizes = [torch.Size(size) for size in ((8, 6), (4, 3), (2, 2), (1, 1))]
    centers, _ = points_of(sizes, device=torch.device("cpu"))
    logits, boxes = torch.full((1, len(centers), 2), -9.0), torch.zeros(1, len(centers), 4)
    boxes[0] = torch.cat([centers - 3, centers + 3], 1)
    for point, (label, score, box) in points.items():
        logits[0, point, label] = torch.tensor(score).logit()
        boxes[0, point] = torch.tensor(box)
    return Candidates(logits=logits, boxes=boxes, centers=centers, page_logits=torch.full((1, 2), 30.0))


def decode_one(points: dict[int, tuple[int, float, tuple[float, float, float, float]]]) -> Detections:
    return decode(candidates(points), torch.tensor([[64.0, 48.0]]), [(128, 96)], CLASSES)[0]


def test_boxes_are_told_in_page_pixels() -> None:
    found = decode_one({7: (1, 0.9, (4, 6, 20, 30)), 20: (0, 0.4, (10, 40, 48, 99))})
    assert found.labels.tolist() == [1, 0]
    assert found.scores.tolist() == pytest.approx([0.9**0.8, 0.4**0.8])
    assert found.boxes.tolist() == [[8, 12, 40, 60], [20, 80, 96, 128]]
    assert found.boxes.dtype == np.float32
    assert found.classes == CLASSES


def test_a_box_counts_more_on_a_page_that_shows_its_class() -> None:
    said = candidates({7: (1, 0.5, (4, 6, 20, 30)), 20: (0, 0.5, (10, 40, 48, 60))})
    page_logits = torch.tensor([[0.25, 0.75]]).logit()
    found = decode(replace(said, page_logits=page_logits), torch.tensor([[64.0, 48.0]]), [(64, 48)], CLASSES)[0]
    expected = [0.5 ** (1 - PAGE_POWER) * shown**PAGE_POWER for shown in (0.75, 0.25)]
    assert found.labels.tolist() == [1, 0]
    assert found.scores.tolist() == pytest.approx(expected)


def test_of_two_boxes_on_one_object_the_better_stays_unless_classes_differ() -> None:
    found = decode_one({7: (1, 0.9, (4, 6, 20, 30)), 8: (1, 0.8, (4, 6, 20, 29)), 9: (0, 0.7, (4, 6, 20, 30))})
    assert found.labels.tolist() == [1, 0]


def test_the_best_of_each_class_stays_however_low() -> None:
    found = decode_one({7: (1, 0.9, (4, 6, 20, 30)), 30: (1, 0.01, (30, 40, 40, 60))})
    assert sorted(found.labels.tolist()) == [0, 1]
    assert found.page_scores()["illustration"] < LEAST_SCORE


def test_boxes_outside_the_page_find_nothing() -> None:
    said = candidates({0: (1, 0.2, (0, 0, 9, 9)), 5: (1, 0.9, (40, 0, 48, 9))})
    found = decode(said, torch.tensor([[64.0, 40.0]]), [(64, 40)], CLASSES)[0]
    assert found.page_scores()["stamp"] == pytest.approx(0.2**0.8)


def test_at_most_a_hundred_boxes_with_every_class() -> None:
    sizes = [torch.Size(size) for size in ((16, 12), (8, 6), (4, 3), (2, 2))]
    centers, _ = points_of(sizes, device=torch.device("cpu"))
    logits = torch.full((1, len(centers), 2), -9.0)
    logits[..., 0] = torch.linspace(-1, 3, len(centers))
    boxes = torch.cat([centers - 2, centers + 2], 1)[None]
    said = Candidates(logits=logits, boxes=boxes, centers=centers, page_logits=torch.zeros(1, 2))
    found = decode(said, torch.tensor([[128.0, 96.0]]), [(128, 96)], CLASSES)[0]
    assert len(found.scores) == MAX_BOXES
    assert set(found.labels.tolist()) == {0, 1}
    assert (np.diff(found.scores) <= 0).all()
