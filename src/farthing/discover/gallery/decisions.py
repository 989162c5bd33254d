"""What people decided about a run, for whoever goes on with it: labels for the next fit, names for an export."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from farthing.base.files import sha256_file
from farthing.discover.gallery.changes import decode
from farthing.discover.gallery.sorting import Sorting, replay, start
from farthing.discover.names import UNSORTED_NAME
from farthing.discover.outputs import ASSIGNMENTS_FILE, SortedImage, read_assignments
from farthing.discover.problem import UNSORTED
from farthing.results.classstore import CLASS_STORE_FILE, ClassedImage, ClassStore


@dataclass(frozen=True, kw_only=True, slots=True)
class Decisions:
    """What the decisions of all rounds come to.

    Attributes:
        labels: image -> the class that a person says it has: a label as good as one in labels.csv, and newer.
        not_in: image -> the class that a person took it out of, where they did not say what it is instead.
        classes: image -> the class it is in now, for every image of the last round; None where it has none.
    """

    labels: Mapping[str, str] = field(default_factory=dict)
    not_in: Mapping[str, str] = field(default_factory=dict)
    classes: Mapping[str, str | None] = field(default_factory=dict)


def read_decisions(run: Path) -> Decisions:
    """All decisions about a run, whether or not its assignments were written anew since; empty without any.

    Raises:
        FormatError: the store is damaged.
    """
    path = run / CLASS_STORE_FILE
    if not path.exists():
        return Decisions()
    with ClassStore.open(path) as store:
        return _decisions(store)


def open_decisions(run: Path) -> ClassStore:
    """The store of a run, in a round that starts from its assignments as they are now.

    Raises:
        FormatError: the run has no assignments, or they or the store are damaged.
    """
    assignments = run / ASSIGNMENTS_FILE
    rows = read_assignments(assignments)
    source = sha256_file(assignments)
    store = ClassStore.open(run / CLASS_STORE_FILE)
    if store.source != source:
        images = [_classed(row) for row in rows]
        store.begin_round(source, images, _decisions(store).labels)
    return store


def sorting_of(store: ClassStore) -> Sorting:
    """The images of the current round after its changes."""
    return replay(start(store.images()), map(decode, store.changes()))


def _classed(row: SortedImage) -> ClassedImage:
    label = row.label if row.label not in {"", UNSORTED_NAME} else None
    return ClassedImage(image=row.image, label=label, is_new=row.is_new)


def _decisions(store: ClassStore) -> Decisions:
    """Newer rounds overrule older ones."""
    images = [row.image for row in store.images()]
    sorting = sorting_of(store)
    names = [row.name for row in sorting.image_classes]
    labels, not_in, classes = store.labels(), {}, {}
    rows = zip(
        images, sorting.classes.tolist(), sorting.labelled().tolist(), sorting.rejected_from.tolist(), strict=True
    )
    for image, number, is_labelled, rejected_from in rows:
        classes[image] = None if number == UNSORTED else names[number]
        if is_labelled:
            labels[image] = names[number]
        elif rejected_from >= 0:
            not_in[image] = names[rejected_from]
            labels.pop(image, None)
    return Decisions(labels=labels, not_in=not_in, classes=classes)
