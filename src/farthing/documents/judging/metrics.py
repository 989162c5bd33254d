"""How good a page filter is: the ranking of pages, what a recall of 95 % costs, and the boxes.

Source: average precision over all points as in PASCAL VOC 2010 and later, everingham et al.,
    https://doi.org/10.1007/s11263-014-0733-5, section 4.2.1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from farthing.documents.detections import Detections, PageLabels
from farthing.vision.boxes import Boxes, iou

TARGET_RECALL = 0.95
LEAST_OVERLAP = 0.5
# What may be taken for the key without harm: ornaments are hard to tell from small pictures, for people too.
LENIENT: Mapping[str, str] = {"illustration": "decoration"}

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def average_precision(scores: Floats, hits: Flags, num_positives: int) -> float:
    """The area under precision over recall, where precision is the best one at that recall or a higher one.

    Args:
        scores: f64 [n]; of equal ones the first comes first.
        hits: whether each is right.
        num_positives: how many right ones there are to find, >= 1.
    """
    order = np.argsort(-scores, kind="stable")
    found = np.cumsum(hits[order])
    precision = found / np.arange(1, len(found) + 1)
    best_from_here = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(best_from_here[hits[order]]) / num_positives)


def at_recall(scores: Floats, positives: Flags, recall: float = TARGET_RECALL) -> tuple[float, float]:
    """Precision and share of pages kept, where just so many of the best pages are kept that `recall` is reached."""
    order = np.argsort(-scores, kind="stable")
    found = np.cumsum(positives[order])
    kept = int(np.searchsorted(found, recall * positives.sum())) + 1
    return float(found[kept - 1] / kept), kept / len(scores)


def evaluate_pages(found: Sequence[Detections], truth: Sequence[PageLabels]) -> dict[str, dict[str, float]]:
    """Per class that occurs: pages, positive, page_ap, precision_at_95, kept_at_95, ap50.

    For "illustration", where there is a class "decoration": pages that show decoration and no illustration are left
    out, and a box at IoU >= 0.5 with a decoration counts neither way; figures that count both as errors have the suffix
    `_strict`.

    Args:
        found: on each page; all with the same classes.
        truth: the same pages.
    """
    classes = found[0].classes if found else ()
    results: dict[str, dict[str, float]] = {}
    for name in classes:
        if not any(name in page.labels for page in truth):
            continue
        lenient = LENIENT.get(name)
        results[name] = _judge(name, found, truth, ignored=lenient)
        if lenient is not None and any(lenient in page.labels for page in truth):
            strict = _judge(name, found, truth, ignored=None)
            rates = ("page_ap", "precision_at_95", "kept_at_95", "ap50")
            results[name] |= {f"{rate}_strict": strict[rate] for rate in rates}
    return results


def mean_metrics(results: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """`score` = (page_ap + ap50) / 2, and both, as means over the classes; 0 where no class occurs."""
    page_ap, ap50 = (
        float(np.mean([metrics[name] for metrics in results.values()])) if results else 0.0
        for name in ("page_ap", "ap50")
    )
    return {"score": (page_ap + ap50) / 2, "page_ap": page_ap, "ap50": ap50}


def _judge(
    name: str, found: Sequence[Detections], truth: Sequence[PageLabels], *, ignored: str | None
) -> dict[str, float]:
    """The figures of one class; pages that show only `ignored` are left out, boxes on it do not count."""
    kept = [
        (detections, page)
        for detections, page in zip(found, truth, strict=True)
        if name in page.labels or ignored not in page.labels
    ]
    positives = np.array([name in page.labels for _, page in kept])
    scores = np.array([detections.page_scores()[name] for detections, _ in kept], dtype=np.float64)
    precision, share = at_recall(scores, positives)
    box_scores, hits = _box_hits(name, kept, ignored)
    num_boxes = sum(page.labels.count(name) for _, page in kept)
    return {
        "pages": float(len(kept)),
        "positive": float(positives.sum()),
        "page_ap": average_precision(scores, positives, int(positives.sum())),
        "precision_at_95": precision,
        "kept_at_95": share,
        "ap50": average_precision(box_scores, hits, num_boxes),
    }


def _box_hits(name: str, pages: Sequence[tuple[Detections, PageLabels]], ignored: str | None) -> tuple[Floats, Flags]:
    """Scores of all boxes of a class that count, page after page, and whether each finds an object not found before."""
    scores: list[float] = []
    hits: list[bool] = []
    for detections, page in pages:
        members = np.flatnonzero(detections.labels == detections.classes.index(name))
        objects = _boxes_of(page, name)
        overlaps = iou(detections.boxes[members], objects)
        harmless = iou(detections.boxes[members], _boxes_of(page, ignored)).max(1, initial=0) >= LEAST_OVERLAP
        is_free = np.ones(len(objects), dtype=bool)
        for row, member in enumerate(members):  # best score first
            best = int(overlaps[row].argmax()) if len(objects) else -1
            is_hit = best >= 0 and bool(overlaps[row, best] >= LEAST_OVERLAP and is_free[best])
            if is_hit:
                is_free[best] = False
            if is_hit or not harmless[row]:
                scores.append(float(detections.scores[member]))
                hits.append(is_hit)
    return np.array(scores, dtype=np.float64), np.array(hits, dtype=bool)


def _boxes_of(page: PageLabels, name: str | None) -> Boxes:
    return page.boxes.reshape(-1, 4)[[label == name for label in page.labels]]
