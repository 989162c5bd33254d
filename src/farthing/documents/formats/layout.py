"""Where the file of a page goes in a folder of exports, and how XML gets there."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from xml.etree.ElementTree import Element, indent, tostring

from farthing.base.files import write_bytes
from farthing.documents.collection.paths import inside
from farthing.vision.images import SUFFIXES


def beside(page: str, suffix: str) -> str:
    """The name of the file that describes a page: an image's suffix gives way, any other name is kept whole."""
    name = PurePosixPath(page)
    return str(name.with_suffix(suffix)) if name.suffix.lower() in SUFFIXES else page + suffix


def xml_path(out: Path, page: str) -> Path:
    """Where the XML file of a page goes: below `out`, in the folders of the page.

    Raises:
        DataError: the page's name leads out of `out`.
    """
    return inside(out, beside(page, ".xml"))


def write_tree(path: Path, root: Element) -> None:
    """Writes an XML document as indented UTF-8, atomically."""
    indent(root)
    write_bytes(path, tostring(root, encoding="utf-8", xml_declaration=True) + b"\n")
