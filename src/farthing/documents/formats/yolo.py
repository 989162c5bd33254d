"""YOLO: a text file per page with class number and box, as fractions of a page whose size only its image tells.

Source: https://docs.ultralytics.com/datasets/detect/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from farthing.base.errors import DataError
from farthing.base.files import write_bytes
from farthing.documents.collection.pages import open_collection
from farthing.documents.collection.paths import inside
from farthing.documents.detections import PageLabels
from farthing.documents.formats.annotations import Annotations
from farthing.documents.formats.layout import beside
from farthing.documents.formats.locate import ABSENT, find_image
from farthing.documents.formats.records import Corners, PageRecord, Parsed, Warnings, bounds
from farthing.vision.images import image_size

CONFIG_NAMES = ("data.yaml", "dataset.yaml", "data.yml")
CLASSES_NAME = "classes.txt"

_ENTRY = re.compile(r"""^\s*(?:-|\d+\s*:)\s*(?:"(.*)"|'(.*)'|(.*?))\s*(?:\#.*)?$""")


def read(path: Path, images: Path, warnings: Warnings) -> Parsed:
    """The pages that the text files below the folder `path` describe.

    Raises:
        DataError: no list of class names, a line that is not understood, or an image whose size cannot be read.
    """
    classes = _class_names(path)
    labels = path / "labels" if (path / "labels").is_dir() else path
    pages = []
    for file in sorted(labels.rglob("*.txt")):
        if file.name == CLASSES_NAME:
            continue
        label = file.relative_to(labels).as_posix().removesuffix(".txt")
        page = find_image(images, label)
        if page is None:
            warnings.add(ABSENT, label)
            continue
        width, height = _size(images, page)
        pages.append(PageRecord(page, width, height, list(_objects(file, classes, (width, height)))))
    return Parsed(pages=pages, classes=classes)


def _size(images: Path, page: str) -> tuple[int, int]:
    """(width, height): from the header of an image, by drawing a page of a file with several."""
    if "#" in page:
        drawn = open_collection(images).source(page).load(1)
        return drawn.width, drawn.height
    return image_size(inside(images, page))


def _objects(file: Path, classes: tuple[str, ...], size: tuple[int, int]) -> Iterator[tuple[str, Corners]]:
    """(class name, corners in pixels) of each line: a box, or the outline of a segment."""
    width, height = size
    names = {float(position): name for position, name in enumerate(classes)}
    for number, line in enumerate(file.read_text(encoding="utf-8", errors="replace").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            label, *values = (float(word) for word in line.split())
            name = names[label]
        except (ValueError, KeyError) as error:
            raise DataError(f"{file}:{number}: must be a class number below {len(classes)} and a box") from error
        if len(values) in {4, 5}:  # the fifth is a score
            x, y, w, h = values[:4]
            corners = (x - w / 2, y - h / 2, x + w / 2, y + h / 2)
        elif len(values) >= 6 and len(values) % 2 == 0:
            corners = bounds(list(zip(values[::2], values[1::2], strict=True)))
        else:
            raise DataError(f"{file}:{number}: must hold four numbers after the class, or the points of an outline")
        yield name, (corners[0] * width, corners[1] * height, corners[2] * width, corners[3] * height)


def _class_names(folder: Path) -> tuple[str, ...]:
    """The names in data.yaml, or in classes.txt one a line."""
    for name in CONFIG_NAMES:
        if (folder / name).is_file():
            return _yaml_names(folder / name)
    for file in (folder / CLASSES_NAME, folder / "labels" / CLASSES_NAME):
        if file.is_file():
            return tuple(file.read_text(encoding="utf-8", errors="replace").splitlines())
    raise DataError(f"{folder}: the names of the YOLO classes are missing; add data.yaml or classes.txt")


def _yaml_names(file: Path) -> tuple[str, ...]:
    """The value of `names:`, in the three ways in which it is written; the rest of the YAML does not matter."""
    lines = iter(file.read_text(encoding="utf-8", errors="replace").splitlines())
    for line in lines:
        key, colon, value = line.partition(":")
        if key != "names" or not colon:
            continue
        if inline := re.fullmatch(r"\s*[\[{](.*)[\]}]\s*(?:#.*)?", value):
            entries = [re.sub(r"^\s*\d+\s*:", "", entry) for entry in inline[1].split(",")]
            return tuple(entry.strip().strip("'\"") for entry in entries if entry.strip())
        names = []
        for entry in lines:
            match = _ENTRY.match(entry)
            if match is None:
                break
            names.append(next((group for group in match.groups() if group is not None), ""))
        if names:
            return tuple(names)
    raise DataError(f"{file}: has no list of class names; write names: [one, two]")


def write(annotations: Annotations, out: Path) -> None:
    """Writes `out`/data.yaml and a file per page below `out`/labels; the images stay where they are.

    Raises:
        DataError: two pages would share one file.
    """
    names = "".join(f'\n  {number}: "{name}"' for number, name in enumerate(annotations.classes)) or " []"
    write_bytes(out / CONFIG_NAMES[0], f"path: .\ntrain: images\nval: images\nnames:{names}\n".encode())
    numbers = {name: number for number, name in enumerate(annotations.classes)}
    written: set[Path] = set()
    for page in annotations.pages:
        path = inside(out / "labels", beside(page.page.removeprefix("images/"), ".txt"))
        if path in written:
            raise DataError(f"{path}: would describe two pages, {page.page} and another; rename one of them")
        written.add(path)
        lines = (_line(numbers[name], box, page) for name, box in zip(page.labels, page.boxes.tolist(), strict=True))
        write_bytes(path, "".join(lines).encode())


def _line(number: int, box: list[float], page: PageLabels) -> str:
    """Class, centre and size; six decimals keep a hundredth of a pixel of any page."""
    x0, y0, x1, y1 = box
    fractions = ((x0 + x1) / 2 / page.width, (y0 + y1) / 2 / page.height)
    sizes = ((x1 - x0) / page.width, (y1 - y0) / page.height)
    return f"{number} {' '.join(f'{value:.6f}' for value in (*fractions, *sizes))}\n"
