"""Which images of a TIFF file are pages: its directories, read without decoding any of them."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from farthing.base.errors import DataError

MAX_DIRECTORIES = 10_000

_SUBFILE_TYPE = 254
_NO_PAGE = 0b101  # bit 0: a smaller copy of another image; bit 2: a transparency mask
_VERSIONS = {b"II*\0": ("<", False), b"MM\0*": (">", False), b"II+\0": ("<", True), b"MM\0+": (">", True)}


def page_frames(path: Path) -> tuple[int, ...]:
    """Positions of the directories that are pages: all but thumbnails and masks; (0,) where the file is no TIFF.

    A directory that lies beyond the end of a file cut short is among them, so that its page is missed when it is read.

    Raises:
        DataError: the file cannot be read, or has more than `MAX_DIRECTORIES` images.

    Source: TIFF Revision 6.0, section 2, and the BigTIFF layout of libtiff.
    """
    try:
        with path.open("rb") as stream:
            frames = [number for number, kind in enumerate(_subfile_types(stream, path)) if not kind & _NO_PAGE]
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    return tuple(frames) or (0,)


def _subfile_types(stream: BinaryIO, path: Path) -> Iterator[int]:
    """The NewSubfileType of each directory, 0 where it says none or lies beyond the end."""
    byte_order, is_big = _VERSIONS.get(stream.read(4), ("", False))
    if not byte_order:
        return
    count_format, entry_format, offset_format = ("Q", "HHQQ", "Q") if is_big else ("H", "HHII", "I")
    seen: set[int] = set()
    try:
        if is_big:
            stream.seek(8)
        (offset,) = _unpack(stream, byte_order + offset_format)
        while offset and offset not in seen:
            if len(seen) == MAX_DIRECTORIES:
                raise DataError(f"{path}: has more than {MAX_DIRECTORIES:,} images; split the file")
            seen.add(offset)
            stream.seek(offset)
            (num_entries,) = _unpack(stream, byte_order + count_format)
            kind = 0
            for _ in range(min(num_entries, 1 << 16)):
                tag, field_type, _, value = _unpack(stream, byte_order + entry_format)
                if tag == _SUBFILE_TYPE:
                    kind = _short_or_long(value, field_type, byte_order, bits=64 if is_big else 32)
            (offset,) = _unpack(stream, byte_order + offset_format)
            yield kind
    except struct.error:
        yield 0


def _unpack(stream: BinaryIO, layout: str) -> tuple[int, ...]:
    return struct.unpack(layout, stream.read(struct.calcsize(layout)))


def _short_or_long(value: int, field_type: int, byte_order: str, *, bits: int) -> int:
    """A value field that holds a SHORT (type 3) at its start, read as the wider number of `bits`."""
    return value >> (bits - 16) if field_type == 3 and byte_order == ">" else value
