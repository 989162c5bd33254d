"""Annotations in and out: the formats that other programs speak, recognised by content."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from farthing.base.errors import ConfigError, DataError
from farthing.documents.formats import coco
from farthing.documents.formats.annotations import Annotations, checked, in_order
from farthing.documents.formats.names import class_name
from farthing.documents.formats.records import Warnings
from farthing.documents.paths import inside

__all__ = ["WRITERS", "Annotations", "read_annotations", "write_annotations"]

WRITERS = {"coco": coco.write}


def read_annotations(
    path: Path | str, classes: Sequence[str] | None = None, *, images: Path | str | None = None
) -> Annotations:
    """The labelled pages that `path` describes.

    Args:
        path: a file, or a folder that holds one.
        classes: the names to keep, boxes of others are left out and counted; None keeps every name.
        images: the folder that page names are relative to; None takes that of the annotations.

    Raises:
        DataError: nothing readable is there, or no page it names exists.
    """
    path = Path(path)
    file = path / coco.FILE_NAME if path.is_dir() else path
    if not file.is_file():
        raise DataError(f"{path}: no such annotation file")
    root = Path(images) if images is not None else file.parent
    warnings = Warnings()
    parsed = coco.read(file, warnings)
    pages = []
    for record in parsed.pages:
        found = _find(root, record.page, warnings)
        if found is not None:
            pages.append(checked(record, found, classes=classes, warnings=warnings))
    names = {name for written in parsed.classes if (name := class_name(written))}
    known = tuple(classes) if classes is not None else in_order(names.union(*(page.labels for page in pages)))
    return Annotations(pages=tuple(pages), classes=known, warnings=warnings.messages())


def write_annotations(annotations: Annotations, out: Path | str, format: str) -> None:
    """Writes annotations into the folder `out` in one of the formats of `WRITERS`.

    Raises:
        ConfigError: an unknown format.
    """
    if format not in WRITERS:
        raise ConfigError(f"format must be one of {', '.join(WRITERS)}, got {format!r}")
    WRITERS[format](annotations, Path(out))


def _find(root: Path, name: str, warnings: Warnings) -> str | None:
    try:
        if inside(root, name).is_file():
            return name
    except DataError:
        warnings.add("pages are left out: their names lead out of the folder of the images", name)
        return None
    warnings.add("pages are left out: there is no such image", name)
    return None
