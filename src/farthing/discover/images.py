"""What a person's folder holds: images by name, and the labels and further columns that came with them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from farthing.base.errors import DataError
from farthing.discover.csvfiles import read_rows
from farthing.vision.images import SUFFIXES

CROPS_FILE, LABELS_FILE = "crops.csv", "labels.csv"
UNLABELLED_FOLDER = "unlabelled"

# How many names a warning lists.
_SHOWN = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageCollection:
    """Images of one folder; nothing is decoded yet.

    Attributes:
        root: the folder.
        names: of the images: paths below `root` with forward slashes, sorted.
        labels: the class of each image by name, None where it has none.
        extra: further columns by image (page, bbox, ...); images without any are not in it.
        warnings: what was odd about labels, one sentence each.
    """

    root: Path
    names: tuple[str, ...]
    labels: tuple[str | None, ...]
    extra: Mapping[str, Mapping[str, str]]
    warnings: tuple[str, ...]

    def path(self, name: str) -> Path:
        """The file of an image."""
        return self.root / name


def open_images(root: Path, labels: Path | None = None) -> ImageCollection:
    """The images below a folder, in the order of their names, with their labels.

    Labels come from `labels` where it is given: image,label and any further columns; an empty label is none, an image
    that the file does not name is unlabelled. Without it, class folders give them: the label of an image is the folder
    right below `root` that it lies in, and images directly in `root` or in a folder `unlabelled` have none. With a
    `crops.csv` in `root` or beside it (what `farthing documents filter --crops` writes) the images are its crops:
    their folders are kinds of object and not classes, and page, bbox and class become further columns.

    Hidden files and folders are left out; links are not followed out of the folder.

    Raises:
        DataError: the folder cannot be read or holds no image; the file of labels cannot be read, names an image
            twice with different labels, or names no image of the folder at all.
    """
    names = _list_images(root)
    columns = _crop_columns(root)
    if columns is not None and any(name in columns for name in names):  # the filter's folder has other images too
        names = [name for name in names if name in columns]
    if labels is None:
        given = _folder_labels(names) if columns is None else {}
        return _collect(root, names, given, columns or {}, [])
    columns = columns or {}
    rows, warnings = _label_rows(labels, frozenset(names))
    extra = {name: {**columns.get(name, {}), **row} for name, row in _further_columns(rows).items()}
    given = {name: row["label"].strip() for name, row in rows.items() if row["label"].strip()}
    return _collect(root, names, given, {**columns, **extra}, warnings)


def _collect(
    root: Path, names: list[str], given: Mapping[str, str], extra: Mapping[str, Mapping[str, str]], warnings: list[str]
) -> ImageCollection:
    """The collection, with what holds for labels from any source said."""
    labels = tuple(given.get(name) for name in names)
    sizes: dict[str, int] = {}
    for label in given.values():
        sizes[label] = sizes.get(label, 0) + 1
    single = sorted(label for label, size in sizes.items() if size == 1)
    if single:
        count = "1 class has" if len(single) == 1 else f"{len(single):,} classes have"
        warnings.append(f"{count} one labelled image only ({_some(single)}): little is known of how such images vary")
    known = frozenset(names)
    kept = {name: dict(row) for name, row in extra.items() if name in known and row}
    return ImageCollection(root=root, names=tuple(names), labels=labels, extra=kept, warnings=tuple(warnings))


def _list_images(root: Path) -> list[str]:
    """Names of all image files below the folder, sorted."""
    if not root.is_dir():
        raise DataError(f"{root}: must be a folder of images; there is none")
    top = root.resolve()
    names = []
    for folder, folders, files in os.walk(root, onerror=_refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in files:
            path = Path(folder) / name
            if name.startswith(".") or path.suffix.lower() not in SUFFIXES:
                continue
            if not path.is_symlink() or path.resolve().is_relative_to(top):
                names.append(path.relative_to(root).as_posix())
    if not names:
        raise DataError(f"{root}: holds no image ({', '.join(sorted(SUFFIXES))})")
    return sorted(names)


def _refuse(error: OSError) -> None:
    raise DataError(f"{error.filename}: cannot be listed ({error.strerror})") from error


def _folder_labels(names: list[str]) -> dict[str, str]:
    """The folder right below the root that each image lies in, but `unlabelled`."""
    tops = {name: PurePosixPath(name).parts[0] for name in names if "/" in name}
    return {name: top for name, top in tops.items() if top.lower() != UNLABELLED_FOLDER}


def _crop_columns(root: Path) -> dict[str, dict[str, str]] | None:
    """The columns of `crops.csv`, in the folder or beside it, by name of the picture; None where there is none."""
    inside, beside = root / CROPS_FILE, root.resolve().parent / CROPS_FILE
    path = inside if inside.is_file() else beside
    if not path.is_file():
        return None
    prefix = "" if path == inside else f"{root.resolve().name}/"
    rows = read_rows(path, ["file", "page", "bbox", "class"])
    of_crop = {row["file"]: {key: value for key, value in row.items() if key != "file"} for row in rows}
    return {name.removeprefix(prefix): row for name, row in of_crop.items() if name.startswith(prefix)} or None


def _label_rows(path: Path, known: frozenset[str]) -> tuple[dict[str, dict[str, str]], list[str]]:
    """The rows of the file of labels by image, and what was odd about them."""
    rows: dict[str, dict[str, str]] = {}
    missing, repeated = [], []
    for row in read_rows(path, ["image", "label"]):
        name = PurePosixPath(row["image"].strip()).as_posix()
        if name not in known:
            missing.append(name)
        elif name in rows:
            if rows[name]["label"].strip() != row["label"].strip():
                both = f"{rows[name]['label']!r} and {row['label']!r}"
                raise DataError(f"{path}: names the image {name!r} twice, as {both}; keep one")
            repeated.append(name)
        else:
            rows[name] = row
    if missing and not rows:
        raise DataError(
            f"{path}: names no image of the folder (its first is {missing[0]!r}); use paths below the folder"
        )
    warnings = []
    if missing:
        warnings.append(f"{path.name} names {len(missing)} images that are not in the folder ({_some(missing)})")
    if repeated:
        warnings.append(f"{path.name} names {len(repeated)} images more than once ({_some(repeated)})")
    return rows, warnings


def _further_columns(rows: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    return {
        name: {key: value for key, value in row.items() if key not in ("image", "label")} for name, row in rows.items()
    }


def _some(names: list[str]) -> str:
    """The first few names, for a message."""
    return ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
