"""From what a detector found on a page to what is recorded of it: pure functions."""

from __future__ import annotations

from collections.abc import Sequence

from farthing.documents.detections import Detections
from farthing.documents.page import Page
from farthing.results.rows import BoxRow, PageRow

_DECIMALS = 6  # of scores: what stands in pages.csv is what the threshold is compared with
_TENTH = 1  # decimals of box corners in page pixels


def judge_page(
    page: Page, detections: Detections, *, contains: Sequence[str], threshold: float
) -> tuple[PageRow, list[BoxRow]]:
    """The row of a page that could be read, and its boxes, best first.

    A class scores as high as its best box, the page as high as its best wanted class, and it is kept from `threshold`.

    Args:
        page: the page.
        detections: what was found on it.
        contains: the wanted classes; others leave no trace.
        threshold: smallest score of a kept page, in [0, 1].
    """
    scores = detections.page_scores()
    wanted = {name: round(scores[name], _DECIMALS) for name in contains}
    score = max(wanted.values())
    row = PageRow(
        page=page.id,
        document=page.document,
        width=page.width,
        height=page.height,
        score=score,
        scores=wanted,
        keep=score >= threshold,
    )
    return row, _box_rows(detections, frozenset(contains))


def _box_rows(detections: Detections, contains: frozenset[str]) -> list[BoxRow]:
    rows = []
    for corners, score, label in zip(detections.boxes, detections.scores, detections.labels, strict=True):
        name = detections.classes[label]
        if name in contains:
            x0, y0, x1, y1 = (round(float(corner), _TENTH) for corner in corners)
            rows.append(BoxRow(label=name, x0=x0, y0=y0, x1=x1, y1=y1, score=round(float(score), _DECIMALS)))
    return rows
