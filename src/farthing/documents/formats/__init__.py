"""Annotations in and out: the formats that other programs speak, recognised by content."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from farthing.base.errors import ConfigError, DataError
from farthing.documents.collection.iiif import Canvas
from farthing.documents.detections import PageLabels
from farthing.documents.formats import alto, coco, csvfile, iiifpages, labelstudio, pagexml, xmlfiles, yolo
from farthing.documents.formats.annotations import Annotations, checked, in_order
from farthing.documents.formats.locate import find_page
from farthing.documents.formats.names import class_name
from farthing.documents.formats.records import Parsed, Warnings

__all__ = ["WRITERS", "Annotations", "read_annotations", "write_annotations"]

_Reader: TypeAlias = Callable[[Path, Path, Warnings], Parsed]

WRITERS: Mapping[str, Callable[[Annotations, Path], None]] = {
    "coco": coco.write,
    "page": pagexml.write,
    "alto": alto.write,
    "yolo": yolo.write,
    "labelstudio": labelstudio.write,
    "iiif": iiifpages.write,
    "csv": csvfile.write,
}
# Files that say by their name what a folder holds.
_MARKS: Mapping[str, _Reader] = {
    coco.FILE_NAME: coco.read,
    labelstudio.FILE_NAME: labelstudio.read,
    csvfile.FILE_NAME: csvfile.read,
}
_YOLO_MARKS = (*yolo.CONFIG_NAMES, yolo.CLASSES_NAME, "labels")


def read_annotations(
    path: Path | str, classes: Sequence[str] | None = None, *, images: Path | str | None = None
) -> Annotations:
    """The labelled pages that `path` describes: COCO, PAGE, ALTO, YOLO, Label Studio or CSV.

    What cannot be used is left out and counted in the warnings: pages without an image, pages that are described twice,
    boxes of other classes, boxes outside their page.

    Args:
        path: a file, or a folder that holds one file of tasks, or a file per page.
        classes: the names to keep; None keeps every name, after those of other programs became ours.
        images: the folder that page names are relative to; None takes that of the annotations.

    Raises:
        DataError: nothing is there, no format is recognised, a file is damaged, or no page that it names exists.
    """
    path = Path(path)
    read, source = _recognise(path)
    folder = Path(images) if images is not None else path if path.is_dir() else path.parent
    warnings = Warnings()
    parsed = read(source, folder, warnings)
    pages: dict[str, PageLabels] = {}
    for record in parsed.pages:
        page = find_page(folder, record.page, warnings)
        if page in pages:
            warnings.add("pages are described twice; the first counts", page)
        elif page is not None:
            pages[page] = checked(record, page, classes=classes, warnings=warnings)
    if not pages:
        reasons = "; ".join(warnings.messages()) or "it describes no pages"
        raise DataError(f"{path}: no page can be used in {folder}: {reasons}. Say with `images` where the pages are")
    declared = {name for written in parsed.classes if (name := class_name(written))}
    known = (
        tuple(classes) if classes is not None else in_order(declared.union(*(page.labels for page in pages.values())))
    )
    return Annotations(pages=tuple(pages.values()), classes=known, warnings=warnings.messages())


def write_annotations(
    annotations: Annotations, out: Path | str, format: str, *, canvases: Mapping[str, Canvas] | None = None
) -> None:
    """Writes annotations into the folder `out`.

    Args:
        annotations: the pages.
        out: the folder; made where it is missing, other files in it stay.
        format: one of `WRITERS`.
        canvases: for IIIF: what the annotations of each page refer to (see `collection.pages.canvases`).

    Raises:
        ConfigError: an unknown format.
        DataError: the folder cannot be written, or the name of a page leads out of it.
    """
    if format not in WRITERS:
        raise ConfigError(f"format must be one of {', '.join(WRITERS)}, got {format!r}")
    if format == "iiif":
        iiifpages.write(annotations, Path(out), canvases)
    else:
        WRITERS[format](annotations, Path(out))


def _recognise(path: Path) -> tuple[_Reader, Path]:
    """What reads `path`, and which path it is to read."""
    if path.is_dir():
        return _recognise_folder(path)
    if not path.is_file():
        raise DataError(f"{path}: no such file or folder of annotations")
    suffix = path.suffix.lower()
    if suffix == ".json":
        with path.open("rb") as stream:
            is_list = stream.read(64).lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"[")
        return (labelstudio.read if is_list else coco.read), path
    if suffix == ".xml":
        return xmlfiles.read, path
    if suffix == ".csv":
        return csvfile.read, path
    if suffix in {".yaml", ".yml", ".txt"}:
        return yolo.read, path.parent
    raise DataError(f"{path}: annotations are .json (COCO, Label Studio), .xml (PAGE, ALTO), .csv, or .yaml (YOLO)")


def _recognise_folder(folder: Path) -> tuple[_Reader, Path]:
    for name, read in _MARKS.items():
        if (folder / name).is_file():
            return read, folder / name
    if any((folder / name).exists() for name in _YOLO_MARKS):
        return yolo.read, folder
    if next(folder.rglob("*.xml"), None) is not None:
        return xmlfiles.read, folder
    files = sorted(folder.glob("*.json"))
    if len(files) == 1:
        return _recognise(files[0])
    raise DataError(
        f"{folder}: holds no annotations that are recognised ({', '.join(_MARKS)}, {yolo.CONFIG_NAMES[0]}, or PAGE or "
        "ALTO files); give the file itself"
    )
