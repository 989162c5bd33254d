"""What travels between the gallery page and its server, as JSON."""

from __future__ import annotations

from typing import Annotated

import msgspec

_Number = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
_Images = Annotated[list[_Number], msgspec.Meta(min_length=1, max_length=50_000)]


class RenameMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Names a class; its own name agrees with it, another class's name merges the two."""

    of: _Number
    name: _Name


class MergeMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Puts all images of a class into another."""

    of: _Number
    into: _Number


class SplitMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Makes a new class of these images, or, without any, of the smaller part that the class falls into."""

    of: _Number
    images: _Images | None = None


class MoveMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Puts images into a class, or into none: they were wrong where they were."""

    images: _Images
    into: _Number | None


class RecutMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Asks for another number of classes."""

    num_classes: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]


class NearClass(msgspec.Struct, frozen=True):
    """A class that looks like another; `similarity` in [0, 1]."""

    id: int
    similarity: float


class ClassMessage(msgspec.Struct, frozen=True):
    """One class that has images.

    Attributes:
        id: its number in requests; it never means another class.
        name: for people; no other has the same.
        is_new: whether it was found rather than known.
        is_settled: whether a person named it or agreed with it.
        size: images.
        probability: mean of its images.
        novelty: mean of its images.
        near: those that look most like it, nearest first.
        images: some that it holds, most probable first.
    """

    id: int
    name: str
    is_new: bool
    is_settled: bool
    size: int
    probability: float
    novelty: float
    near: list[NearClass]
    images: list[int]


class SortingMessage(msgspec.Struct, frozen=True):
    """All classes as they are now.

    Attributes:
        classes: those with images, the largest first.
        unsorted: how many images have no class.
        unsorted_images: some of them, the most novel first.
        num_changes: changes that can be taken back.
    """

    classes: list[ClassMessage]
    unsorted: int
    unsorted_images: list[int]
    num_changes: int


class ImageMessage(msgspec.Struct, frozen=True):
    """One image of a class.

    Attributes:
        id: its number in requests.
        name: its path.
        probability: of the class that it was assigned to.
        novelty: in [0, 1].
        second: the next likely class when it was assigned; empty without one.
        is_given: whether its label was there before.
    """

    id: int
    name: str
    probability: float
    novelty: float
    second: str
    is_given: bool


class FactsMessage(msgspec.Struct, frozen=True):
    """What the page says about the run as a whole.

    Attributes:
        name: of the collection.
        num_images: in it.
        num_known: classes that had labels.
        k: classes that were found, known and new.
        k_low: the fewest that are plausible.
        k_high: the most.
        can_recut: whether another number of classes can be asked for.
    """

    name: str
    num_images: int
    num_known: int
    k: int
    k_low: int
    k_high: int
    can_recut: bool
