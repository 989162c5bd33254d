"""Which class each image is in after a person's changes: a start, and one function that applies a change to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
import numpy.typing as npt

from farthing.discover.gallery.changes import Change, Merge, Move, Numbers, Recut, Rename, Split, unpack
from farthing.discover.names import new_names
from farthing.discover.problem import UNSORTED
from farthing.results.classstore import ClassedImage

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageClass:
    """One class; it keeps its number for good, empty or not.

    Attributes:
        name: no other class with images has the same.
        is_new: whether it was found rather than known.
        is_settled: a person named it, agreed with it, or put another one into it: its name is a label for its images.
        is_held: a person shaped it: another number of classes leaves it alone.
    """

    name: str
    is_new: bool
    is_settled: bool = False
    is_held: bool = False


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class Sorting:
    """All images in classes.

    Attributes:
        image_classes: the classes; the first `num_known` are the known ones, in the order of their names.
        classes: i32 [n], the class of each image, or `UNSORTED`.
        placed: bool [n], a person put the image where it is.
        rejected_from: i32 [n], the class that a person took the image out of because it was wrong there, else -1.
        num_known: known classes.
    """

    image_classes: tuple[ImageClass, ...]
    classes: Numbers
    placed: Flags
    rejected_from: Numbers
    num_known: int

    def sizes(self) -> npt.NDArray[np.int64]:
        """i64 [classes], images in each."""
        return np.bincount(self.classes[self.classes != UNSORTED], minlength=len(self.image_classes))

    def members(self, number: int) -> Numbers:
        """i32, the images of a class in the order of the run."""
        return np.flatnonzero(self.classes == number).astype(np.int32)

    def labelled(self) -> Flags:
        """Whether the class of each image is a person's word, bool [n]."""
        settled = np.array([*(row.is_settled for row in self.image_classes), False])
        named = np.array([*(row.is_settled or not row.is_new for row in self.image_classes), False])
        labelled: Flags = settled[self.classes] | (self.placed & named[self.classes])  # -1 is the last entry
        return labelled


def start(images: Sequence[ClassedImage]) -> Sorting:
    """The images as they were assigned: known classes by name, then new ones by name."""
    known = sorted({row.label for row in images if row.label is not None and not row.is_new})
    new = sorted({row.label for row in images if row.label is not None and row.is_new} - set(known))
    number = {name: place for place, name in enumerate([*known, *new])}
    classes = [UNSORTED if row.label is None else number[row.label] for row in images]
    return Sorting(
        image_classes=tuple(ImageClass(name=name, is_new=place >= len(known)) for place, name in enumerate(number)),
        classes=np.array(classes, dtype=np.int32),
        placed=np.zeros(len(images), dtype=bool),
        rejected_from=np.full(len(images), -1, dtype=np.int32),
        num_known=len(known),
    )


def replay(sorting: Sorting, changes: Iterable[Change]) -> Sorting:
    """The sorting after the changes, one after another."""
    return reduce(apply, changes, sorting)


def apply(sorting: Sorting, change: Change) -> Sorting:
    """The sorting after one change; the given one stays as it is."""
    match change:
        case Rename():
            return _with_class(sorting, change.of, name=change.name)
        case Merge():
            merged = _with_class(sorting, change.into)
            return _replaced(
                merged, classes=np.where(sorting.classes == change.of, np.int32(change.into), sorting.classes)
            )
        case Split():
            return _split(sorting, change)
        case Move():
            return _moved(sorting, change)
        case Recut():
            return _recut(sorting, unpack(change.classes))


def _split(sorting: Sorting, change: Split) -> Sorting:
    (name,) = new_names([row.name for row in sorting.image_classes], 1)
    rows = list(sorting.image_classes)
    old = rows[change.of]
    # Half of a class is no longer what a person agreed with.
    rows[change.of] = ImageClass(name=old.name, is_new=old.is_new, is_held=True)
    classes = sorting.classes.copy()
    classes[unpack(change.images)] = len(rows)
    return _replaced(sorting, classes=classes, image_classes=(*rows, ImageClass(name=name, is_new=True, is_held=True)))


def _moved(sorting: Sorting, change: Move) -> Sorting:
    images = unpack(change.images)
    classes, placed, rejected_from = sorting.classes.copy(), sorting.placed.copy(), sorting.rejected_from.copy()
    rejected_from[images] = classes[images] if change.into is None else -1
    placed[images] = True
    classes[images] = UNSORTED if change.into is None else change.into
    return _replaced(sorting, classes=classes, placed=placed, rejected_from=rejected_from)


def _recut(sorting: Sorting, cut: Numbers) -> Sorting:
    """Known classes keep their numbers; each new class of the cut becomes a class of its own, the largest first."""
    held = np.array([*(row.is_held or row.is_settled for row in sorting.image_classes), False])
    is_free = ~(held[sorting.classes] | sorting.placed)
    found, sizes = np.unique(cut[is_free & (cut >= sorting.num_known)], return_counts=True)
    found = found[np.argsort(-sizes, kind="stable")]
    # The names of classes that lose all their images are free again.
    kept = set(np.unique(sorting.classes[~is_free]).tolist())
    taken = [row.name for place, row in enumerate(sorting.image_classes) if place in kept or not row.is_new]
    names = new_names(taken, len(found))
    target = np.full(max(int(cut.max(initial=-1)) + 2, sorting.num_known + 1), UNSORTED, dtype=np.int32)
    target[: sorting.num_known] = np.arange(sorting.num_known)
    target[found] = np.arange(len(found)) + len(sorting.image_classes)
    classes = np.where(is_free, target[cut], sorting.classes)
    new = tuple(ImageClass(name=name, is_new=True) for name in names)
    return _replaced(sorting, classes=classes, image_classes=(*sorting.image_classes, *new))


def _with_class(sorting: Sorting, number: int, *, name: str | None = None) -> Sorting:
    """The class is settled, under its own name or another."""
    rows = list(sorting.image_classes)
    old = rows[number]
    rows[number] = ImageClass(name=name or old.name, is_new=old.is_new, is_settled=True, is_held=True)
    return _replaced(sorting, image_classes=tuple(rows))


def _replaced(
    sorting: Sorting,
    *,
    image_classes: tuple[ImageClass, ...] | None = None,
    classes: Numbers | None = None,
    placed: Flags | None = None,
    rejected_from: Numbers | None = None,
) -> Sorting:
    return Sorting(
        image_classes=sorting.image_classes if image_classes is None else image_classes,
        classes=sorting.classes if classes is None else classes,
        placed=sorting.placed if placed is None else placed,
        rejected_from=sorting.rejected_from if rejected_from is None else rejected_from,
        num_known=sorting.num_known,
    )
