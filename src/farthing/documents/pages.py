"""A collection of pages: a folder of images and PDFs, one such file, an IIIF manifest or a METS file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from farthing.base.errors import DataError
from farthing.documents.images import MAX_PIXELS, SUFFIXES
from farthing.documents.paths import inside
from farthing.documents.sources import ImageSource, PageSource

_DIGITS = re.compile(r"(\d+)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Collection:
    """Pages that are listed one by one and read later, so that any number of them fits in memory.

    Attributes:
        root: the folder that page names are relative to.
        files: the files to open, relative to `root`; None opens everything below it.
        max_pixels: the largest image that is decoded.
    """

    root: Path
    files: tuple[Path, ...] | None = None
    max_pixels: int = MAX_PIXELS

    def sources(self) -> Iterator[PageSource]:
        """Every page, in an order that depends on names alone: `page2` before `page10`."""
        for path in self._paths():
            yield from self._sources_of(path)

    def source(self, id: str) -> PageSource:
        """The page with this name.

        Raises:
            DataError: there is none, or the name leads out of the collection.
        """
        path = inside(self.root, id)
        if path.suffix.lower() in SUFFIXES and path.is_file():
            return self._image(path)
        raise DataError(f"page {id!r}: is not in {self.root}")

    def _paths(self) -> Iterable[Path]:
        if self.files is not None:
            return (self.root / file for file in self.files)
        return _walk(self.root, frozenset())

    def _sources_of(self, path: Path) -> Iterator[PageSource]:
        if path.suffix.lower() in SUFFIXES:
            yield self._image(path)

    def _image(self, path: Path) -> PageSource:
        relative = path.relative_to(self.root)
        return ImageSource(
            id=relative.as_posix(), document=relative.parent.as_posix(), path=path, max_pixels=self.max_pixels
        )


def open_collection(path: Path | str, *, max_pixels: int = MAX_PIXELS) -> Collection:
    """The pages that `path` stands for.

    Args:
        path: a folder, searched with all folders below it, or a file.
        max_pixels: the largest image that is decoded, in pixels.

    Raises:
        DataError: nothing is there.
    """
    path = Path(path)
    if path.is_dir():
        return Collection(root=path, max_pixels=max_pixels)
    if path.is_file():
        return Collection(root=path.parent, files=(Path(path.name),), max_pixels=max_pixels)
    raise DataError(f"{path}: no such folder or file")


def _walk(folder: Path, above: frozenset[Path]) -> Iterator[Path]:
    """The files below `folder` that are not hidden, in natural order; a link back to a folder above is left out."""
    real = folder.resolve()
    if real in above:
        return
    for path in sorted(folder.iterdir(), key=_natural):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            yield from _walk(path, above | {real})
        elif path.is_file():
            yield path


def _natural(path: Path) -> tuple[list[str | int], str]:
    """A key that puts `page2` before `page10`: numbers compare as numbers."""
    parts = _DIGITS.split(path.name)
    return [int(part) if index % 2 else part.casefold() for index, part in enumerate(parts)], path.name
