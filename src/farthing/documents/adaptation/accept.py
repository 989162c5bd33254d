"""Whether an adapted detector is better than its source, told without a label of the target collection.

All figures are paired: both detectors see the same pages. Four checks must hold, or the source is kept:

fitted   page AP on fresh synthetic pages that look like the collection: its gain is above 0, at a confidence of 95 %
planted  page AP on the collection's own pages, where objects are planted on some: no loss
views    page scores rank the collection's pages as they rank other views of them: agreement does not fall
memory   pages that the source is sure of stay among the surest: at least three in four (it may have been wrong)

The first alone would always hold, since such pages were trained on. The others look at the collection itself: `planted`
needs true pages told from true paper, `views` falls when a detector follows noise, `memory` when it forgets.

Source: resampling of pages as in Efron and Tibshirani, An Introduction to the Bootstrap, 1993, section 13.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from farthing.base.errors import DataError
from farthing.documents.filtering.filter import Detector
from farthing.documents.judging.metrics import average_precision
from farthing.documents.page import Page
from farthing.documents.query.planting import Cutout, PlantConfig, cut_out, plant_page
from farthing.documents.training.cache import PageCache
from farthing.documents.training.data import scaled_boxes
from farthing.vision.images import Pixels

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

RESAMPLINGS = 400
LOW = 0.05  # quantile of the resamplings that is the lower bound of a gain
LEAST_POSITIVES = 5  # of a class, to measure it
DOUBTFUL_SHARE = 0.3  # of the pages may show a class already, and do not count when it is planted
SURE = 0.5
LEAST_KEPT = 0.75
MOST_PLANTED_LOSS = -0.02  # a lower bound of the gain below it stands for a loss that is not noise
MOST_VIEWS_LOSS = 0.01
MAX_CUTOUTS = 40
BATCH_SIZE = 16


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One comparison.

    Attributes:
        name: of the check.
        before: the source's figure.
        after: the adapted detector's.
        low: lower bound of the gain; the gain itself where nothing is resampled.
        holds: whether it speaks for the adapted detector, or at least not against it.
    """

    name: str
    before: float
    after: float
    low: float
    holds: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """Which detector to keep.

    Attributes:
        is_accepted: whether it is the adapted one.
        checks: why.
    """

    is_accepted: bool
    checks: tuple[Check, ...]

    @property
    def reason(self) -> str:
        """One sentence."""
        failed = [check for check in self.checks if not check.holds]
        told = ", ".join(
            f"{check.name} {check.before:.3f} -> {check.after:.3f}" for check in (failed or list(self.checks))
        )
        return f"the adapted model is kept: {told}" if self.is_accepted else f"the source model is kept: {told}"


def judge(source: Detector, adapted: Detector, *, labelled: PageCache, target: Sequence[Pixels], seed: int) -> Verdict:
    """Compares two detectors with the same classes.

    Args:
        source: the detector to keep in doubt.
        adapted: the one that must be better.
        labelled: synthetic pages that look like the target collection, which neither was trained on.
        target: u8 [height, width] each, pages of the collection.
        seed: of planting, views and resampling.
    """
    both = (source, adapted)
    own = [_scores(detector, target) for detector in both]
    checks = (
        _fitted(both, labelled, seed),
        _planted(both, own, labelled, target, seed),
        _views(both, own, target, seed),
        _memory(*own),
    )
    return Verdict(is_accepted=all(check.holds for check in checks), checks=checks)


def _fitted(both: Sequence[Detector], labelled: PageCache, seed: int) -> Check:
    classes = both[0].classes
    truth = np.array([[name in page.labels.labels for name in classes] for page in labelled.pages])
    scores = [_scores(detector, _greys(labelled)) for detector in both]
    before, after, low = paired_gain(scores, truth, np.ones_like(truth), seed=seed)
    return Check(name="fitted", before=before, after=after, low=low, holds=low > 0)


def _planted(
    both: Sequence[Detector], own: Sequence[Floats], labelled: PageCache, target: Sequence[Pixels], seed: int
) -> Check:
    """Every page bare and with one object planted; pages that may show a class already do not count for it."""
    classes = both[0].classes
    rng = np.random.default_rng([seed, 8])
    cutouts = cutouts_of(labelled, rng)
    config = PlantConfig(most=1, bare=0.0, scale=1.2, turn=3.0, fade=0.7)
    names = sorted(cutouts)
    planted, drawn = [], []
    for grey in target:
        name = names[int(rng.integers(len(names)))]
        page, labels = plant_page(grey, cutouts[name], config, rng, page="", name=name)
        planted.append(page)
        drawn.append([name in labels.labels and name == known for known in classes])
    truth = np.concatenate([np.zeros((len(target), len(classes)), dtype=bool), np.array(drawn)])
    scores = [np.concatenate([bare, _scores(detector, planted)]) for detector, bare in zip(both, own, strict=True)]
    mean = (own[0] + own[1]) / 2
    is_clear = mean <= np.quantile(mean, 1 - DOUBTFUL_SHARE, axis=0)
    before, after, low = paired_gain(scores, truth, np.concatenate([is_clear, is_clear]), seed=seed)
    return Check(
        name="planted", before=before, after=after, low=low, holds=after >= before and low >= MOST_PLANTED_LOSS
    )


def _views(both: Sequence[Detector], own: Sequence[Floats], target: Sequence[Pixels], seed: int) -> Check:
    """Mean rank correlation, over the classes, of page scores and the mean scores of other views."""
    agreements = []
    for detector, scores in zip(both, own, strict=True):
        rng = np.random.default_rng([seed, 9])
        others = _scores(detector, [other_view(grey, rng) for grey in target])
        agreements.append(rank_agreement(scores, others))
    before, after = agreements
    return Check(name="views", before=before, after=after, low=after - before, holds=after - before >= -MOST_VIEWS_LOSS)


