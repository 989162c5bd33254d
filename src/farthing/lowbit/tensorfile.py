"""The tensors of a safetensors file: read once into one block of memory and hashed on the way, or mapped.

The header is checked before anything is built from it: sizes, counts, types, and that the tensors fill the file without
a gap or an overlap.
"""

from __future__ import annotations

import hashlib
import math
import mmap
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Annotated

import msgspec
import torch
from torch import Tensor

from farthing.base.errors import FormatError

MAX_HEADER_BYTES = 1 << 20
MAX_TENSORS = 10_000

# What msgspec raises for text that is no JSON of the expected form.
JSON_ERRORS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

DTYPES: dict[str, torch.dtype] = {
    "BOOL": torch.bool,
    "U8": torch.uint8,
    "I8": torch.int8,
    "I16": torch.int16,
    "I32": torch.int32,
    "I64": torch.int64,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "F32": torch.float32,
    "F64": torch.float64,
}

_LINE_BYTES = 64
_HUGE_PAGE_BYTES = 1 << 21
# Read and hashed at once: what stays in a core's cache between the two.
_CHUNK_BYTES = 1 << 18

# What torch can count.
_Count = Annotated[int, msgspec.Meta(ge=0, le=2**62)]
_Shape = Annotated[tuple[_Count, ...], msgspec.Meta(max_length=8)]


class _Entry(msgspec.Struct, frozen=True):
    """A tensor in the header."""

    dtype: str
    shape: _Shape
    data_offsets: tuple[_Count, _Count]

    @property
    def num_bytes(self) -> int:
        return math.prod(self.shape) * DTYPES[self.dtype].itemsize

    def tensor(self, memory: mmap.mmap, start: int) -> Tensor:
        """The tensor whose bytes start there; it keeps the memory alive."""
        dtype, count = DTYPES[self.dtype], math.prod(self.shape)
        if count == 0:
            return torch.empty(self.shape, dtype=dtype)
        return torch.frombuffer(memory, dtype=dtype, count=count, offset=start).view(self.shape)


@dataclass(frozen=True, slots=True)
class _Header:
    """The entries in the order of their bytes, the first of which is byte `start` of the file."""

    content: bytes
    entries: dict[str, _Entry]

    @property
    def start(self) -> int:
        return len(self.content)


def read_tensors(path: Path, digests: Mapping[str, str]) -> tuple[dict[str, Tensor], str]:
    """The tensors of a file, each with the SHA-256 that `digests` has for it, and the SHA-256 of the whole file.

    They lie in one block of anonymous memory, in huge pages where the system has them: a row of a large table is then
    found without a walk through page tables (measured: 10 instead of 23-37 ns for a random line).

    Raises:
        FormatError: the file is not whole and sound, or not that of the digests; names the tensor.
        OSError: it cannot be read.
    """
    with path.open("rb", buffering=0) as file:
        header = _read_header(path, file)
        _check_names(path, header, digests)
        starts = list(_aligned_starts(header))
        memory = _anonymous_memory(starts[-1])
        whole = hashlib.sha256(header.content)
        for (name, entry), start in zip(header.entries.items(), starts, strict=False):
            part = hashlib.sha256()
            for chunk in _filled_chunks(path, file, memory, start, entry.num_bytes):
                whole.update(chunk)
                part.update(chunk)
            if part.hexdigest() != digests[name]:
                raise FormatError(f"{path}: tensor {name!r} is damaged, its SHA-256 is not the one in config.json")
    pairs = zip(header.entries.items(), starts, strict=False)
    return {name: entry.tensor(memory, start) for (name, entry), start in pairs}, whole.hexdigest()


