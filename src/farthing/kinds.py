"""The kinds of folder that farthing writes: how each is recognised, described and checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from farthing.base.errors import FormatError
from farthing.base.files import read_json

T = TypeVar("T")


class TensorInfo(msgspec.Struct, frozen=True, kw_only=True):
    """One tensor of a model, as it lies on the disk."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    size_bytes: int


class Kind(NamedTuple):
    """A kind of folder: the file that marks it, what it holds (facts and tensors), and what is wrong with it."""

    marker: str
    describe: Callable[[Path], tuple[object, tuple[TensorInfo, ...]]]
    verify: Callable[[Path], list[str]]


def kind_of(folder: Path) -> str:
    """The name in `KINDS` of what `folder` is.

    Raises:
        FormatError: it is not a folder, or nothing that farthing wrote.
    """
    if not folder.is_dir():
        raise FormatError(f"{folder}: is not a folder")
    for name, kind in KINDS.items():
        if (folder / kind.marker).is_file():
            return name
    markers = ", ".join(f"{kind.marker} ({name})" for name, kind in KINDS.items())
    raise FormatError(f"{folder}: farthing did not write this; it has none of {markers}")


def _describe_model(folder: Path) -> tuple[object, tuple[TensorInfo, ...]]:
    from farthing.lowbit.artifact import load_artifact

    artifact = load_artifact(folder)
    return artifact.config, tuple(
        TensorInfo(
            name=name,
            dtype=str(tensor.dtype).removeprefix("torch."),
            shape=tuple(tensor.shape),
            size_bytes=tensor.numel() * tensor.element_size(),
        )
        for name, tensor in artifact.tensors.items()
    )


def _verify_model(folder: Path) -> list[str]:
    from farthing.lowbit.artifact import verify_artifact

    return verify_artifact(folder)


def _describe_run(folder: Path) -> tuple[object, tuple[TensorInfo, ...]]:
    facts = {"run": read_json(folder / "run.json", object)}
    if (folder / "result.json").is_file():
        facts["result"] = read_json(folder / "result.json", object)
    return facts, ()


def _verify_run(folder: Path) -> list[str]:
    from farthing.train.checkpoint import load_state

    return _errors(load_state, sorted(folder.glob("*.safetensors")))


def _describe_data(folder: Path) -> tuple[object, tuple[TensorInfo, ...]]:
    return read_json(folder / "manifest.json", object), ()


def _verify_data(folder: Path) -> list[str]:
    """Encoded rows carry no hashes: every shard and vocabulary must be readable and as long as the manifest says."""
    from farthing.recommend.dataset import Dataset

    dataset = Dataset.open(folder)
    return _errors(dataset.labels, dataset.manifest.splits) + _errors(dataset.table_rows, [1])


def _describe_comparison(folder: Path) -> tuple[object, tuple[TensorInfo, ...]]:
    return read_json(folder / "compare.json", object), ()


def _verify_comparison(folder: Path) -> list[str]:
    """The findings of every folder below that farthing wrote."""
    marked = {path.parent for kind in KINDS.values() for path in folder.rglob(kind.marker)} - {folder}
    return [finding for below in sorted(marked) for finding in KINDS[kind_of(below)].verify(below)]


def _describe_filter(folder: Path) -> tuple[object, tuple[TensorInfo, ...]]:
    from farthing.results.store import STORE_FILE, Store

    with Store.open(folder / STORE_FILE) as store:
        return store.meta() | {"pages": store.count()}, ()


def _verify_filter(folder: Path) -> list[str]:
    from farthing.results.store import STORE_FILE, Store

    try:
        with Store.open(folder / STORE_FILE) as store:
            return store.damage()
    except FormatError as error:
        return [str(error)]


def _describe_pages(folder: Path) -> tuple[object, tuple[TensorInfo, ...]]:
    return read_json(folder / "synthesis.json", object), ()


def _verify_pages(folder: Path) -> list[str]:
    from farthing.documents.formats import read_annotations

    return list(read_annotations(folder).warnings)


def _describe_discovery(folder: Path) -> tuple[object, tuple[TensorInfo, ...]]:
    facts = {"discovery": read_json(folder / "discovery.json", object)}
    if (folder / "summary.json").is_file():
        facts["summary"] = read_json(folder / "summary.json", object)
    return facts, ()


def _verify_discovery(folder: Path) -> list[str]:
    from farthing.train.checkpoint import load_state

    model = folder / "model"
    findings = _verify_model(model) if model.is_dir() else []
    return findings + _errors(load_state, sorted(folder.glob("*.safetensors")))


def _errors(read: Callable[[T], object], sources: Iterable[T]) -> list[str]:
    """The message of each source that `read` refuses."""
    findings = []
    for source in sources:
        try:
            read(source)
        except FormatError as error:
            findings.append(str(error))
    return findings


KINDS = {
    "model": Kind("model.safetensors", _describe_model, _verify_model),
    "run": Kind("run.json", _describe_run, _verify_run),
    "data": Kind("manifest.json", _describe_data, _verify_data),
    "filter": Kind("store.sqlite", _describe_filter, _verify_filter),
    "pages": Kind("synthesis.json", _describe_pages, _verify_pages),
    "discovery": Kind("discovery.json", _describe_discovery, _verify_discovery),
    "comparison": Kind("compare.json", _describe_comparison, _verify_comparison),
}
