"""A benchmark split as a folder: what a user of fit would have, and the truth that only evaluate may read."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from farthing.base.errors import DataError
from farthing.discover.csvfiles import write_rows
from farthing.discover.images import open_images
from farthing.discover.splits import SplitConfig, draw_split

IMAGES_FOLDER, LABELS_FILE, TRUTH_FILE = "images", "labels.csv", "truth.csv"


@dataclass(frozen=True, kw_only=True, slots=True)
class SplitCounts:
    """What a split holds.

    Attributes:
        images: in all.
        labelled: with a label that may be seen.
        classes: known and new.
        known: classes with a label.
        largest: images of the largest class.
        smallest: images of the smallest class.
    """

    images: int
    labelled: int
    classes: int
    known: int
    largest: int
    smallest: int


def write_split(images: Path, out: Path, config: SplitConfig, *, labels: Path | None, seed: int) -> SplitCounts:
    """Writes `out`/images, labels.csv (image, label) and truth.csv (image, label, known, labelled).

    Images get numbers for names, so that nothing tells their class. Images without a label are left out.

    Args:
        images: a folder, or class folders.
        out: a new or empty folder.
        config: the shares and sizes.
        labels: the file of labels, where class folders do not give them.
        seed: of everything that is drawn.

    Raises:
        DataError: images or labels cannot be read, no class is large enough, or `out` holds something already.
    """
    if out.exists() and any(out.iterdir()):
        raise DataError(f"{out}: holds something already; choose a new folder")
    collection = open_images(images, labels)
    with_label = [
        (name, label) for name, label in zip(collection.names, collection.labels, strict=True) if label is not None
    ]
    classes, numbers = np.unique([label for _, label in with_label], return_inverse=True)
    split = draw_split(numbers.astype(np.int64), config, seed=seed)
    (out / IMAGES_FOLDER).mkdir(parents=True, exist_ok=True)
    rows = []
    for place, (image, is_known, is_labelled) in enumerate(zip(split.images, split.known, split.labelled, strict=True)):
        source, label = with_label[image]
        name = f"{place:05d}{Path(source).suffix}"
        shutil.copyfile(collection.root / source, out / IMAGES_FOLDER / name)
        rows.append((name, label, int(is_known), int(is_labelled)))
    write_rows(out / TRUTH_FILE, ["image", "label", "known", "labelled"], rows)
    shown = ((name, label if is_labelled else "") for name, label, _, is_labelled in rows)
    write_rows(out / LABELS_FILE, ["image", "label"], shown)
    sizes = np.bincount(numbers[split.images], minlength=len(classes))
    sizes = sizes[sizes > 0]
    return SplitCounts(
        images=len(rows),
        labelled=int(split.labelled.sum()),
        classes=len(sizes),
        known=len(set(numbers[split.images][split.known].tolist())),
        largest=int(sizes.max()),
        smallest=int(sizes.min()),
    )
