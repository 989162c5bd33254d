from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from farthing.documents.adaptation.teacher import LEAST_SURE, MeanTeacher, sure_score, teach
from farthing.documents.detections import Detections
from farthing.documents.net.candidates import Candidates, Detector
from farthing.documents.training.targets import Objects

CPU = torch.device("cpu")


class Tiny(Detector):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(2))
        self.norm = nn.BatchNorm2d(1)

    def forward(self, images: Tensor) -> Candidates:
        raise AssertionError("only parameters and statistics are asked for")

    def loss(self, images: Tensor, objects: Objects) -> Tensor:
        raise AssertionError("only parameters and statistics are asked for")


def found(*objects: tuple[float, int]) -> Detections:
    boxes = np.array([[0, 0, 10 + place, 10] for place in range(len(objects))], np.float32).reshape(-1, 4)
    return Detections(
        boxes=boxes,
        scores=np.array([score for score, _ in objects], np.float32),
        labels=np.array([label for _, label in objects], np.int64),
        classes=("a", "b"),
    )


@pytest.mark.parametrize(
    ("scores", "share", "sure"),
    [
        ([0.9, 0.8, 0.7, 0.6, 0.01, 0.02], 0.5, 0.75),
        ([0.9, 0.8, 0.7, 0.6, 0.01, 0.02], 1.0, 0.6),
        ([0.2, 0.15, 0.12], 0.5, LEAST_SURE),
        ([0.05, 0.01], 0.5, 1.0),
    ],
)
def test_the_quantile_is_of_pages_with_a_sign_and_never_below_the_least(
    scores: list[float], share: float, sure: float
) -> None:
    assert sure_score(np.array(scores), share) == pytest.approx(sure)


def test_sure_boxes_are_taught_doubtful_classes_are_unknown() -> None:
    pages = [found((0.9, 0), (0.4, 1), (0.04, 0)), found((0.6, 1)), found((0.3, 0), (0.05, 1))]
    objects = teach(pages, torch.tensor([0.5, 0.5]), device=CPU)
    assert objects.is_real.tolist() == [[True], [True], [False]]
    assert objects.labels.tolist() == [[0], [1], [0]]
    assert objects.boxes[0, 0].tolist() == [0, 0, 10, 10]
    assert objects.is_known.tolist() == [[True, False], [True, True], [False, True]]


def test_pages_without_any_object_are_all_background() -> None:
    objects = teach([found((0.02, 0))], torch.tensor([0.5, 0.5]), device=CPU)
    assert objects.boxes.shape == (1, 0, 4)
    assert objects.is_known.all()


def test_the_teacher_follows_slowly_and_gets_no_gradient() -> None:
    pair = MeanTeacher(Tiny(), momentum=0.75)
    assert isinstance(pair.student, Tiny)
    assert isinstance(pair.teacher, Tiny)
    with torch.no_grad():
        pair.student.weight.fill_(8.0)
    values = []
    for _ in range(3):
        pair.follow()
        values.append(float(pair.teacher.weight[0]))
    assert values == pytest.approx([2.0, 3.5, 4.625])
    assert not any(parameter.requires_grad for parameter in pair.teacher.parameters())
    assert all(parameter.requires_grad for parameter in pair.student.parameters())


def test_training_moves_no_statistics() -> None:
    pair = MeanTeacher(Tiny(), momentum=0.9).train()
    assert pair.student.training
    assert not pair.teacher.training
    for net in (pair.student, pair.teacher):
        assert isinstance(net, Tiny)
        net.norm(torch.randn(4, 1, 3, 3))
        assert net.norm.running_mean is not None
        assert float(net.norm.running_mean) == 0
