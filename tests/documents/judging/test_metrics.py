from __future__ import annotations

import numpy as np
import pytest

from farthing.documents.detections import Detections, PageLabels
from farthing.documents.judging.metrics import at_recall, average_precision, evaluate_pages, mean_metrics
from tests.reference.page_scores import Box, Found, Truth, judge

CLASSES = ("illustration", "decoration", "stamp")


def detections_of(found: Found) -> Detections:
    ordered = sorted(found, key=lambda item: -item[2])
    return Detections(
        boxes=np.array([box for _, box, _ in ordered], np.float32).reshape(-1, 4),
        scores=np.array([score for _, _, score in ordered], np.float32),
        labels=np.array([CLASSES.index(name) for name, _, _ in ordered], np.int64),
        classes=CLASSES,
    )


def labels_of(page: str, truth: Truth) -> PageLabels:
    boxes = np.array([box for _, box in truth], np.float32).reshape(-1, 4)
    return PageLabels(page=page, width=100, height=100, boxes=boxes, labels=tuple(name for name, _ in truth))


def random_box(rng: np.random.Generator) -> Box:
    x, y = rng.integers(0, 60, 2).tolist()
    w, h = rng.integers(10, 40, 2).tolist()
    return (float(x), float(y), float(x + w), float(y + h))


def random_pages(seed: int) -> dict[str, tuple[Found, Truth]]:
    """Pages whose detections are shifted copies of the truth, some of them lost, and some made up."""
    rng = np.random.default_rng(seed)
    scores = (rng.permutation(4000) / 4096).tolist()  # all different and exact in float32
    pages: dict[str, tuple[Found, Truth]] = {}
    for number in range(40):
        truth = [(CLASSES[rng.integers(3)], random_box(rng)) for _ in range(rng.integers(0, 4))]
        near = [
            (name, (x0 + float(rng.integers(-4, 5)), y0 + float(rng.integers(-4, 5)), x1, y1), scores.pop())
            for name, (x0, y0, x1, y1) in truth * 2
            if rng.random() < 0.8
        ]
        confused = [("illustration", box, scores.pop()) for name, box in truth if name == "decoration"]
        made_up = [(CLASSES[rng.integers(3)], random_box(rng), scores.pop()) for _ in range(rng.integers(0, 3))]
        pages[f"{number:03d}"] = (near + confused + made_up, truth)
    return pages


@pytest.mark.parametrize("seed", range(6))
def test_agrees_with_the_slow_reference(seed: int) -> None:
    pages = random_pages(seed)
    found = [detections_of(found) for found, _ in pages.values()]
    truth = [labels_of(page, truth) for page, (_, truth) in pages.items()]
    results = evaluate_pages(found, truth)
    for name in CLASSES:
        expected = judge(pages, name, "decoration" if name == "illustration" else None)
        assert {key: results[name][key] for key in expected} == pytest.approx(expected)
    strict = judge(pages, "illustration", None)
    assert {key: results["illustration"][f"{key}_strict"] for key in strict} == pytest.approx(strict)


@pytest.mark.parametrize(
    ("hits", "positives", "expected"),
    [
        ([1, 1], 2, 1.0),
        ([0, 1], 1, 0.5),
        ([1, 0, 1], 2, (1 + 2 / 3) / 2),
        ([0, 0], 3, 0.0),
        ([], 3, 0.0),
        ([1], 2, 0.5),
    ],
)
def test_average_precision_by_hand(hits: list[int], positives: int, expected: float) -> None:
    scores = np.linspace(1, 0, len(hits))
    assert average_precision(scores, np.array(hits, dtype=bool), positives) == pytest.approx(expected)


def test_average_precision_is_about_order_alone() -> None:
    rng = np.random.default_rng(0)
    scores, hits = rng.random(50), rng.random(50) < 0.4
    assert average_precision(scores, hits, 30) == average_precision(np.exp(5 * scores), hits, 30)


def test_at_recall_by_hand() -> None:
    scores = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    positives = np.array([True, False, True, False, False])
    assert at_recall(scores, positives) == (2 / 3, 0.6)
    assert at_recall(scores, positives, 0.5) == (1.0, 0.2)


def test_a_perfect_filter_gets_ones_and_absent_classes_nothing() -> None:
    truth = [labels_of("a", [("stamp", (1, 1, 30, 30))]), labels_of("b", [])]
    found = [detections_of([("stamp", (1, 1, 30, 30), 0.5)]), detections_of([("stamp", (1, 1, 9, 9), 0.1)])]
    results = evaluate_pages(found, truth)
    assert list(results) == ["stamp"]
    assert results["stamp"]["page_ap"] == results["stamp"]["ap50"] == 1.0
    assert mean_metrics(results) == {"score": 1.0, "page_ap": 1.0, "ap50": 1.0}
    assert mean_metrics({})["score"] == 0.0
