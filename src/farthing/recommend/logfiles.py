"""The bytes of a click log: blocks of whole lines, read once, from plain or gzip files of any size."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from farthing.base.errors import DataError

BLOCK_BYTES = 40 << 20
# Rows times columns that may be in memory at once: a value takes up to 24 bytes while a block is encoded.
MAX_CELLS = 8_000_000
HEAD_BYTES = 1 << 20

_GZIP_MAGIC = b"\x1f\x8b"
_PARQUET_MAGIC = b"PAR1"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class TextBlock:
    """Whole lines of a log, each ended by one newline byte.

    Attributes:
        path: the file they come from.
        first_line: the number of the first one, counted from 1.
        text: the lines.
        position: bytes of the file (compressed ones of a gzip file) that have been read so far.
    """

    path: Path
    first_line: int
    text: bytes
    position: int


def is_parquet(path: Path) -> bool:
    """Whether the file starts as a Parquet file does.

    Raises:
        DataError: the file cannot be read or is empty.
    """
    return _magic(path).startswith(_PARQUET_MAGIC)


def head(path: Path) -> bytes:
    """The first whole lines of a text log, at most 1 MiB.

    Raises:
        DataError: the file cannot be read, is empty, or its first line is longer than that.
    """
    return next(text_blocks(path, block_bytes=HEAD_BYTES)).text


def text_blocks(path: Path, *, block_bytes: int = BLOCK_BYTES) -> Iterator[TextBlock]:
    """The lines of a log in blocks of at most `block_bytes`; gzip is recognised by its first bytes.

    Windows line ends become newlines, a byte order mark is dropped, and a missing last newline is added.

    Raises:
        DataError: the file cannot be read, is empty, has a line longer than a block, or is a damaged gzip file.
    """
    is_gzip = _magic(path).startswith(_GZIP_MAGIC)
    line = 1
    try:
        with path.open("rb") as raw:
            stream: IO[bytes] = gzip.GzipFile(fileobj=raw) if is_gzip else raw
            for text in _cut_at_newlines(path, stream, block_bytes):
                block = _normalise(text, is_first=line == 1)
                yield TextBlock(path, line, block, raw.tell())
                line += block.count(b"\n")
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DataError(
            f"{path}: the gzip data is truncated or damaged ({error}) after line {line - 1:,}; "
            "fetch the file again (`gzip --test` tells whether it is whole)"
        ) from error
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    if line == 1:
        raise DataError(f"{path}: the file has no lines; a click log has one row per line")


def _magic(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            magic = stream.read(4)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    if not magic:
        raise DataError(f"{path}: the file is empty; a click log has one row per line")
    return magic


def _cut_at_newlines(path: Path, stream: IO[bytes], block_bytes: int) -> Iterator[bytes]:
    rest = b""
    while chunk := stream.read(block_bytes - len(rest)):
        text = rest + chunk
        end = text.rfind(b"\n") + 1
        if end == 0 and len(text) >= block_bytes:
            raise DataError(f"{path}: a line is longer than {block_bytes:,} bytes; is this a text log?")
        rest = text[end:]
        if end:
            yield text[:end]
    if rest:
        yield rest + b"\n"


def _normalise(text: bytes, *, is_first: bool) -> bytes:
    if is_first:
        text = text.removeprefix(_BYTE_ORDER_MARK)
    return text.replace(b"\r\n", b"\n") if b"\r" in text else text
