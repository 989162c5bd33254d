"""Which page of a collection a name in an annotation file means."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

from farthing.base.errors import DataError
from farthing.documents.collection.paths import inside
from farthing.documents.formats.records import Warnings
from farthing.vision.images import SUFFIXES

ABSENT = "pages are left out: there is no such image"
_USUAL = (".jpg", ".png", ".tif")  # tried first
_SUFFIXES = (*_USUAL, *sorted(SUFFIXES - set(_USUAL)))
_OUTSIDE = "pages are left out: their names lead out of the folder of the images"


def find_page(images: Path, name: str, warnings: Warnings) -> str | None:
    """The page that `name` means, relative to `images`; None, and a warning, where there is none.

    Writers of annotations see images from their own folder, so a name is also looked for in the folders above its own,
    in `images/`, and without its folders.
    """
    is_outside = False
    for candidate in dict.fromkeys(_candidates(name.replace("\\", "/"))):
        try:
            if is_page(images, candidate):
                return candidate
        except DataError:
            is_outside = True
    warnings.add(_OUTSIDE if is_outside else ABSENT, name)
    return None


def find_image(images: Path, stem: str) -> str | None:
    """The page whose image has the name `stem` with any suffix, or `stem` itself (`book.pdf#0003`); None without one.

    Raises:
        DataError: the name leads out of `images`.
    """
    names = [stem, *(stem + suffix for suffix in _SUFFIXES), *(stem + suffix.upper() for suffix in _SUFFIXES)]
    candidates = (candidate for name in names for candidate in _candidates(name))
    return next((candidate for candidate in candidates if is_page(images, candidate)), None)


def is_page(images: Path, name: str) -> bool:
    """Whether there is such an image, or such a file with several pages (`book.pdf#0003`).

    Raises:
        DataError: the name leads out of `images`.
    """
    whole = inside(images, name)
    return whole.is_file() or inside(images, re.sub(r"#\d{4,}$", "", name)).is_file()


def _candidates(name: str) -> Iterator[str]:
    """Names to try, the likeliest first."""
    yield name
    folder, base = posixpath.split(name)
    while folder.strip("/"):
        folder = posixpath.dirname(folder)
        yield posixpath.join(folder, base)
    yield f"images/{name}"
    yield f"images/{base}"
