"""XML from strangers: parsed without entities, so that no document can grow while it is read."""

from __future__ import annotations

import io
from pathlib import Path
from typing import NoReturn
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from farthing.base.errors import DataError

MAX_BYTES = 256 << 20
_MAX_DEPTH = 500


def read_xml(path: Path) -> Element:
    """The root of an XML file; tags are without their namespaces.

    Raises:
        DataError: the file cannot be read, is larger than 256 MiB, is not well-formed, nests deeper than 500 levels or
            declares a document type (with it come entities, which can expand a small file to fill the memory, and
            names of other files).
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise DataError(f"{path}: is {size >> 20} MiB large; XML up to {MAX_BYTES >> 20} MiB is read")
        return parse_xml(path.read_bytes(), name=str(path))
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error


def parse_xml(content: bytes, *, name: str) -> Element:
    """The root of an XML document; tags and attributes are without their namespaces.

    Args:
        content: the document.
        name: what messages call it.

    Raises:
        DataError: see `read_xml`.
    """
    builder = TreeBuilder()
    depth = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _MAX_DEPTH:
            raise DataError(f"{name}: elements nest deeper than {_MAX_DEPTH} levels")
        builder.start(_local(tag), {_local(key): value for key, value in attributes.items()})

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(_local(tag))

    def refuse(*_: object) -> NoReturn:
        raise DataError(f"{name}: declares a document type, which is not read; remove its <!DOCTYPE ...>")

    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.ParseFile(io.BytesIO(content))
    except (expat.ExpatError, LookupError, ValueError) as error:  # the latter two: an unknown encoding
        if isinstance(error, DataError):
            raise
        raise DataError(f"{name}: is not well-formed XML ({error})") from error
    return builder.close()


def _local(name: str) -> str:
    """A name without the namespace that expat puts before it."""
    return name.rpartition(" ")[2]
