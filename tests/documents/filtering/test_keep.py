"""What is recorded of a page follows from its detections alone."""

from __future__ import annotations

import numpy as np
import pytest

from farthing.documents.detections import Detections
from farthing.documents.filtering.keep import judge_page
from farthing.documents.page import Page
from farthing.results.rows import BoxRow, PageRow

PAGE = Page(id="a/1.jpg", document="a", pixels=np.zeros((4, 3, 3), np.uint8), width=300, height=400)
DETECTIONS = Detections(
    boxes=np.array([[1.04, 2, 30, 40.06], [5, 6, 70, 80], [0, 0, 9, 9]], np.float32),
    scores=np.array([0.8, 0.4, 0.1], np.float32),
    labels=np.array([1, 0, 1]),
    classes=("seal", "stamp", "map"),
)


def test_a_page_scores_as_high_as_its_best_wanted_class() -> None:
    row, boxes = judge_page(PAGE, DETECTIONS, contains=["seal", "map"], threshold=0.4)
    assert row == PageRow(
        page="a/1.jpg", document="a", width=300, height=400, score=0.4, scores={"seal": 0.4, "map": 0.0}, keep=True
    )
    assert boxes == [BoxRow(label="seal", x0=5.0, y0=6.0, x1=70.0, y1=80.0, score=0.4)]


def test_boxes_of_wanted_classes_are_recorded_best_first_to_a_tenth_of_a_pixel() -> None:
    _, boxes = judge_page(PAGE, DETECTIONS, contains=["stamp"], threshold=0.9)
    assert boxes == [
        BoxRow(label="stamp", x0=1.0, y0=2.0, x1=30.0, y1=40.1, score=0.8),
        BoxRow(label="stamp", x0=0.0, y0=0.0, x1=9.0, y1=9.0, score=0.1),
    ]


@pytest.mark.parametrize(("threshold", "keep"), [(0.0, True), (0.8, True), (0.800001, False), (1.0, False)])
def test_a_page_is_kept_from_the_threshold(threshold: float, keep: bool) -> None:
    row, _ = judge_page(PAGE, DETECTIONS, contains=["stamp"], threshold=threshold)
    assert row.keep is keep


def test_a_page_on_which_nothing_was_found_scores_zero() -> None:
    nothing = Detections(
        boxes=np.zeros((0, 4), np.float32),
        scores=np.zeros(0, np.float32),
        labels=np.zeros(0, np.int64),
        classes=("seal",),
    )
    row, boxes = judge_page(PAGE, nothing, contains=["seal"], threshold=0.3)
    assert (row.score, row.scores, row.keep, boxes) == (0.0, {"seal": 0.0}, False, [])
