"""Measuring a detector on labelled pages."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Protocol

import numpy as np

from farthing.base.errors import DataError
from farthing.documents.detections import Detections, PageLabels
from farthing.documents.judging.metrics import evaluate_pages
from farthing.documents.page import Page
from farthing.documents.training.cache import LabelledPage
from farthing.documents.training.data import read_pages
from farthing.vision.images import read_image

PAGES_AT_A_TIME = 64

_log = logging.getLogger(__name__)


class Finder(Protocol):
    """What can be measured: a `PageDetector`, or anything that answers like one."""

    @property
    def classes(self) -> tuple[str, ...]:
        """What it looks for."""

    @property
    def decode_pixels(self) -> int:
        """The long side in pixels that a page needs at least."""

    def detect(self, pages: list[Page]) -> list[Detections]:
        """What is found on each page."""


class Advance(Protocol):
    """Is told that some more pages were looked at."""

    def __call__(self, num_pages: int, /) -> object:
        """Moves a progress bar on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Evaluation:
    """What a detector is worth on labelled pages.

    Attributes:
        num_pages: looked at.
        unreadable: paths of pages that could not be read; they count with the lowest score.
        classes: the figures of `metrics.evaluate_pages`, per class that the data labels and the detector knows.
    """

    num_pages: int
    unreadable: tuple[str, ...]
    classes: dict[str, dict[str, float]]


def evaluate_detector(detector: Finder, data: Path, *, advance: Advance | None = None) -> Evaluation:
    """Runs `detector` over labelled pages and measures the ranking of pages and the boxes.

    Args:
        detector: what to measure.
        data: a folder or file with annotations.
        advance: is told of progress.

    Raises:
        DataError: the data cannot be read, or has none of the detector's classes.
    """
    return evaluate_on(detector, read_pages([data], detector.classes), advance=advance)


def evaluate_on(detector: Finder, labelled: Sequence[LabelledPage], *, advance: Advance | None = None) -> Evaluation:
    """`evaluate_detector` on pages that have been read."""
    found: list[Detections] = []
    unreadable: list[str] = []
    for part in _parts(labelled):
        pages = [_load(page, detector.decode_pixels) for page in part]
        detections = iter(detector.detect([page for page in pages if page is not None]))
        for page, source in zip(pages, part, strict=True):
            found.append(_nothing(detector.classes) if page is None else next(detections))
            if page is None:
                unreadable.append(source.labels.page)
        if advance is not None:
            advance(len(part))
    return Evaluation(
        num_pages=len(labelled),
        unreadable=tuple(unreadable),
        classes=evaluate_pages(found, [page.labels for page in labelled]),
    )


def load_pages(labelled: Iterable[LabelledPage], max_side: int, *, at_most: int) -> list[Page]:
    """The first pages that can be read, decoded."""
    loaded = (_load(page, max_side) for page in labelled)
    return list(islice((page for page in loaded if page is not None), at_most))


def _parts(pages: Iterable[LabelledPage]) -> Iterator[list[LabelledPage]]:
    rest = iter(pages)
    while part := list(islice(rest, PAGES_AT_A_TIME)):
        yield part


def _load(source: LabelledPage, max_side: int) -> Page | None:
    """The page, its size as the annotations tell it, so that boxes compare; None if it cannot be read."""
    labels: PageLabels = source.labels
    try:
        pixels = read_image(source.path, max_side=max_side).pixels
    except DataError as error:
        _log.warning("counts as a page without objects: %s", error)
        return None
    return Page(id=labels.page, document="", pixels=pixels, width=labels.width, height=labels.height)


def _nothing(classes: tuple[str, ...]) -> Detections:
    empty = np.zeros(0, np.float32)
    return Detections(boxes=empty.reshape(0, 4), scores=empty, labels=np.zeros(0, np.int64), classes=classes)
