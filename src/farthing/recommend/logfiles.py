"""The bytes of a click log: blocks of whole lines, read once, from plain or gzip files of any size."""

from __future__ import annotations

import gzip
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeVar, cast

from farthing.base.errors import DataError

T = TypeVar("T")
R = TypeVar("R")

BLOCK_BYTES = 28 << 20
# Rows times columns that may be in memory at once: a value takes up to 24 bytes while a block is encoded.
MAX_CELLS = 6_000_000
HEAD_BYTES = 1 << 20

_GZIP_MAGIC = b"\x1f\x8b"
_PARQUET_MAGIC = b"PAR1"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class TextBlock:
    """Whole lines of a log, each ended by one newline byte.

    Attributes:
        path: the file they come from.
        first_line: the number of the first one, counted from 1.
        num_lines: how many there are.
        text: the lines.
        position: bytes of the file (compressed ones of a gzip file) that have been read so far.
    """

    path: Path
    first_line: int
    num_lines: int
    text: bytes
    position: int

    @property
    def fraction(self) -> float:
        """How much of the file has been read, in [0, 1]."""
        return min(self.position / self.path.stat().st_size, 1.0)

    def lines(self, numbers: Sequence[int]) -> list[str]:
        """The lines with these numbers; bytes that are not UTF-8 appear as escapes."""
        lines = self.text.split(b"\n")
        return [lines[number - self.first_line].decode(errors="backslashreplace") for number in numbers]


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
    """The lines of a log in blocks of about `block_bytes`; gzip is recognised by its first bytes.

    Windows line ends become newlines, a byte order mark is dropped, and a missing last newline is added.

    Raises:
        DataError: the file cannot be read, is empty, has a line longer than a block, or is a damaged gzip file.
    """
    is_gzip = _magic(path).startswith(_GZIP_MAGIC)
    line = 1
    try:
        with path.open("rb") as raw:
            stream = cast("BinaryIO", gzip.GzipFile(fileobj=raw)) if is_gzip else raw
            while text := _whole_lines(path, stream, block_bytes):
                block = _normalise(text, is_first=line == 1)
                num_lines = block.count(b"\n")
                yield TextBlock(path, line, num_lines, block, raw.tell())
                line += num_lines
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


def _whole_lines(path: Path, stream: BinaryIO, block_bytes: int) -> bytes:
    """Some `block_bytes` bytes, up to the end of a line; empty at the end of the file."""
    text = stream.read(block_bytes)
    if len(text) == block_bytes and not text.endswith(b"\n"):
        text += (rest := stream.readline(block_bytes))
        if len(rest) == block_bytes:
            raise DataError(f"{path}: a line is longer than {block_bytes:,} bytes; is this a text log?")
    return text if text.endswith(b"\n") or not text else text + b"\n"


def _normalise(text: bytes, *, is_first: bool) -> bytes:
    if is_first:
        text = text.removeprefix(BYTE_ORDER_MARK)
    return text.replace(b"\r\n", b"\n") if b"\r" in text else text


# Executors here are not in a `with`, which would wait for their threads. Items that are not read to the end are let go
# of by the garbage collector, wherever that runs, even where a thread is being started: waiting there, prepare hung. An
# executor that nobody refers to ends its threads.


def ahead(items: Iterator[T]) -> Iterator[T]:
    """The same items; while one is being used, a thread of its own makes the next."""
    executor = ThreadPoolExecutor(max_workers=1)
    future = executor.submit(next, items, None)
    while (item := future.result()) is not None:
        future = executor.submit(next, items, None)
        yield item


def mapped_ahead(function: Callable[[T], R], items: Iterator[T], *, threads: int) -> Iterator[tuple[T, R]]:
    """Each item with what `function` makes of it, in order; so many threads work on those to come."""
    executor = ThreadPoolExecutor(threads)
    waiting: deque[tuple[T, Future[R]]] = deque()
    for item in items:
        waiting.append((item, executor.submit(function, item)))
        if len(waiting) > threads:
            yield _first(waiting)
    while waiting:
        yield _first(waiting)


def _first(waiting: deque[tuple[T, Future[R]]]) -> tuple[T, R]:
    item, future = waiting.popleft()
    return item, future.result()
