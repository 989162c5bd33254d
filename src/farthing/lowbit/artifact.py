"""The model folder: config.json, model.safetensors, SHA256SUMS and whatever files an application adds.

Written whole or not at all; read once, with every byte checked. Nothing in it is code, and nothing in it is run.
docs/format.md specifies it.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import safetensors.torch
import torch
from torch import Tensor

from farthing.base.errors import ConfigError, FormatError
from farthing.base.files import sha256_file
from farthing.lowbit.folders import replaced_folder
from farthing.lowbit.tensorfile import JSON_ERRORS, MAX_HEADER_BYTES, MAX_TENSORS, map_tensors, read_tensors

# Room for a digest and a name per tensor, and for the application.
MAX_CONFIG_BYTES = 1 << 22

CONFIG_NAME = "config.json"
TENSORS_NAME = "model.safetensors"
SUMS_NAME = "SHA256SUMS"

_PLAIN_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"
_SUM_LINE = re.compile(r"(?P<sum>[0-9a-f]{64})  (?P<name>[^\n]+)\n")

FileName = Annotated[str, msgspec.Meta(pattern=_PLAIN_NAME)]
Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class ArtifactConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What config.json holds.

    Attributes:
        format: Always `farthing`.
        version: Of the format; another one is refused.
        tensors: SHA-256 of each tensor's bytes.
        files: Names of the application's files.
        config: The application's own description, any JSON object.
    """

    format: Literal["farthing"] = "farthing"
    version: Literal[1] = 1
    tensors: dict[str, Sha256]
    files: tuple[FileName, ...]
    config: dict[str, Any]  # Any: JSON


@dataclass(frozen=True, kw_only=True, slots=True)
class Artifact:
    """A model folder whose every byte was checked, those of mapped tensors apart.

    Attributes:
        config: The application's own description.
        tensors: By name.
        files: Paths of the application's files by name.
    """

    config: dict[str, Any]  # Any: JSON
    tensors: dict[str, Tensor]
    files: dict[str, Path]


def save_artifact(
    folder: Path,
    *,
    config: Mapping[str, Any],  # Any: JSON
    tensors: Mapping[str, Tensor],
    files: Mapping[str, bytes | Path] | None = None,
) -> None:
    """Writes a model folder; an earlier one of this name is replaced in one step, once the new one is on the disk.

    Args:
        folder: Where to write.
        config: JSON object that describes the model.
        tensors: By name.
        files: Contents, or files to copy, by plain file name.

    Raises:
        ConfigError: too many tensors, or a file name that is not plain or is one of the folder's own.
        DataError: the folder cannot be written or holds something else; what is there stays as it was.
    """
    files = files or {}
    _check_names(files, num_tensors=len(tensors))
    arrays = _owned(tensors)
    described = ArtifactConfig(
        tensors={name: _sha256_tensor(arrays[name]) for name in sorted(arrays)},
        files=tuple(sorted(files)),
        config=dict(config),
    )
    with replaced_folder(folder, marker=SUMS_NAME) as temporary:
        (temporary / CONFIG_NAME).write_bytes(msgspec.json.format(msgspec.json.encode(described), indent=2) + b"\n")
        safetensors.torch.save_file(arrays, temporary / TENSORS_NAME)
        for name, content in files.items():
            if isinstance(content, Path):
                shutil.copyfile(content, temporary / name)
            else:
                (temporary / name).write_bytes(content)
        names = sorted((CONFIG_NAME, TENSORS_NAME, *files))
        sums = "".join(f"{sha256_file(temporary / name)}  {name}\n" for name in names)
        (temporary / SUMS_NAME).write_text(sums, encoding="ascii")


def load_artifact(folder: Path, *, is_mapped: bool = False) -> Artifact:
    """What a model folder holds, after every byte of it was checked.

    Args:
        folder: What `save_artifact` wrote.
        is_mapped: Leave the tensors on the disk and read what is used when it is used, for tables larger than memory.
            Their bytes are then not checked; `verify_artifact` does that.

    Raises:
        FormatError: a file or a tensor is missing, damaged, foreign or too large; names it.
    """
    sums = _read_sums(folder)
    described = _read_config(folder, sums)
    for name in described.files:
        _check_file(folder, name, sums)
    digests = described.tensors
    tensors = _map_tensors(folder, digests) if is_mapped else _read_tensors(folder, digests, sums)
    return Artifact(config=described.config, tensors=tensors, files={name: folder / name for name in described.files})


