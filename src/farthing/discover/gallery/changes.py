"""What a person can change about classes. A change names the images it moved, so no later model makes it mean others.

Classes are numbered by the sorting that a change is made to (see `sorting.py`); images by their place in the run.
"""

from __future__ import annotations

import zlib
from typing import TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from farthing.base.errors import FormatError

Numbers = npt.NDArray[np.int32]


class Rename(msgspec.Struct, frozen=True, tag="rename"):
    """A class gets a name; its own name says that a person looked and agrees."""

    of: int
    name: str


class Merge(msgspec.Struct, frozen=True, tag="merge"):
    """All images of a class go into another one."""

    of: int
    into: int


class Split(msgspec.Struct, frozen=True, tag="split"):
    """Some images of a class become a new one; `images` as `pack` packs them."""

    of: int
    images: bytes


class Move(msgspec.Struct, frozen=True, tag="move"):
    """Images go into another class, or, where `into` is None, were wrong where they were and now have none."""

    into: int | None
    images: bytes


class Recut(msgspec.Struct, frozen=True, tag="recut"):
    """Classes that nobody touched are replaced by those of another number of classes.

    `classes` holds the new class of every image, packed: [0, num_known) known, from there on new, -1 none.
    """

    num_classes: int
    classes: bytes


Change: TypeAlias = Rename | Merge | Split | Move | Recut


def pack(numbers: npt.NDArray[np.integer]) -> bytes:
    """The numbers as little-endian i32, deflated."""
    return zlib.compress(np.ascontiguousarray(numbers, dtype="<i4").tobytes())


def unpack(packed: bytes) -> Numbers:
    """i32 [n], what `pack` packed.

    Raises:
        FormatError: it is damaged.
    """
    try:
        return np.frombuffer(zlib.decompress(packed), dtype="<i4").astype(np.int32)
    except (zlib.error, ValueError) as error:
        raise FormatError(f"a change holds images that are not what farthing writes ({error})") from error


def encode(change: Change) -> str:
    """The change as JSON."""
    return msgspec.json.encode(change).decode()


def decode(text: str) -> Change:
    """The change that `encode` encoded.

    Raises:
        FormatError: it is damaged.
    """
    try:
        change: Change = msgspec.json.decode(text, type=Change)
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise FormatError(f"a change is not what farthing writes ({error})") from error
    return change
