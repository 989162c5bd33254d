"""A collection of pages: a folder of images, PDFs and manifests, or one such file, or the address of a manifest."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from farthing.base.errors import DataError
from farthing.documents.collection.fetch import is_url
from farthing.documents.collection.files import fetch_pages, list_pages, may_hold_pages
from farthing.documents.collection.iiif import Canvas, IiifSource
from farthing.documents.collection.paths import inside
from farthing.documents.collection.sources import BrokenSource, PageSource
from farthing.vision.images import MAX_PIXELS

_DIGITS = re.compile(r"(\d+)")
_NUMBERED = re.compile(r"(.+)#\d{4,}")


class Collection(Protocol):
    """Pages that are listed one by one and read later, so that any number of them fits in memory."""

    def sources(self) -> Iterator[PageSource]:
        """Every page, in an order that depends on names alone. Pages that cannot be read are among them."""

    def source(self, id: str) -> PageSource:
        """The page with this name.

        Raises:
            DataError: the collection has none, or the name leads out of it.
        """


@dataclass(frozen=True, kw_only=True, slots=True)
class FolderCollection:
    """All pages below a folder: images, TIFF files and PDFs with several, and IIIF manifests.

    Attributes:
        root: the folder; page names are relative to it.
        max_pixels: the largest image that is decoded.
    """

    root: Path
    max_pixels: int = MAX_PIXELS

    def sources(self) -> Iterator[PageSource]:
        """See `Collection.sources`; `page2` comes before `page10`."""
        return self._below(self.root, frozenset())

    def source(self, id: str) -> PageSource:
        """See `Collection.source`."""
        match = _NUMBERED.fullmatch(id)
        path = inside(self.root, match[1] if match else id)
        if path.is_file() and may_hold_pages(path):
            for source in self._pages_of(path):
                if source.id == id:
                    return source
        raise DataError(f"page {id!r}: is not in {self.root}")

    def _below(self, folder: Path, above: frozenset[Path]) -> Iterator[PageSource]:
        """The pages below `folder`; hidden files and links back to a folder above are left out."""
        real = folder.resolve()
        if real in above:
            return
        try:
            paths = sorted(folder.iterdir(), key=_natural)
        except OSError as error:
            yield self._broken(folder, f"{folder}: cannot be listed ({error.strerror})")
            return
        for path in paths:
            if path.name.startswith("."):
                continue
            if path.is_dir():
                yield from self._below(path, above | {real})
            elif may_hold_pages(path):
                yield from self._pages_of(path)

    def _pages_of(self, path: Path) -> list[PageSource]:
        """The pages of a file; one broken page for a file that cannot be opened."""
        name = path.relative_to(self.root).as_posix()
        if not path.is_file():
            return [self._broken(path, f"{path}: is not a file, or a link to one that is gone")]
        if name != _printable(name):
            return [self._broken(path, f"{_printable(name)}: its name is not UTF-8; rename it (`convmv` does many)")]
        try:
            return list_pages(path, name=name, max_pixels=self.max_pixels, is_in_folder=True)
        except DataError as error:
            return [self._broken(path, str(error))]

    def _broken(self, path: Path, reason: str) -> BrokenSource:
        relative = path.relative_to(self.root)
        name, folder = (_printable(part.as_posix()) for part in (relative, relative.parent))
        return BrokenSource(id=name, document=folder, reason=reason)


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedCollection:
    """The pages of one file or manifest.

    Attributes:
        name: what messages call it.
        pages: by their names, in order.
    """

    name: str
    pages: Mapping[str, PageSource]

    def sources(self) -> Iterator[PageSource]:
        """See `Collection.sources`; in the order of the file."""
        yield from self.pages.values()

    def source(self, id: str) -> PageSource:
        """See `Collection.source`."""
        if id not in self.pages:
            raise DataError(f"page {id!r}: is not in {self.name}")
        return self.pages[id]


def open_collection(location: Path | str, *, max_pixels: int = MAX_PIXELS) -> Collection:
    """The pages that `location` stands for.

    Args:
        location: a folder, searched with all folders below it; an image, TIFF, PDF, IIIF manifest or METS file; or the
            address (http, https) of a manifest.
        max_pixels: the largest image that is decoded, in pixels.

    Raises:
        DataError: nothing is there, or the one file cannot be read. In a folder such a file is a page that fails.
    """
    if isinstance(location, str) and is_url(location):
        pages = fetch_pages(location, max_pixels=max_pixels)
    elif (path := Path(location)).is_dir():
        return FolderCollection(root=path, max_pixels=max_pixels)
    elif path.is_file():
        pages = list_pages(path, name=path.name, max_pixels=max_pixels)
    else:
        raise DataError(f"{location}: no such folder or file; give a folder, a file, or the address of a manifest")
    return ListedCollection(name=str(location), pages={page.id: page for page in pages})


def canvases(collection: Collection) -> dict[str, Canvas]:
    """The canvas of every page that comes from a IIIF manifest, by page name: what annotations for others refer to."""
    return {source.id: source.canvas for source in collection.sources() if isinstance(source, IiifSource)}


def _printable(name: str) -> str:
    """The name with escapes where it is not UTF-8."""
    return name.encode(errors="surrogateescape").decode(errors="backslashreplace")


def _natural(path: Path) -> tuple[list[str | int], str]:
    """A key that puts `page2` before `page10`: numbers compare as numbers."""
    parts = _DIGITS.split(path.name)
    return [int(part) if index % 2 else part.casefold() for index, part in enumerate(parts)], path.name