def map_tensors(path: Path, digests: Mapping[str, str]) -> dict[str, Tensor]:
    """The tensors of a file that stays on the disk: only what is used is read, when it is used, and nothing is hashed.

    Who cuts the file short while it is mapped ends the process with SIGBUS at the next use of what is gone.

    Raises:
        FormatError: the header is not sound or has other tensors than `digests`; or a tensor does not lie on a multiple
            of its type's size.
        OSError: it cannot be read.
    """
    with path.open("rb", buffering=0) as file:
        header = _read_header(path, file)
        _check_names(path, header, digests)
        memory = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    if hasattr(mmap, "MADV_RANDOM"):
        memory.madvise(mmap.MADV_RANDOM)
    tensors = {}
    for name, entry in header.entries.items():
        start = header.start + entry.data_offsets[0]
        if start % DTYPES[entry.dtype].itemsize:
            raise FormatError(f"{path}: tensor {name!r} is not aligned to its type; load the model without mapping it")
        tensors[name] = entry.tensor(memory, start)
    return tensors


def _read_header(path: Path, file: FileIO) -> _Header:
    """The header, once it fits a file of this size."""
    file_size = os.fstat(file.fileno()).st_size
    prefix = file.read(8) or b""
    size = int.from_bytes(prefix, "little")
    if len(prefix) < 8 or size > min(MAX_HEADER_BYTES, file_size - 8):
        raise FormatError(f"{path}: header of {size} bytes; it takes at most {MAX_HEADER_BYTES} and fits in the file")
    content = prefix + (file.read(size) or b"")
    try:
        raw = msgspec.json.decode(content[8:], type=dict[str, msgspec.Raw])
        raw.pop("__metadata__", None)
        entries = {name: msgspec.json.decode(value, type=_Entry) for name, value in raw.items()}
    except JSON_ERRORS as error:
        raise FormatError(f"{path}: not a safetensors header ({error})") from error
    if len(entries) > MAX_TENSORS:
        raise FormatError(f"{path}: at most {MAX_TENSORS} tensors, got {len(entries)}")
    ordered = dict(sorted(entries.items(), key=lambda item: item[1].data_offsets))
    _check_entries(path, ordered, num_bytes=file_size - len(content))
    return _Header(content, ordered)


def _check_entries(path: Path, entries: Mapping[str, _Entry], *, num_bytes: int) -> None:
    """Checks that the tensors, one behind the other, are the bytes behind the header."""
    end = 0
    for name, entry in entries.items():
        if entry.dtype not in DTYPES:
            raise FormatError(f"{path}: tensor {name!r} has type {entry.dtype!r}, which no model of ours has")
        if math.prod(max(axis, 1) for axis in entry.shape) > 2**62:
            raise FormatError(f"{path}: tensor {name!r} has axes that are too long, {list(entry.shape)}")
        if entry.data_offsets != (end, end + entry.num_bytes):
            raise FormatError(
                f"{path}: tensor {name!r} must be the {entry.num_bytes} bytes from {end} on, got {entry.data_offsets}"
            )
        end += entry.num_bytes
    if end != num_bytes:
        raise FormatError(f"{path}: the tensors take {end} bytes, the file has {num_bytes} for them")


def _check_names(path: Path, header: _Header, digests: Mapping[str, str]) -> None:
    for name in sorted(digests.keys() ^ header.entries.keys()):
        raise FormatError(f"{path}: tensor {name!r} is missing or was not part of the model")


def _aligned_starts(header: _Header) -> Iterator[int]:
    """Where each tensor starts in memory, and at last where it ends; each on a line of the cache."""
    start = 0
    for entry in header.entries.values():
        yield start
        start += -(-entry.num_bytes // _LINE_BYTES) * _LINE_BYTES
    yield start


def _anonymous_memory(num_bytes: int) -> mmap.mmap:
    memory = mmap.mmap(-1, max(num_bytes, 1), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if num_bytes >= _HUGE_PAGE_BYTES and hasattr(mmap, "MADV_HUGEPAGE"):
        memory.madvise(mmap.MADV_HUGEPAGE)
    return memory


def _filled_chunks(path: Path, file: FileIO, memory: mmap.mmap, start: int, num_bytes: int) -> Iterator[memoryview]:
    """Fills the bytes from `start` on from the file, and yields them piece by piece."""
    view = memoryview(memory)[start : start + num_bytes]
    while view:
        count = file.readinto(view[:_CHUNK_BYTES])
        if not count:
            raise FormatError(f"{path}: was cut short while it was read")
        yield view[:count]
        view = view[count:]