def _memory(before: Floats, after: Floats) -> Check:
    """Share of the pages that the source is sure of which are among 1.5 times as many surest adapted ones."""
    kept = sure = 0
    for old, new in zip(before.T, after.T, strict=True):
        pages = np.flatnonzero(old >= SURE)
        surest = np.argsort(-new, kind="stable")[: -(-3 * len(pages) // 2)]
        kept, sure = kept + len(np.intersect1d(pages, surest)), sure + len(pages)
    share = kept / sure if sure else 1.0
    return Check(name="memory", before=1.0, after=share, low=share - 1, holds=share >= LEAST_KEPT)


def paired_gain(scores: Sequence[Floats], truth: Flags, counted: Flags, *, seed: int) -> tuple[float, float, float]:
    """Mean page AP of two detectors over the classes, and a lower bound of the gain from one to the other.

    Args:
        scores: f64 [pages, classes] of each.
        truth: bool [pages, classes], what the pages show.
        counted: bool [pages, classes], which pages count for which class.
        seed: of the resampling.

    Returns:
        Before, after, and the `LOW` quantile of after - before over resamplings of the pages; zeros where no class
        has enough positive pages.
    """
    usable = np.flatnonzero((truth & counted).sum(0) >= LEAST_POSITIVES)
    if not len(usable):
        return 0.0, 0.0, 0.0

    def mean_ap(of: Floats, rows: npt.NDArray[np.intp]) -> float:
        return float(np.mean([_page_ap(of[rows, c], truth[rows, c], counted[rows, c]) for c in usable]))

    everything = np.arange(len(truth))
    rng = np.random.default_rng([seed, 10])
    gains = []
    for _ in range(RESAMPLINGS):
        rows = rng.integers(len(truth), size=len(truth))
        gains.append(mean_ap(scores[1], rows) - mean_ap(scores[0], rows))
    return mean_ap(scores[0], everything), mean_ap(scores[1], everything), float(np.quantile(gains, LOW))


def _page_ap(scores: Floats, truth: Flags, counted: Flags) -> float:
    """Page AP of one class; 0 where a resampling drew none of its pages."""
    positives = int((truth & counted).sum())
    return average_precision(scores[counted], truth[counted], positives) if positives else 0.0


def rank_agreement(first: Floats, second: Floats) -> float:
    """Mean over the columns of Spearman's rank correlation; columns that are constant do not count; 1 without any."""
    values = [
        float(np.corrcoef(_ranks(a), _ranks(b))[0, 1])
        for a, b in zip(first.T, second.T, strict=True)
        if np.ptp(a) > 0 and np.ptp(b) > 0
    ]
    return float(np.mean(values)) if values else 1.0


def _ranks(values: Floats) -> Floats:
    """The place of each value in the order of all; equal ones share the mean of theirs."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(count) - (count - 1) / 2)[place], dtype=np.float64)


def other_view(grey: Pixels, rng: np.random.Generator) -> Pixels:
    """The page a little smaller and less sharp, in other light, up to a twentieth cut off at each side."""
    height, width = grey.shape
    top, bottom, left, right = (
        int(share * side) for share, side in zip(rng.uniform(0, 0.05, 4), (height, height, width, width), strict=True)
    )
    view = grey[top : height - bottom, left : width - right]
    scale = rng.uniform(0.7, 0.95)
    size = (max(1, round(view.shape[1] * scale)), max(1, round(view.shape[0] * scale)))
    view = np.asarray(cv2.resize(view, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    gamma = np.exp(rng.uniform(-0.4, 0.4))
    return np.asarray(np.round(255 * (view / 255.0) ** gamma), dtype=np.uint8)


def cutouts_of(labelled: PageCache, rng: np.random.Generator) -> dict[str, list[Cutout]]:
    """Objects of labelled pages by class, at most `MAX_CUTOUTS` of each, in random order of pages.

    Raises:
        DataError: the pages show no object that can be cut out.
    """
    cutouts: dict[str, list[Cutout]] = {}
    for index in rng.permutation(len(labelled)):
        page = labelled.pages[index]
        grey = labelled.pixels(int(index))
        boxes = scaled_boxes(page, labelled.shapes[index])
        for name, (x0, y0, x1, y1) in zip(page.labels.labels, boxes.round().astype(int).tolist(), strict=True):
            found = cutouts.setdefault(name, [])
            crop = grey[max(0, y0) : y1, max(0, x0) : x1]
            if len(found) < MAX_CUTOUTS and min(crop.shape) >= 4 and int(crop.min()) < int(crop.max()) - 20:
                found.append(cut_out(crop, page_side=float(max(grey.shape))))
    cutouts = {name: found for name, found in cutouts.items() if found}
    if not cutouts:
        raise DataError("the labelled pages show no object that could be planted; synthesize more of them")
    return cutouts


def _greys(cache: PageCache) -> list[Pixels]:
    return [cache.pixels(index) for index in range(len(cache))]


def _scores(detector: Detector, greys: Sequence[Pixels]) -> Floats:
    """f64 [pages, classes]: how sure a detector is that each page shows each class."""
    rows: list[list[float]] = []
    for start in range(0, len(greys), BATCH_SIZE):
        pages = [_page(grey) for grey in greys[start : start + BATCH_SIZE]]
        rows.extend(list(found.page_scores().values()) for found in detector.detect(pages))
    return np.array(rows, dtype=np.float64)


def _page(grey: Pixels) -> Page:
    height, width = grey.shape
    return Page(id="", document="", pixels=np.repeat(grey[:, :, None], 3, axis=2), width=width, height=height)
