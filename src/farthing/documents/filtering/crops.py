"""Every object of the kept pages as a picture of its own, with a table of where each came from."""

from __future__ import annotations

import csv
import hashlib
import math
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import msgspec
from PIL import Image

from farthing.base.errors import DataError
from farthing.base.files import atomic_path
from farthing.documents.collection.pages import Collection
from farthing.documents.filtering.ahead import work_ahead
from farthing.documents.filtering.progress import PageProgress
from farthing.documents.page import Page
from farthing.results.rows import BoxRow, PageQuery, PageRow
from farthing.results.store import Store

CROPS_FOLDER = "crops"
CROPS_FILE = "crops.csv"
_UNFINISHED = ".crops.part"
_QUALITY = 92
_PAGES_AHEAD = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class CropCount:
    """What was cut out.

    Attributes:
        crops: pictures.
        failed_pages: kept pages that could not be read again.
    """

    crops: int
    failed_pages: int


def write_crops(
    store: Store, collection: Collection, folder: Path, *, max_side: int, workers: int, progress: PageProgress
) -> CropCount:
    """Cuts out every object of the kept pages that scores from the threshold or was drawn.

    A picture is named after its page and place: one that is there from before is not made again, and one that is no
    longer wanted goes. `crops.csv` has the columns file, page, bbox ([x, y, width, height] in page pixels), class and
    score (empty for a drawn box).

    Args:
        store: what was found.
        collection: the pages.
        folder: gets `crops/CLASS/*.jpg` and `crops.csv`.
        max_side: long side of a picture at most, px.
        workers: threads that decode pages.
        progress: told about every page.

    Raises:
        DataError: the folder cannot be written.
    """
    kept = PageQuery(keep=True, is_readable=True)
    cutter = _Cutter(store, collection, folder, max_side, float(store.meta()["threshold"]))
    num_crops = num_failed = 0
    progress.start("crops", total=store.count(kept))
    with atomic_path(folder / CROPS_FILE) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        (folder / _UNFINISHED).mkdir(parents=True, exist_ok=True)
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["file", "page", "bbox", "class", "score"])
        for row, boxes in work_ahead(cutter.cut, store.pages(kept), workers=workers, ahead=_PAGES_AHEAD):
            for box in boxes or []:
                score = "" if box.score is None else f"{box.score:.6f}"
                name = f"{CROPS_FOLDER}/{_name(row.page, box)}"
                writer.writerow([name, row.page, msgspec.json.encode(_xywh(box)).decode(), box.label, score])
            num_crops, num_failed = num_crops + len(boxes or []), num_failed + (boxes is None)
            progress.advance(failed=int(boxes is None))
        shutil.rmtree(folder / CROPS_FOLDER, ignore_errors=True)
        (folder / _UNFINISHED).rename(folder / CROPS_FOLDER)
    return CropCount(crops=num_crops, failed_pages=num_failed)


@dataclass(frozen=True, slots=True)
class _Cutter:
    """Cuts single pages; a picture that an earlier run left is moved to the new folder instead of made again."""

    store: Store
    collection: Collection
    folder: Path
    max_side: int
    threshold: float

    def cut(self, row: PageRow) -> list[BoxRow] | None:
        """The boxes of which there are pictures now; None if the page cannot be read."""
        boxes = [box for box in self.store.boxes(row.page) if box.counts(self.threshold)]
        missing = [box for box in boxes if not self._take_over(_name(row.page, box))]
        if not missing:
            return boxes
        scale = max(min(1.0, self.max_side / max(box.x1 - box.x0, box.y1 - box.y0, 1.0)) for box in missing)
        try:
            page = self.collection.source(row.page).load(math.ceil(scale * max(row.width, row.height)))
        except DataError:
            return None
        for box in missing:
            self._write(_picture(page, box, self.max_side), _name(row.page, box))
        return boxes

    def _take_over(self, name: str) -> bool:
        """Whether the picture is in the new folder, where it may have come from the old one just now."""
        path, old = self.folder / _UNFINISHED / name, self.folder / CROPS_FOLDER / name
        path.parent.mkdir(exist_ok=True)
        if not path.exists() and old.exists():
            old.replace(path)
        return path.exists()

    def _write(self, picture: Image.Image, name: str) -> None:
        # No wait for the disk: a picture that a power cut took can be made again.
        path = self.folder / _UNFINISHED / name
        picture.save(path.with_suffix(".part"), "JPEG", quality=_QUALITY)
        path.with_suffix(".part").replace(path)


def _picture(page: Page, box: BoxRow, max_side: int) -> Image.Image:
    """The part of the page inside the box, rounded outwards, at least one pixel."""
    height, width, _ = page.pixels.shape
    across, down = width / page.width, height / page.height
    left, top = min(int(box.x0 * across), width - 1), min(int(box.y0 * down), height - 1)
    right, bottom = max(left + 1, math.ceil(box.x1 * across)), max(top + 1, math.ceil(box.y1 * down))
    picture = Image.fromarray(page.pixels[max(top, 0) : bottom, max(left, 0) : right])
    picture.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    return picture


def _xywh(box: BoxRow) -> list[float]:
    return [round(value, 1) for value in (box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0)]


def _name(page: str, box: BoxRow) -> str:
    """A path of plain characters that tells page and class, and is different for every place."""
    digest = hashlib.blake2b(f"{page}\n{box.label}\n{_xywh(box)}".encode(), digest_size=6).hexdigest()
    return f"{_plain(box.label)}/{_plain(page.rpartition('.')[0] or page)[-80:]}-{digest}.jpg"


def _plain(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text).strip("-") or "page"
