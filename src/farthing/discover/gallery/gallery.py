"""The questions and changes of the gallery page, over the rows of a run and the store of its decisions."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from farthing.base.errors import DataError
from farthing.discover.gallery import changes
from farthing.discover.gallery.changes import Change, Merge, Move, Numbers, Recut, Rename, Split, pack
from farthing.discover.gallery.messages import FactsMessage, ImageMessage, SortingMessage
from farthing.discover.gallery.nearness import Similarities, class_similarities, halve, similarities_by_doubt
from farthing.discover.gallery.overview import NUM_SHOWN, Columns, class_messages, ordered_members
from farthing.discover.gallery.sorting import ImageClass, apply, replay, start
from farthing.discover.outputs import SortedImage
from farthing.discover.problem import UNSORTED, Features, Labels
from farthing.results.classstore import ClassStore
from farthing.web.endpoints import RequestError

Cut = Callable[[int], Labels]
"""The class of every image, [0, num_known) known, for a number of classes."""


class Gallery:
    """A run as the gallery page sees it; may be used from several threads.

    Attributes:
        facts: what is known of the run as a whole.
    """

    def __init__(
        self,
        store: ClassStore,
        rows: Sequence[SortedImage],
        *,
        facts: FactsMessage,
        given: frozenset[str] = frozenset(),
        features: Features | None = None,
        cut: Cut | None = None,
    ) -> None:
        """Takes the rows of the run in the order of the store's images.

        Args:
            store: in a round that starts from `rows`.
            rows: every image.
            facts: what is known of the run as a whole.
            given: images whose label was there before.
            features: f32 [n, dim] of length 1, zeros for an image without; None tells classes alike by doubt alone.
            cut: sorts into another number of classes; None where the run cannot.
        """
        self.facts = facts
        self._store, self._rows, self._given, self._features, self._cut = store, rows, given, features, cut
        self._lock = threading.RLock()
        self._start = start(store.images())
        self._columns = _columns(rows, {row.name: number for number, row in enumerate(self._start.image_classes)})
        made = store.changes()
        self._num_changes = len(made)
        self._sorting = replay(self._start, map(changes.decode, made))

    # ---- questions

    def sorting(self) -> SortingMessage:
        """All classes as they are now."""
        with self._lock:
            return self._message()

    def images(self, of: int | None, *, offset: int, limit: int) -> list[ImageMessage]:
        """Images of a class, the most probable first; without a class those that have none, the most novel first.

        Raises:
            RequestError: there is no such class.
        """
        with self._lock:
            if of is not None:
                self._check(of)
            members = ordered_members(self._sorting, self._columns, UNSORTED if of is None else of)
        return [self._image(number) for number in members[offset : offset + limit].tolist()]

    def name_of(self, number: int) -> str:
        """The path of an image.

        Raises:
            RequestError: there is none with this number.
        """
        if not 0 <= number < len(self._rows):
            raise RequestError(f"image {number}: the run has images 0 to {len(self._rows) - 1}")
        return self._rows[number].image

    # ---- changes, each on the disk when it returns

    def rename(self, of: int, name: str) -> SortingMessage:
        """Names a class, or agrees with its name; a name that another class has merges the two.

        Raises:
            RequestError: there is no such class, or a known one would lose its name.
        """
        with self._lock:
            old, name = self._check(of), " ".join(name.split())
            if not name or not name.isprintable():
                raise RequestError("a name must have letters that can be read")
            if not old.is_new and name != old.name:
                raise RequestError(f"{old.name!r} is the name on its labels; to change it, change the labels")
            sizes = self._sorting.sizes()
            for number, other in enumerate(self._sorting.image_classes):
                if number != of and other.name == name and (sizes[number] or not other.is_new):
                    return self._make(Merge(of=of, into=number))
            return self._make(Rename(of=of, name=name))

    def merge(self, of: int, into: int) -> SortingMessage:
        """Puts all images of a class into another; a known class stays, whichever way round it is asked for.

        Raises:
            RequestError: there is no such class, they are the same, or both are known.
        """
        with self._lock:
            first, second = self._check(of), self._check(into)
            if of == into:
                raise RequestError("a class cannot go into itself")
            if not first.is_new and not second.is_new:
                raise RequestError(f"{first.name!r} and {second.name!r} are told apart by labels; change the labels")
            return self._make(Merge(of=of, into=into) if first.is_new else Merge(of=into, into=of))

    def split(self, of: int, images: Sequence[int] | None) -> SortingMessage:
        """Makes a new class of some images of a class, or of the smaller part that it falls into.

        Raises:
            RequestError: there is no such class, the images are not some of it, or it cannot be told how it falls.
        """
        with self._lock:
            self._check(of)
            members = self._sorting.members(of)
            chosen = self._part(members) if images is None else np.unique(np.array(images, dtype=np.int32))
            if not np.isin(chosen, members).all() or len(chosen) == len(members):
                raise RequestError("a new class takes some images of a class, not all, and none of another")
            return self._make(Split(of=of, images=pack(chosen)))

    def move(self, images: Sequence[int], into: int | None) -> SortingMessage:
        """Puts images into a class; `None` says that they were wrong where they were.

        Raises:
            RequestError: there is no such class or image.
        """
        with self._lock:
            if into is not None:
                self._check(into)
            for number in images:
                self.name_of(number)
            return self._make(Move(into=into, images=pack(np.unique(np.array(images, dtype=np.int32)))))

    def recut(self, num_classes: int) -> SortingMessage:
        """Sorts into another number of classes; what a person shaped stays.

        Raises:
            RequestError: the run cannot, or there are fewer classes than known ones.
        """
        if self._cut is None:
            raise RequestError("this run has no tree of classes to cut again; fit it with another number of classes")
        if not max(1, self.facts.num_known) <= num_classes <= len(self._rows):
            raise RequestError(f"classes must be from {max(1, self.facts.num_known)} to {len(self._rows)}")
        classes = self._cut(num_classes)
        with self._lock:
            return self._make(Recut(num_classes=num_classes, classes=pack(classes)))

    def undo(self) -> SortingMessage:
        """Takes back the last change, if there is one."""
        with self._lock:
            if self._store.undo():
                made = self._store.changes()
                self._num_changes = len(made)
                self._sorting = replay(self._start, map(changes.decode, made))
            return self._message()

    # ---- how

    def _make(self, change: Change) -> SortingMessage:
        self._store.add_change(changes.encode(change))
        self._sorting = apply(self._sorting, change)
        self._num_changes += 1
        return self._message()

    def _message(self) -> SortingMessage:
        unsorted = ordered_members(self._sorting, self._columns, UNSORTED)
        return SortingMessage(
            classes=class_messages(self._sorting, self._columns, self._similarities()),
            unsorted=len(unsorted),
            unsorted_images=unsorted[:NUM_SHOWN].tolist(),
            num_changes=self._num_changes,
        )

    def _similarities(self) -> Similarities:
        classes, num_classes = self._sorting.classes, len(self._sorting.image_classes)
        if self._features is not None:
            return class_similarities(self._features, classes, num_classes)
        columns = self._columns
        return similarities_by_doubt(columns.seconds, columns.second_probability, classes, num_classes)

    def _part(self, members: Numbers) -> Numbers:
        """The smaller of the two parts that a class falls into."""
        if self._features is None:
            raise RequestError("this run has kept no features; select the images that shall become a class")
        try:
            return members[halve(self._features[members])]
        except DataError as error:
            raise RequestError(str(error)) from error

    def _image(self, number: int) -> ImageMessage:
        row = self._rows[number]
        return ImageMessage(
            id=number,
            name=row.image,
            probability=row.probability,
            novelty=row.novelty,
            second=row.second_label,
            is_given=row.image in self._given,
        )

    def _check(self, number: int) -> ImageClass:
        """The class, if it has images."""
        rows = self._sorting.image_classes
        if not 0 <= number < len(rows) or not (self._sorting.classes == number).any():
            raise RequestError("this class is gone: another change took its images; the page shows what there is now")
        return rows[number]


def _columns(rows: Sequence[SortedImage], numbers: Mapping[str, int]) -> Columns:
    return Columns(
        probability=np.array([row.probability for row in rows], dtype=np.float32),
        novelty=np.array([row.novelty for row in rows], dtype=np.float32),
        seconds=np.array([numbers.get(row.second_label, -1) for row in rows], dtype=np.int32),
        second_probability=np.array([row.second_probability for row in rows], dtype=np.float32),
    )
