"""`farthing inspect` and `farthing verify`: what is in a folder that farthing wrote, and whether it is undamaged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from farthing.kinds import KINDS, TensorInfo, kind_of

inspect_app = typer.Typer(add_completion=False)
verify_app = typer.Typer(add_completion=False)

Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="A model, run, data or comparison folder.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]

_DAMAGED = 1
_MAX_DEPTH = 3
_MAX_VALUES = 8


class FileSize(msgspec.Struct, frozen=True, kw_only=True):
    """One file of the folder."""

    name: str
    size_bytes: int


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """Everything `farthing inspect` says; `facts` are what the folder's own description holds, as dotted keys."""

    folder: str
    kind: str
    size_bytes: int
    facts: dict[str, str]
    tensors: tuple[TensorInfo, ...]
    files: tuple[FileSize, ...]


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """Everything `farthing verify` says; no findings mean that nothing is damaged."""

    folder: str
    kind: str
    findings: tuple[str, ...]


@inspect_app.command(epilog="Example: farthing inspect MODEL")
def inspect(folder: Folder, *, json: AsJson = False) -> None:
    """Say what is in a folder that farthing wrote, and how big it is."""
    contents = look_into(folder)
    typer.echo(_as_json(contents) if json else "\n".join(_lines(contents)))


@verify_app.command(epilog="Example: farthing verify MODEL")
def verify(folder: Folder, *, json: AsJson = False) -> None:
    """Check that a folder that farthing wrote is undamaged.

    The hashes of models and checkpoints are computed anew, and every file of a data set is read. Each damaged, missing
    or foreign file is named; if there is one, the exit code is 1.
    """
    kind = kind_of(folder)
    verdict = Verdict(folder=str(folder), kind=kind, findings=tuple(KINDS[kind].verify(folder)))
    if json:
        typer.echo(_as_json(verdict))
    else:
        typer.echo("\n".join(verdict.findings) or f"{folder}: {kind} folder, no damage found")
    if verdict.findings:
        raise typer.Exit(_DAMAGED)


def look_into(folder: Path) -> Contents:
    """What is in `folder`.

    Raises:
        FormatError: it is nothing that farthing wrote, or its description is damaged.
    """
    kind = kind_of(folder)
    files = tuple(
        FileSize(name=path.relative_to(folder).as_posix(), size_bytes=path.stat().st_size)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    )
    facts, tensors = KINDS[kind].describe(folder)
    return Contents(
        folder=str(folder),
        kind=kind,
        size_bytes=sum(file.size_bytes for file in files),
        facts=dict(_flatten(facts, ())),
        tensors=tensors,
        files=files,
    )


def _flatten(value: object, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """(dotted key, short text) of each value of a JSON description."""
    if isinstance(value, Mapping) and len(path) < _MAX_DEPTH:
        for key, child in value.items():
            yield from _flatten(child, (*path, str(key)))
    elif isinstance(value, list) and value and isinstance(value[0], Mapping) and "name" in value[0]:
        for child in value:
            yield from _flatten({key: child[key] for key in child if key != "name"}, (*path, str(child["name"])))
    elif isinstance(value, Mapping | list) and len(value) > _MAX_VALUES:
        yield ".".join(path), f"{len(value)} entries"
    else:
        yield ".".join(path), value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _lines(contents: Contents) -> Iterator[str]:
    """The contents as aligned lines."""
    yield f"{contents.folder}: {contents.kind} folder, {_size(contents.size_bytes)}"
    yield from _table("facts", contents.facts)
    yield from _table(
        "tensors", {t.name: f"{t.dtype} {list(t.shape)}, {_size(t.size_bytes)}" for t in contents.tensors}
    )
    yield from _table("files", {file.name: _size(file.size_bytes) for file in contents.files})


def _table(title: str, rows: Mapping[str, str]) -> Iterator[str]:
    if rows:
        yield ""
        yield title
        width = max(map(len, rows))
        yield from (f"  {name:<{width}}  {value}" for name, value in rows.items())


def _size(size_bytes: int) -> str:
    """Bytes as a person reads them: 1 kB is 1000 bytes."""
    size = float(size_bytes)
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.4g} {unit}"
        size /= 1000
    return f"{size:.4g} GB"


def _as_json(value: Contents | Verdict) -> str:
    return msgspec.json.format(msgspec.json.encode(value)).decode()
