from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from farthing.base.errors import DataError
from farthing.documents.adaptation.accept import Verdict, cutouts_of, judge, other_view, paired_gain, rank_agreement
from farthing.documents.detections import Detections, PageLabels
from farthing.documents.page import Page
from farthing.documents.training.cache import LabelledPage, PageCache
from farthing.vision.images import Pixels

CLASSES = ("illustration", "stamp")


def blank(rng: np.random.Generator) -> Pixels:
    page = rng.integers(205, 215, (96, 72)).astype(np.uint8)
    page[6:-6:6, 6:-6] = 150
    return page


def labelled_pages(count: int, seed: int = 0) -> PageCache:
    """Pages with a black illustration, a dark grey stamp, both or none."""
    rng = np.random.default_rng(seed)
    greys, pages = [], []
    for number in range(count):
        grey, boxes, labels = blank(rng), [], []
        for place, (name, ink) in enumerate((("illustration", 10), ("stamp", 70))):
            if rng.random() < 0.5:
                grey[10 + 40 * place : 30 + 40 * place, 20:50] = 210
                grey[12 + 40 * place : 28 + 40 * place, 22:48] = ink
                boxes.append([20.0, 10 + 40.0 * place, 50.0, 30 + 40.0 * place])
                labels.append(name)
        array = np.array(boxes, dtype=np.float32).reshape(-1, 4)
        truth = PageLabels(page=str(number), width=72, height=96, boxes=array, labels=tuple(labels))
        greys.append(grey)
        pages.append(LabelledPage(Path(str(number)), truth, frozenset(CLASSES)))
    pixels = np.concatenate([grey.ravel() for grey in greys])
    return PageCache(pixels, pages, [(96, 72)] * count)


class InkDetector:
    """Knows a class by its grey; `noise` blurs what it says, `wrong` is a class that it is blind to."""

    classes = CLASSES
    model_id = "ink"
    decode_pixels = 96

    def __init__(self, noise: float = 0.0, blind: str = "") -> None:
        self._noise, self._blind = noise, blind

    def detect(self, pages: Sequence[Page]) -> list[Detections]:
        return [self._detect(page) for page in pages]

    def _detect(self, page: Page) -> Detections:
        grey = page.pixels[:, :, 0].astype(float)
        rng = np.random.default_rng(int(grey.sum()))
        shares = [float((grey < 40).mean()), float(((grey >= 40) & (grey < 110)).mean())]
        scores = [0.02 if name == self._blind else 0.05 + 4 * s for name, s in zip(CLASSES, shares, strict=True)]
        noisy = np.clip(np.array(scores) + self._noise * rng.normal(size=2), 0.01, 0.99)
        order = np.argsort(-noisy)
        return Detections(
            boxes=np.zeros((2, 4), np.float32), scores=noisy[order].astype(np.float32), labels=order, classes=CLASSES
        )


def verdict_of(source: InkDetector, adapted: InkDetector) -> Verdict:
    rng = np.random.default_rng(5)
    target = [blank(rng) for _ in range(80)]
    return judge(source, adapted, labelled=labelled_pages(80), target=target, seed=0)


def test_a_detector_that_sees_better_is_accepted() -> None:
    verdict = verdict_of(InkDetector(noise=0.12), InkDetector())
    assert verdict.is_accepted
    assert [check.name for check in verdict.checks] == ["fitted", "planted", "views", "memory"]
    assert verdict.reason.startswith("the adapted model is kept: fitted")


def test_the_same_detector_is_not_better() -> None:
    verdict = verdict_of(InkDetector(), InkDetector())
    assert not verdict.is_accepted
    assert verdict.reason.startswith("the source model is kept: fitted")
    assert all(check.low == 0 for check in verdict.checks)


@pytest.mark.parametrize("worse", [InkDetector(noise=0.4), InkDetector(blind="stamp")])
def test_a_worse_detector_is_refused(worse: InkDetector) -> None:
    verdict = verdict_of(InkDetector(noise=0.05), worse)
    assert not verdict.is_accepted
    assert {"fitted", "planted"} <= {check.name for check in verdict.checks if not check.holds}


@pytest.mark.slow
def test_noise_is_accepted_in_at_most_one_case_of_twenty() -> None:
    """Two detectors that differ by luck alone: the bound of the gain is above 0 about once in twenty times."""
    rng = np.random.default_rng(0)
    truth = rng.random((120, 2)) < 0.3
    counted = np.ones_like(truth)
    accepted = 0
    for trial in range(40):
        scores = [0.5 * truth + 0.5 * rng.random((120, 2)) for _ in range(2)]
        accepted += paired_gain(scores, truth, counted, seed=trial)[2] > 0
    assert accepted <= 6


def test_pages_that_do_not_count_change_nothing() -> None:
    rng = np.random.default_rng(0)
    truth, counted = rng.random((60, 2)) < 0.4, np.ones((60, 2), dtype=bool)
    counted[40:] = False
    scores = [rng.random((60, 2)) for _ in range(2)]
    first = paired_gain(scores, truth, counted, seed=1)
    for matrix in scores:
        matrix[40:] = 1 - matrix[40:]
    truth[40:] = ~truth[40:]
    assert paired_gain(scores, truth, counted, seed=1) == first


def test_too_few_positive_pages_measure_nothing() -> None:
    truth = np.zeros((50, 1), dtype=bool)
    truth[:4] = True
    scores = [np.random.default_rng(seed).random((50, 1)) for seed in range(2)]
    assert paired_gain(scores, truth, np.ones_like(truth), seed=0) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("first", "second", "agreement"),
    [
        ([1, 2, 3, 4], [10, 20, 30, 40], 1.0),
        ([1, 2, 3, 4], [4, 3, 2, 1], -1.0),
        ([1, 2, 2, 3], [1, 2, 2, 3], 1.0),
        ([1, 2, 3, 4, 5], [2, 1, 4, 3, 5], 0.8),
        ([1, 1, 1], [1, 2, 3], 1.0),
    ],
)
def test_rank_agreement(first: list[float], second: list[float], agreement: float) -> None:
    columns: list[npt.NDArray[np.float64]] = [np.array(values, dtype=np.float64)[:, None] for values in (first, second)]
    assert rank_agreement(*columns) == pytest.approx(agreement)


def test_another_view_is_smaller_and_shows_most_of_the_page() -> None:
    rng = np.random.default_rng(0)
    page = np.full((200, 100), 128, np.uint8)
    for _ in range(10):
        view = other_view(page, rng)
        assert 0.6 * 200 <= view.shape[0] < 200
        assert 0.6 * 100 <= view.shape[1] < 100


def test_cutouts_come_by_class() -> None:
    cutouts = cutouts_of(labelled_pages(20), np.random.default_rng(0))
    assert set(cutouts) == set(CLASSES)
    darkest = {name: min(float(cutout.transmission.min()) for cutout in found) for name, found in cutouts.items()}
    assert darkest["illustration"] < 0.1 < 0.3 < darkest["stamp"]


def test_pages_without_objects_have_no_cutouts() -> None:
    empty = PageLabels(page="0", width=72, height=96, boxes=np.zeros((0, 4), np.float32), labels=())
    page = LabelledPage(Path("0"), empty, frozenset(CLASSES))
    cache = PageCache(blank(np.random.default_rng(0)).ravel(), [page], [(96, 72)])
    with pytest.raises(DataError, match="no object that could be planted"):
        cutouts_of(cache, np.random.default_rng(0))
