"""COCO annotations from sorted crops: each crop is a box on the page that it was cut from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from PIL import Image

from farthing.base.errors import DataError
from farthing.base.files import write_json
from farthing.discover.outputs import SortedImage
from farthing.results.store import STORE_FILE, Store

FILE_NAME = "annotations.json"

Box = tuple[float, float, float, float]  # x, y, width, height in page pixels
Size = tuple[int, int]  # width, height in pixels


def write_coco(rows: Sequence[SortedImage], path: Path, *, root: Path, pages: Path | None) -> list[str]:
    """Writes images (pages), categories (classes) and annotations (crops); returns what was left out or guessed.

    A page's size comes from the filter that cut the crops, where they lie in its folder, else from the page's image
    in `pages`, else it is the smallest one that holds all its boxes.

    Args:
        rows: images with a class; `extra` holds page and bbox, JSON of (x, y, width, height).
        path: of the file.
        root: the folder of the crops.
        pages: a folder of page images, or None.

    Raises:
        DataError: no row has a page and a bbox, or the folder cannot be written.
    """
    placed = [(row, box) for row in rows if row.extra.get("page") and (box := _box(row.extra.get("bbox", "")))]
    if not placed:
        raise DataError(
            f"{root}: no image has a page and a bbox; give them as columns, as documents filter --crops does"
        )
    boxes_of: dict[str, list[Box]] = {}
    for row, box in placed:
        boxes_of.setdefault(row.extra["page"], []).append(box)
    sizes = _sizes(boxes_of, root, pages)
    guessed = [page for page in boxes_of if page not in sizes]
    sizes |= {page: _extent(boxes_of[page]) for page in guessed}
    write_json(path, _document(placed, sizes))
    counted = {
        "images are left out: they have no page, or no bbox of four numbers": len(rows) - len(placed),
        "pages have the size of what is on them: no filter and no image in --pages tells theirs": len(guessed),
    }
    return [f"{count:,} {text}" for text, count in counted.items() if count]


def _document(placed: Sequence[tuple[SortedImage, Box]], sizes: Mapping[str, Size]) -> dict[str, object]:
    page_ids = {page: number for number, page in enumerate(sorted(sizes), start=1)}
    categories = {name: number for number, name in enumerate(sorted({row.label for row, _ in placed}), start=1)}
    return {
        "info": {"description": "written by farthing"},
        "images": [
            {"id": number, "file_name": page, "width": sizes[page][0], "height": sizes[page][1]}
            for page, number in page_ids.items()
        ],
        "categories": [{"id": number, "name": name} for name, number in categories.items()],
        "annotations": [
            {
                "id": number,
                "image_id": page_ids[row.extra["page"]],
                "category_id": categories[row.label],
                "bbox": list(box),
                "area": round(box[2] * box[3], 2),
                "iscrowd": 0,
            }
            for number, (row, box) in enumerate(placed, start=1)
        ],
    }


def _box(text: str) -> Box | None:
    try:
        box = msgspec.json.decode(text.encode(), type=Box)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return None
    return box if all(map(math.isfinite, box)) and min(box[2:]) > 0 else None


def _sizes(wanted: Mapping[str, object], root: Path, pages: Path | None) -> dict[str, Size]:
    """The size of every page that a filter or an image tells."""
    sizes: dict[str, Size] = {}
    store = next((folder / STORE_FILE for folder in (root, root.parent) if (folder / STORE_FILE).is_file()), None)
    if store is not None:
        with Store.open(store) as opened:
            sizes = {row.page: (row.width, row.height) for row in opened.pages() if row.page in wanted and row.width}
    if pages is not None:
        for page in wanted.keys() - sizes.keys():
            if size := _image_size(pages / page):
                sizes[page] = size
    return sizes


def _image_size(path: Path) -> Size | None:
    """Width and height as the file's header says; nothing is decoded."""
    try:
        with Image.open(path, formats=["JPEG", "PNG", "TIFF", "WEBP"]) as image:
            return image.size
    except (OSError, ValueError):
        return None


def _extent(boxes: Sequence[Box]) -> Size:
    return math.ceil(max(x + width for x, _, width, _ in boxes)), math.ceil(
        max(y + height for _, y, _, height in boxes)
    )
