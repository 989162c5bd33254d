"""A detector that needs no training, and a small collection for it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from farthing.documents.detections import Detections
from farthing.documents.page import Page
from farthing.results.rows import BoxRow, PageRow
from farthing.results.store import Store

CLASSES = ("illustration", "drop_capital", "stamp")


class ColorDetector:
    """Takes red for an illustration and blue for a stamp; the share of the page that it covers decides the score.

    Attributes:
        batches: how many pages each call got.
    """

    classes = CLASSES
    model_id = "colors-1"
    decode_pixels = 96

    def __init__(self) -> None:
        self.batches: list[int] = []

    def detect(self, pages: Sequence[Page]) -> list[Detections]:
        self.batches.append(len(pages))
        return [self._detect(page) for page in pages]

    def _detect(self, page: Page) -> Detections:
        red, _, blue = np.moveaxis(page.pixels.astype(int), 2, 0)
        found = []
        for label, mask in ((0, red - blue > 90), (2, blue - red > 90)):
            if not mask.any():
                continue
            rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
            across, down = page.width / mask.shape[1], page.height / mask.shape[0]
            corners = (columns[0] * across, rows[0] * down, (columns[-1] + 1) * across, (rows[-1] + 1) * down)
            found.append((min(0.99, float(mask.mean()) * 4), label, corners))
        found.sort(reverse=True)
        return Detections(
            boxes=np.array([corners for *_, corners in found], np.float32).reshape(-1, 4),
            scores=np.array([score for score, *_ in found], np.float32),
            labels=np.array([label for _, label, _ in found], np.int64),
            classes=self.classes,
        )


def draw_page(red: float, blue: float = 0.0, *, width: int = 120, height: int = 160) -> Image.Image:
    """A white page with a red and a blue rectangle as wide as these shares of it and a fifth as high."""
    image = Image.new("RGB", (width, height), "white")
    if red:
        image.paste((230, 20, 20), (8, 16, 8 + int(red * width), 16 + height // 5))
    if blue:
        image.paste((20, 20, 230), (8, 100, 8 + int(blue * width), 100 + height // 5))
    return image


def write_collection(folder: Path, *, num_pages: int = 24) -> Path:
    """Pages in three folders, red ones and blue ones among them, with an empty and a damaged file."""
    rng = np.random.default_rng(3)
    for number in range(num_pages):
        path = folder / f"book{number % 3}" / f"{number:04}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        red = float(rng.uniform(0.1, 0.9)) if number % 2 else 0.0
        blue = float(rng.uniform(0.1, 0.9)) if number % 5 == 0 else 0.0
        draw_page(red, blue).save(path)
    (folder / "book1" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 and no more")
    (folder / "book2" / "empty.png").touch()
    return folder


def make_store(path: Path, rows: Sequence[PageRow], *, collection: Path, **facts: object) -> Store:
    """A store of pages that nobody filtered, each with one box of its score."""
    known = {"contains": ["illustration"], "group": None, "model": "none", "crop_pixels": None, "max_pixels": 10**7}
    store = Store.create(path, **{**known, "threshold": 0.5, "collection": str(collection), **facts})
    store.add_pages((row, [box_of(row)] if row.score else []) for row in rows)
    return store


def box_of(row: PageRow) -> BoxRow:
    return BoxRow(label="illustration", x0=10, y0=20, x1=60, y1=80, score=row.score)


def page_row(page: str, score: float, *, threshold: float = 0.5) -> PageRow:
    return PageRow(
        page=page,
        document=page.rpartition("/")[0] or ".",
        width=120,
        height=160,
        score=score,
        scores={"illustration": score},
        keep=score >= threshold,
    )
