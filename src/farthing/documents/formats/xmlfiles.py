"""A file or a folder of PAGE and ALTO files, told apart by their roots."""

from __future__ import annotations

import posixpath
from pathlib import Path

from farthing.base.errors import DataError
from farthing.documents.collection.xmltree import read_xml
from farthing.documents.formats import alto, pagexml
from farthing.documents.formats.locate import find_image
from farthing.documents.formats.records import PageRecord, Parsed, Warnings

READERS = {"PcGts": pagexml.read_root, "alto": alto.read_root}


def read(path: Path, images: Path, warnings: Warnings) -> Parsed:
    """The pages of one file, or of every PAGE and ALTO file below a folder; in a folder, damaged ones are counted.

    Raises:
        DataError: the one file is damaged or neither, or there is no such file in the folder.
    """
    if not path.is_dir():
        return Parsed(pages=[_page(path, path.parent, images)])
    pages = []
    for file in sorted(path.rglob("*.xml")):
        try:
            pages.append(_page(file, path, images))
        except DataError as error:
            warnings.add("XML files are left out: neither PAGE nor ALTO, or damaged", f"{error}")
    return Parsed(pages=pages)


def _page(file: Path, root: Path, images: Path) -> PageRecord:
    """The page of a file, its image's name relative to `root`; by the file's own name where it names none."""
    tree = read_xml(file)
    if tree.tag not in READERS:
        raise DataError(f"{file}: is neither PAGE nor ALTO; its root is <{tree.tag}>")
    record = READERS[tree.tag](tree, name=str(file))
    folder = file.parent.relative_to(root).as_posix()
    if record.page:
        page = posixpath.join(folder, record.page.replace("\\", "/"))
    else:
        stem = posixpath.join(folder, file.stem)
        page = find_image(images, stem) or stem
    return PageRecord(posixpath.normpath(page), record.width, record.height, record.objects)
