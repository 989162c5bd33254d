"""Named classes for other programs: one table, folders of images, or COCO boxes on the pages that crops came from."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from farthing.base.errors import ConfigError, DataError
from farthing.discover.coco import FILE_NAME, write_coco
from farthing.discover.gallery.decisions import read_decisions
from farthing.discover.names import UNSORTED_NAME
from farthing.discover.outputs import ASSIGNMENTS_FILE, SortedImage, read_assignments, write_assignments
from farthing.discover.rundata import read_info

UNSORTED_FOLDER = "unlabelled"  # as fit reads it: images without a class


@dataclass(frozen=True, kw_only=True, slots=True)
class Export:
    """What was written.

    Attributes:
        path: where.
        num_images: with a class.
        num_classes: that have an image.
        warnings: what was left out or guessed, one sentence each.
    """

    path: Path
    num_images: int
    num_classes: int
    warnings: tuple[str, ...] = field(default=())


def export_run(run: Path, to: str, out: Path, *, pages: Path | None = None) -> Export:
    """Writes the classes of a run as they are now, with what people decided about them.

    Args:
        run: what fit wrote.
        to: one of `FORMATS`.
        out: csv: the file. folders: a new folder, with one folder per class. coco: the folder of annotations.json.
        pages: coco only: a folder of page images, for their sizes where the crops do not lie in a filter's folder.

    Raises:
        ConfigError: an unknown format.
        FormatError: `run` is not a finished discovery.
        DataError: `out` cannot be written or holds something, images are gone, or (coco) no image has page and bbox.
    """
    if to not in FORMATS:
        raise ConfigError(f"--to must be one of {', '.join(FORMATS)}, got {to!r}")
    rows = named_images(run)
    warnings = FORMATS[to](rows, _Place(root=Path(read_info(run).images), out=out, pages=pages))
    sorted_rows = [row for row in rows if _has_class(row)]
    num_classes = len({row.label for row in sorted_rows})
    return Export(path=out, num_images=len(sorted_rows), num_classes=num_classes, warnings=tuple(warnings))


def named_images(run: Path) -> list[SortedImage]:
    """Every image of a run with the class it is in after all decisions; one that a person moved is certain.

    Raises:
        FormatError: `run` is not a finished discovery, or its decisions are damaged.
    """
    read_info(run)
    decided = read_decisions(run).classes
    return [_decided(row, decided) for row in read_assignments(run / ASSIGNMENTS_FILE)]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Place:
    """Where images come from and where the export goes."""

    root: Path
    out: Path
    pages: Path | None


def _decided(row: SortedImage, decided: Mapping[str, str | None]) -> SortedImage:
    if not row.label or row.image not in decided:
        return row
    label = decided[row.image] or UNSORTED_NAME
    return row if label == row.label else replace(row, label=label, probability=1.0, second_label="")


def _has_class(row: SortedImage) -> bool:
    return row.label not in {"", UNSORTED_NAME}


def _export_csv(rows: Sequence[SortedImage], place: _Place) -> Sequence[str]:
    write_assignments(place.out, rows)
    return ()


def _export_folders(rows: Sequence[SortedImage], place: _Place) -> Sequence[str]:
    """Copies images to OUT/CLASS/, those that form no class to a folder that fit reads as unlabelled."""
    if place.out.exists() and (not place.out.is_dir() or any(place.out.iterdir())):
        raise DataError(f"{place.out}: holds something already; choose a new folder")
    folders = folder_names({row.label for row in rows if _has_class(row)})
    for row in rows:
        source = place.root / row.image
        target = place.out / folders.get(row.label, UNSORTED_FOLDER) / row.image
        if ".." in target.parts[len(place.out.parts) :] or Path(row.image).is_absolute():
            raise DataError(f"{row.image!r}: leads out of the folder of images; such an image is not exported")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
        except OSError as error:
            raise DataError(f"{source}: cannot be copied to {target} ({error.strerror})") from error
    return ()


def _export_coco(rows: Sequence[SortedImage], place: _Place) -> Sequence[str]:
    return write_coco(
        [row for row in rows if _has_class(row)], place.out / FILE_NAME, root=place.root, pages=place.pages
    )


def folder_names(classes: set[str]) -> dict[str, str]:
    """Class -> a folder name that is its own, plain on every system, and not that of unlabelled images."""
    taken = {UNSORTED_FOLDER}
    names = {}
    for name in sorted(classes):
        plain = re.sub(r'[/\\:*?"<>|\x00-\x1f]+', "-", name).strip(" .") or "class"
        candidate, number = plain, 2
        while candidate.casefold() in taken:
            candidate, number = f"{plain}-{number}", number + 1
        taken.add(candidate.casefold())
        names[name] = candidate
    return names


FORMATS: dict[str, Callable[[Sequence[SortedImage], _Place], Sequence[str]]] = {
    "csv": _export_csv,
    "folders": _export_folders,
    "coco": _export_coco,
}