def verify_artifact(folder: Path) -> list[str]:
    """What is wrong with a model folder, a line per finding; none if `load_artifact` takes it and nothing is extra."""
    findings = []
    try:
        sums = _read_sums(folder)
    except FormatError as error:
        return [str(error)]
    for name in sums:
        try:
            _check_file(folder, name, sums)
        except FormatError as error:
            findings.append(str(error))
    try:
        load_artifact(folder)
    except FormatError as error:
        findings.append(str(error))
    extra = sorted(path.name for path in folder.iterdir() if path.name not in {*sums, SUMS_NAME})
    findings.extend(f"{folder / name}: not part of the model; nothing vouches for it" for name in extra)
    return list(dict.fromkeys(findings))


def _check_names(files: Mapping[str, bytes | Path], *, num_tensors: int) -> None:
    if num_tensors > MAX_TENSORS:
        raise ConfigError(f"tensors: at most {MAX_TENSORS} fit in one model file, got {num_tensors}")
    for name in files:
        if not re.fullmatch(_PLAIN_NAME, name) or name in {CONFIG_NAME, TENSORS_NAME, SUMS_NAME}:
            raise ConfigError(f"files: {name!r} is not a plain file name, or one that the model folder itself uses")


def _owned(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors on the CPU, contiguous, each with memory of its own, as safetensors wants them."""
    owned: dict[str, Tensor] = {}
    taken: set[int] = set()
    for name, tensor in tensors.items():
        array = tensor.detach().cpu().contiguous()
        pointer = array.untyped_storage().data_ptr()
        owned[name] = array.clone() if pointer in taken else array
        taken.add(pointer)
    return owned


def _sha256_tensor(tensor: Tensor) -> str:
    return hashlib.sha256(tensor.reshape(-1).view(torch.uint8).numpy().data).hexdigest()


@contextmanager
def _regular_file(folder: Path, name: str) -> Iterator[Path]:
    """The path of a file to be read, which is no link and no pipe; what fails while it is read is a FormatError."""
    path = folder / name
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            raise FormatError(f"{path}: not a regular file")
        yield path
    except OSError as error:
        raise FormatError(f"{path}: cannot be read ({error.strerror})") from error


def _read_file(folder: Path, name: str, *, max_bytes: int) -> bytes:
    with _regular_file(folder, name) as path:
        if (size := path.stat().st_size) > max_bytes:
            raise FormatError(f"{path}: at most {max_bytes} bytes, got {size}")
        return path.read_bytes()


def _read_sums(folder: Path) -> dict[str, str]:
    """The digest of each file that SHA256SUMS lists."""
    path = folder / SUMS_NAME
    text = _read_file(folder, SUMS_NAME, max_bytes=MAX_HEADER_BYTES).decode("ascii", errors="replace")
    matches = list(_SUM_LINE.finditer(text))
    sums = {match["name"]: match["sum"] for match in matches}
    if "".join(match[0] for match in matches) != text or list(sums) != sorted(sums) or len(sums) != len(matches):
        raise FormatError(f"{path}: not lines of a SHA-256, two spaces and a file name, in order of the names")
    for name in sums:
        if not re.fullmatch(_PLAIN_NAME, name):
            raise FormatError(f"{path}: {name!r} is not a plain file name")
    for name in (CONFIG_NAME, TENSORS_NAME):
        if name not in sums:
            raise FormatError(f"{path}: does not list {name}")
    return sums


def _check_sum(path: Path, digest: str, sums: Mapping[str, str]) -> None:
    if digest != sums.get(path.name):
        raise FormatError(f"{path}: damaged or replaced, its SHA-256 is not the one in {SUMS_NAME}")


def _check_file(folder: Path, name: str, sums: Mapping[str, str]) -> None:
    with _regular_file(folder, name) as path:
        _check_sum(path, sha256_file(path), sums)


def _read_config(folder: Path, sums: Mapping[str, str]) -> ArtifactConfig:
    path = folder / CONFIG_NAME
    content = _read_file(folder, CONFIG_NAME, max_bytes=MAX_CONFIG_BYTES)
    _check_sum(path, hashlib.sha256(content).hexdigest(), sums)
    try:
        return msgspec.json.decode(content, type=ArtifactConfig)
    except JSON_ERRORS as error:
        raise FormatError(f"{path}: not what this version of farthing writes ({error})") from error


def _read_tensors(folder: Path, digests: Mapping[str, str], sums: Mapping[str, str]) -> dict[str, Tensor]:
    with _regular_file(folder, TENSORS_NAME) as path:
        tensors, digest = read_tensors(path, digests)
        _check_sum(path, digest, sums)
        return tensors


def _map_tensors(folder: Path, digests: Mapping[str, str]) -> dict[str, Tensor]:
    with _regular_file(folder, TENSORS_NAME) as path:
        return map_tensors(path, digests)
