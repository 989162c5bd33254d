"""Label Studio: one JSON file of tasks, boxes as percentages of the page.

Source: https://labelstud.io/guide/task_format and https://labelstud.io/tags/rectanglelabels
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.etree.ElementTree import Element, SubElement

import msgspec

from farthing.base.errors import DataError
from farthing.base.files import write_json
from farthing.documents.collection.paths import inside
from farthing.documents.detections import PageLabels
from farthing.documents.formats.annotations import Annotations
from farthing.documents.formats.layout import write_tree
from farthing.documents.formats.locate import is_page
from farthing.documents.formats.records import Corners, PageRecord, Parsed, Warnings, bounds
from farthing.vision.images import image_size

FILE_NAME = "tasks.json"
CONFIG_NAME = "labeling.xml"

_Point: TypeAlias = tuple[float, float]
_UPLOAD_PREFIX = re.compile(r"^[0-9a-f]{8}-(?=.)")  # put before the name of each file that is uploaded


class _Value(msgspec.Struct, frozen=True):
    x: float | None = None
    y: float | None = None
    width: float | None = None
    height: float | None = None
    rotation: float = 0.0
    points: list[_Point] = []
    rectanglelabels: list[str] = []
    polygonlabels: list[str] = []


class _Result(msgspec.Struct, frozen=True):
    value: _Value = _Value()
    original_width: int = 0
    original_height: int = 0


class _Annotation(msgspec.Struct, frozen=True):
    result: list[_Result] = []
    was_cancelled: bool = False


class _Task(msgspec.Struct, frozen=True):
    data: dict[str, msgspec.Raw]
    annotations: list[_Annotation] = []


def read(path: Path, images: Path, warnings: Warnings) -> Parsed:
    """The pages of an export in the format JSON; of several annotations of a task the last that was not cancelled.

    Raises:
        DataError: not JSON, or not what Label Studio writes; the message names the place.
    """
    try:
        tasks = msgspec.json.decode(path.read_bytes(), type=list[_Task])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(f"{path}: is not a Label Studio export ({error}); export it as JSON") from error
    pages = []
    for task in tasks:
        done = [annotation for annotation in task.annotations if not annotation.was_cancelled]
        if not done:
            warnings.add("tasks are left out: nobody annotated them", _image_name(task))
            continue
        name = _image_name(task)
        size = _size(task, done[-1], images, name)
        if size is None:
            warnings.add("pages are left out: neither the task nor an image tells their size", name)
            continue
        pages.append(PageRecord(name, *size, list(_objects(done[-1], size))))
    return Parsed(pages=pages)


def _image_name(task: _Task) -> str:
    """The path of the image: of a local file, an upload, or an address."""
    texts = {key: _text(value) for key, value in task.data.items()}
    address = texts.get("image") or texts.get("ocr") or next((text for text in texts.values() if text), "")
    parts = urlsplit(address)
    local = parse_qs(parts.query).get("d")
    if local:
        return local[0].lstrip("/")
    path = unquote(parts.path).lstrip("/")
    return _UPLOAD_PREFIX.sub("", path.rpartition("/")[2]) if path.startswith("data/upload/") else path


def _text(value: msgspec.Raw) -> str:
    decoded = msgspec.json.decode(value)
    return decoded if isinstance(decoded, str) else ""


def _size(task: _Task, annotation: _Annotation, images: Path, name: str) -> tuple[int, int] | None:
    """(width, height) of the page: as Label Studio saw it, as the task says, or as its image is."""
    for result in annotation.result:
        if min(result.original_width, result.original_height) > 0:
            return result.original_width, result.original_height
    told = [msgspec.json.decode(task.data.get(key, b"null")) for key in ("width", "height")]
    if all(isinstance(side, int) and side > 0 for side in told):
        return told[0], told[1]
    try:
        return image_size(inside(images, name)) if is_page(images, name) else None
    except DataError:
        return None


def _objects(annotation: _Annotation, size: tuple[int, int]) -> Iterator[tuple[str, Corners]]:
    """(class name, corners in pixels) of each rectangle and polygon; what else there is does not matter here."""
    for result in annotation.result:
        value = result.value
        names = value.rectanglelabels or value.polygonlabels
        if not names:
            continue
        outline = [(x / 100 * size[0], y / 100 * size[1]) for x, y in value.points] or _rectangle(value, size)
        if outline:
            yield names[0], bounds(outline)


def _rectangle(value: _Value, size: tuple[int, int]) -> list[_Point]:
    """The corners of a rectangle in pixels, turned about its upper left one; none where it is not complete."""
    x, y, width, height = value.x, value.y, value.width, value.height
    if x is None or y is None or width is None or height is None:
        return []
    left, top, across, down = x / 100 * size[0], y / 100 * size[1], width / 100 * size[0], height / 100 * size[1]
    cos, sin = math.cos(math.radians(value.rotation)), math.sin(math.radians(value.rotation))
    corners = ((0.0, 0.0), (across, 0.0), (0.0, down), (across, down))
    return [(left + dx * cos - dy * sin, top + dx * sin + dy * cos) for dx, dy in corners]


def write(annotations: Annotations, out: Path) -> None:
    """Writes `out`/tasks.json, to be imported with the images as local files, and `out`/labeling.xml, the interface."""
    write_json(out / FILE_NAME, [_task(page) for page in annotations.pages])
    view = Element("View")
    SubElement(view, "Image", {"name": "image", "value": "$image"})
    labels = SubElement(view, "RectangleLabels", {"name": "label", "toName": "image"})
    for name in annotations.classes:
        SubElement(labels, "Label", {"value": name})
    write_tree(out / CONFIG_NAME, view)


def _task(page: PageLabels) -> dict[str, object]:
    address = f"/data/local-files/?d={quote(page.page)}"
    results = [
        {
            "type": "rectanglelabels",
            "from_name": "label",
            "to_name": "image",
            "original_width": page.width,
            "original_height": page.height,
            "value": {
                "x": box[0] / page.width * 100,
                "y": box[1] / page.height * 100,
                "width": (box[2] - box[0]) / page.width * 100,
                "height": (box[3] - box[1]) / page.height * 100,
                "rotation": 0,
                "rectanglelabels": [name],
            },
        }
        for name, box in zip(page.labels, page.boxes.tolist(), strict=True)
    ]
    return {
        "data": {"image": address, "width": page.width, "height": page.height},
        "annotations": [{"result": results}],
    }
