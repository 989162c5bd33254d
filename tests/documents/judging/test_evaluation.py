from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from farthing.base.errors import DataError
from farthing.documents.detections import Detections, PageLabels
from farthing.documents.judging.evaluation import evaluate_detector, load_pages
from farthing.documents.page import Page
from farthing.documents.training.cache import LabelledPage
from farthing.documents.training.data import read_pages
from tests.documents.plainpages import NAMES, write_pages


class Knowing:
    """Finds what the annotations say, shifted by some pixels."""

    classes = NAMES
    decode_pixels = 64

    def __init__(self, pages: Sequence[LabelledPage], shift: float = 0.0) -> None:
        self._truth = {page.labels.page: page.labels for page in pages}
        self._shift = shift

    def detect(self, pages: Sequence[Page]) -> list[Detections]:
        assert all(max(page.pixels.shape) < 2 * self.decode_pixels + 1 for page in pages)
        return [self._found(self._truth[page.id]) for page in pages]

    def _found(self, truth: PageLabels) -> Detections:
        return Detections(
            boxes=truth.boxes + np.float32(self._shift),
            scores=np.full(len(truth.labels), 0.9, np.float32),
            labels=np.array([NAMES.index(name) for name in truth.labels], np.int64),
            classes=NAMES,
        )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_pages(tmp_path / "data", 80)


def test_who_knows_the_truth_is_perfect(folder: Path) -> None:
    counted: list[int] = []
    evaluation = evaluate_detector(Knowing(read_pages([folder], NAMES)), folder, advance=counted.append)
    assert counted == [64, 16]
    assert evaluation.num_pages == 80
    assert set(evaluation.classes) == set(NAMES)
    for figures in evaluation.classes.values():
        assert figures["page_ap"] == figures["ap50"] == figures["precision_at_95"] == 1.0


def test_shifted_boxes_rank_pages_and_miss_objects(folder: Path) -> None:
    evaluation = evaluate_detector(Knowing(read_pages([folder], NAMES), shift=40), folder)
    assert all(figures["page_ap"] == 1.0 and figures["ap50"] < 0.1 for figures in evaluation.classes.values())


def test_unreadable_pages_are_counted_and_rank_last(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    pages = read_pages([folder], NAMES)
    torn = next(page for page in pages if "stamp" in page.labels.labels)
    torn.path.write_bytes(b"\xff\xd8\xff nothing more")
    with caplog.at_level(logging.WARNING):
        evaluation = evaluate_detector(Knowing(pages), folder)
    assert evaluation.unreadable == (torn.labels.page,)
    assert torn.path.name in caplog.text
    assert evaluation.classes["stamp"]["page_ap"] < 1
    assert len(load_pages(pages, 64, at_most=100)) == 79
    assert len(load_pages(pages, 64, at_most=3)) == 3


def test_data_with_other_classes_is_refused(folder: Path) -> None:
    knowing = Knowing([])
    knowing.classes = ("seal",)  # type: ignore[assignment]
    with pytest.raises(DataError, match="shows any of seal"):
        evaluate_detector(knowing, folder)
