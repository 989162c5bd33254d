"""Folders of small page images, and annotations of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from PIL import Image

from farthing.documents.classes import CLASSES
from farthing.documents.detections import PageLabels
from farthing.documents.formats import Annotations
from farthing.documents.formats.annotations import in_order

NAMES = ("a.jpg", "images/b.png", "deep/er/c d.tif", "deep/\u00fcber#1.jpg")


def make_pages(folder: Path, sizes: dict[str, tuple[int, int]]) -> None:
    """Writes blank images of these sizes."""
    for name, size in sizes.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("1", size).save(folder / name, "PNG")


def labels(page: str, size: tuple[int, int], *objects: tuple[str, tuple[float, float, float, float]]) -> PageLabels:
    """A labelled page."""
    boxes = np.array([box for _, box in objects], np.float32).reshape(-1, 4)
    return PageLabels(page=page, width=size[0], height=size[1], boxes=boxes, labels=tuple(name for name, _ in objects))


@st.composite
def labelled_pages(draw: st.DrawFn) -> Annotations:
    """Pages of any size with boxes of at least a pixel anywhere on them, in our classes and another."""
    pages = []
    for name in draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True)):
        width, height = draw(st.integers(1, 3000)), draw(st.integers(1, 3000))
        objects = []
        for _ in range(draw(st.integers(0, 4))):
            x0, y0 = draw(st.floats(0, width - 1, width=32)), draw(st.floats(0, height - 1, width=32))
            x1, y1 = draw(st.floats(x0 + 1, width)), draw(st.floats(y0 + 1, height))
            objects.append((draw(st.sampled_from((*CLASSES, "fore-edge"))), (x0, y0, x1, y1)))
        pages.append(labels(name, (width, height), *objects))
    return Annotations(pages=tuple(pages), classes=in_order(name for page in pages for name in page.labels))
