"""COCO: one JSON file with images, categories, and boxes as (x, y, width, height)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np

from farthing.base.errors import DataError
from farthing.base.files import write_json
from farthing.documents.formats.annotations import Annotations
from farthing.documents.formats.records import PageRecord, Parsed, Warnings
from farthing.vision.boxes import to_xywh

FILE_NAME = "annotations.json"


_Side = Annotated[int, msgspec.Meta(ge=1)]


class _Image(msgspec.Struct, frozen=True):
    id: int | str
    file_name: str
    width: _Side
    height: _Side


class _Category(msgspec.Struct, frozen=True):
    id: int | str
    name: str


class _Annotation(msgspec.Struct, frozen=True):
    image_id: int | str
    category_id: int | str
    bbox: tuple[float, float, float, float]


class _File(msgspec.Struct, frozen=True):
    images: list[_Image]
    categories: list[_Category]
    annotations: list[_Annotation] = []


def read(path: Path, images: Path, warnings: Warnings) -> Parsed:
    """The pages of a COCO file.

    Raises:
        DataError: not JSON, or not what COCO prescribes; the message names the place.
    """
    del images
    try:
        file = msgspec.json.decode(path.read_bytes(), type=_File)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(f"{path}: is not a COCO file ({error})") from error
    records = {
        image.id: PageRecord(page=image.file_name, width=image.width, height=image.height) for image in file.images
    }
    names = {category.id: category.name for category in file.categories}
    for annotation in file.annotations:
        record, name = records.get(annotation.image_id), names.get(annotation.category_id)
        if record is None:
            warnings.add("boxes are left out: no image has their image_id", f"image_id {annotation.image_id}")
        elif name is None:
            warnings.add("boxes are left out: no category has their category_id", record.page)
        else:
            x, y, width, height = annotation.bbox
            record.objects.append((name, (x, y, x + width, y + height)))
    return Parsed(pages=list(records.values()), classes=tuple(names.values()))


def write(annotations: Annotations, out: Path) -> None:
    """Writes `out`/annotations.json."""
    categories = {name: number for number, name in enumerate(annotations.classes, start=1)}
    boxes = [
        (image, name, box)
        for image, page in enumerate(annotations.pages, start=1)
        for name, box in zip(page.labels, to_xywh(page.boxes.astype(np.float64)).tolist(), strict=True)
    ]
    content = {
        "info": {"description": "written by farthing"},
        "images": [
            {"id": number, "file_name": page.page, "width": page.width, "height": page.height}
            for number, page in enumerate(annotations.pages, start=1)
        ],
        "categories": [{"id": number, "name": name} for name, number in categories.items()],
        "annotations": [
            {
                "id": number,
                "image_id": image,
                "category_id": categories[name],
                "bbox": [round(value, 2) for value in box],
                "area": round(box[2] * box[3], 2),
                "iscrowd": 0,
            }
            for number, (image, name, box) in enumerate(boxes, start=1)
        ],
    }
    write_json(out / FILE_NAME, content)
