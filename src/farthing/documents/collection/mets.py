"""Pages of a METS file: its physical structure, and one image file for each page.

Source: https://www.loc.gov/standards/mets/ (version 1).
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from farthing.base.errors import DataError
from farthing.documents.collection.iiif import Canvas

MARK = b"loc.gov/METS"
# Uses of a file group that hold the page images, best first; any other group comes after them, thumbnails last.
_USES = ("ocr-d-img", "max", "master", "presentation", "default", "images", "image", "reference")
_THUMBNAILS = ("thumbs", "thumbnail", "min", "download")


def parse_mets(root: Element, *, name: str) -> list[Canvas]:
    """The pages, as canvases without a size: in the order of the physical structure, or of the best file group.

    Args:
        root: of the file.
        name: what messages call it.

    Raises:
        DataError: not METS, or no images in it.
    """
    if root.tag != "mets":
        raise DataError(f"{name}: is not a METS file; its root is <{root.tag}>")
    files = dict(_image_files(root))
    if not files:
        raise DataError(f"{name}: names no image files")
    pages = [
        _page(division, files)
        for structure in root.iter("structMap")
        if structure.get("TYPE", "").upper() == "PHYSICAL"
        for division in structure.iter("div")
        if division.get("TYPE", "").lower() == "page"
    ]
    best = min(rank for rank, _ in files.values())
    return pages or [_canvas(href) for rank, href in files.values() if rank == best]


def _image_files(root: Element) -> Iterator[tuple[str, tuple[int, str]]]:
    """(file id, (rank of its group, address)) of every image file; a low rank is better."""
    for group in root.iter("fileGrp"):
        use = group.get("USE", "").lower()
        rank = _USES.index(use) if use in _USES else len(_USES) + (use in _THUMBNAILS)
        for file in group.findall("file"):
            location = file.find("FLocat")
            href = "" if location is None else location.get("href", "")
            if href and file.get("MIMETYPE", "").startswith("image/"):
                yield file.get("ID", ""), (rank, href)


def _page(division: Element, files: dict[str, tuple[int, str]]) -> Canvas:
    """The page of one division, with the best of the images it points to, if it points to one."""
    ids = (pointer.get("FILEID", "") for pointer in division.iter())
    found = [files[file_id] for file_id in ids if file_id in files]
    return _canvas(min(found)[1] if found else None)


def _canvas(image: str | None) -> Canvas:
    return Canvas(id="", size=(0, 0), image_size=(0, 0), image=image)
