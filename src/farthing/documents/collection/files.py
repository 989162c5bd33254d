"""The pages of one file: what kind of file it is, and what opens it."""

from __future__ import annotations

import posixpath
from collections.abc import Container
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

from farthing.base.errors import DataError
from farthing.documents.collection import iiif, mets
from farthing.documents.collection.fetch import FetchConfig, fetch
from farthing.documents.collection.iiif import Canvas, IiifSource
from farthing.documents.collection.paths import inside
from farthing.documents.collection.pdf import PdfSource, num_pages
from farthing.documents.collection.sources import BrokenSource, ImageSource, PageSource
from farthing.documents.collection.tiff import page_frames
from farthing.documents.collection.xmltree import parse_xml, read_xml
from farthing.vision.images import FORMATS, MAX_PIXELS, SUFFIXES

_HEAD_BYTES = 4096
_TIFF_SUFFIXES = frozenset({".tif", ".tiff"})
_OTHER_SUFFIXES = frozenset({".pdf", ".json", ""})


def may_hold_pages(path: Path) -> bool:
    """Whether a file in a folder is looked at, by its name alone; METS is opened only when it is asked for."""
    return path.suffix.lower() in SUFFIXES | _OTHER_SUFFIXES


def list_pages(path: Path, *, name: str, max_pixels: int = MAX_PIXELS, is_in_folder: bool = False) -> list[PageSource]:
    """The pages of a file; its kind is told by its first bytes, except for images, which show theirs when loaded.

    Args:
        path: the file.
        name: what page names start with: its path relative to the collection.
        max_pixels: the largest image that is decoded.
        is_in_folder: whether the folder around it is listed too: then what holds no pages is no error, and images that
            a manifest shares with the folder are left to the folder.

    Raises:
        DataError: the file cannot be read, is damaged, or holds no pages.
    """
    suffix = path.suffix.lower()
    if suffix in SUFFIXES - _TIFF_SUFFIXES:
        return _image_pages(path, name, max_pixels)
    head = _head(path)
    if head.startswith(b"%PDF") or suffix == ".pdf":
        return _pdf_pages(path, name, max_pixels)
    if suffix in _TIFF_SUFFIXES or any(head.startswith(kind.starts) for kind in FORMATS):
        return _image_pages(path, name, max_pixels)
    if iiif.MARK in head:
        pages = _canvas_pages(iiif.parse_manifest(path.read_bytes(), name=str(path)), path, name, max_pixels)
        return [page for page in pages if not (is_in_folder and isinstance(page, ImageSource))]
    if is_in_folder:
        return []
    if mets.MARK in head:
        return _canvas_pages(mets.parse_mets(read_xml(path), name=str(path)), path, name, max_pixels)
    known = ", ".join(kind.name for kind in FORMATS)
    raise DataError(f"{path}: holds no pages; give an image ({known}), a PDF, a IIIF manifest or a METS file")


def fetch_pages(url: str, *, max_pixels: int = MAX_PIXELS, fetching: FetchConfig | None = None) -> list[PageSource]:
    """The pages of a IIIF manifest or METS file on the web.

    Raises:
        DataError: it cannot be fetched, or is neither.
    """
    fetching = fetching or FetchConfig()
    content = fetch(url, max_bytes=iiif.MAX_MANIFEST_BYTES, config=fetching)
    if mets.MARK in content[:_HEAD_BYTES]:
        canvases = mets.parse_mets(parse_xml(content, name=url), name=url)
    else:
        canvases = iiif.parse_manifest(content, name=url)
    name = unquote(posixpath.basename(urlsplit(url).path)) or "manifest"
    pages: list[PageSource] = []
    for number, canvas in enumerate(canvases, start=1):
        page_id = numbered(name, number)
        absolute = replace(canvas, image=canvas.image and urljoin(url, canvas.image))
        if iiif.image_urls(absolute, None):
            pages.append(
                IiifSource(id=page_id, document=url, canvas=absolute, max_pixels=max_pixels, fetching=fetching)
            )
        else:
            pages.append(_missing(page_id, url))
    return pages


def numbered(name: str, number: int) -> str:
    """The name of a page of a file with several, counted from 1."""
    return f"{name}#{number:04d}"


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(_HEAD_BYTES)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error


def _image_pages(path: Path, name: str, max_pixels: int) -> list[PageSource]:
    """The image of a file, or those of a TIFF file; only with several do names carry a number."""
    frames = page_frames(path) if path.suffix.lower() in _TIFF_SUFFIXES else (0,)
    if len(frames) == 1:
        folder = posixpath.dirname(name) or "."
        return [ImageSource(id=name, document=folder, path=path, frame=frames[0], max_pixels=max_pixels)]
    return [
        ImageSource(id=numbered(name, number), document=name, path=path, frame=frame, max_pixels=max_pixels)
        for number, frame in enumerate(frames, start=1)
    ]


def _pdf_pages(path: Path, name: str, max_pixels: int) -> list[PageSource]:
    return [
        PdfSource(id=numbered(name, index + 1), document=name, path=path, index=index, max_pixels=max_pixels)
        for index in range(num_pages(path))
    ]


def _canvas_pages(canvases: list[Canvas], path: Path, name: str, max_pixels: int) -> list[PageSource]:
    """The pages of a manifest file: on the web, or beside it under their own names."""
    pages: dict[str, PageSource] = {}
    for number, canvas in enumerate(canvases, start=1):
        page_id = numbered(name, number)
        page: PageSource
        if iiif.image_urls(canvas, None):
            page = IiifSource(id=page_id, document=name, canvas=canvas, max_pixels=max_pixels)
        elif canvas.image is None:
            page = _missing(page_id, name)
        else:
            page = _page_beside(path, unquote(canvas.image), page_id, name, taken=pages, max_pixels=max_pixels)
        pages[page.id] = page
    return list(pages.values())


def _page_beside(
    path: Path, image: str, numbered_id: str, document: str, *, taken: Container[str], max_pixels: int
) -> PageSource:
    """The page of a manifest whose image lies in the folder of the manifest, under the image's name."""
    try:
        file = inside(path.parent, image)
    except DataError as error:
        return BrokenSource(id=numbered_id, document=document, reason=f"page {numbered_id}: {error}")
    if not file.is_file():
        reason = f"page {numbered_id}: its image {image} is missing"
        return BrokenSource(id=numbered_id, document=document, reason=reason)
    own_id = posixpath.join(posixpath.dirname(document), image)
    page_id = numbered_id if own_id in taken else own_id
    return ImageSource(id=page_id, document=document, path=file, max_pixels=max_pixels)


def _missing(id: str, document: str) -> BrokenSource:
    return BrokenSource(id=id, document=document, reason=f"page {id}: the manifest names no image that can be fetched")
