"""What a detector found on one page, and what a person or a file says is there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from farthing.vision.boxes import Boxes, Scores


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class Detections:
    """Found objects, best first.

    Attributes:
        boxes: f32 [n, 4] (x0, y0, x1, y1) in page pixels, inside the page.
        scores: f32 [n] in (0, 1), falling.
        labels: i64 [n] positions in `classes`.
        classes: the names that the detector knows.
    """

    boxes: Boxes
    scores: Scores
    labels: npt.NDArray[np.int64]
    classes: tuple[str, ...]

    def page_scores(self) -> dict[str, float]:
        """Per class, how sure it is that the page shows one: its best score, 0 where nothing was found."""
        return {
            name: float(self.scores[self.labels == label].max(initial=0)) for label, name in enumerate(self.classes)
        }


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class PageLabels:
    """The true objects of one page.

    Attributes:
        page: path of the image, relative to the collection.
        width: of the page, in page pixels.
        height: of the page, in page pixels.
        boxes: f32 [n, 4] (x0, y0, x1, y1) in page pixels.
        labels: n class names.
    """

    page: str
    width: int
    height: int
    boxes: Boxes
    labels: tuple[str, ...]
