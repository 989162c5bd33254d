"""Everything that writes for long: what it is given, and what must be the same after it was stopped and went on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import load_file

from farthing.results.store import STORE_FILE, Store
from farthing.train.checkpoint import load_state, save_state
from tests.discover.collections_on_disk import make_collection
from tests.documents.fakes import write_collection
from tests.documents.plainpages import write_pages
from tests.recommend.logs import criteo_lines
from tests.soak.models import make_data

NUM_PAGES, NUM_LINES = 24, 600

Contents = dict[str, str]
"""A digest of every result by its name."""


@dataclass(frozen=True)
class Job:
    """One of the functions in `victims`.

    Attributes:
        make: writes what the job reads into a folder; the job's own folder is inside it.
        contents: of the job's folder.
    """

    make: Callable[[Path], object]
    contents: Callable[[Path], Contents]


def _training(folder: Path) -> Contents:
    """The tensors of every file of weights and states, and the states but for the time they took."""
    digests = {}
    for path in _finished(folder / "run", "*.safetensors"):
        tensors = load_file(path)
        parts = [name.encode() + tensors[name].numpy(force=True).tobytes() for name in sorted(tensors)]
        if path.name == "checkpoint.safetensors":
            parts = [_timeless(path, folder)]
        digests[str(path.relative_to(folder))] = _sha256(b"".join(parts))
    return digests


def _timeless(path: Path, folder: Path) -> bytes:
    """A checkpoint written again without the seconds that it took."""
    state = load_state(path)
    state["progress"]["seconds"] = 0.0
    for line in state["progress"]["history"]:
        line["seconds"] = 0.0
    copy = folder / "timeless"
    save_state(copy, state)
    return copy.read_bytes()


def _dataset(folder: Path) -> Contents:
    """The files of a data set, whose folder has a name of its own each time."""
    run = folder / "run"
    manifest = json.loads((run / "manifest.json").read_bytes())
    data = run / manifest.pop("folder")
    return _files(data) | {"manifest": _sha256(json.dumps(manifest).encode())}


def _filtered(folder: Path) -> Contents:
    """The files of a filter, and what its store says."""
    with Store.open(folder / "run" / STORE_FILE) as store:
        rows = [(row, store.boxes(row.page)) for row in store.pages()]
        said = _sha256(repr((rows, store.meta())).encode())
    files = _files(folder / "run")
    return {name: digest for name, digest in files.items() if not name.startswith(STORE_FILE)} | {"store": said}


def _discovered(folder: Path) -> Contents:
    """The files of a fit without the seconds that it took; the report is made of them."""
    summary = json.loads((folder / "run" / "summary.json").read_bytes())
    del summary["seconds"]
    files = _files(folder / "run") | {"summary.json": _sha256(json.dumps(summary).encode())}
    del files["report.html"]
    return files


def _files(folder: Path) -> Contents:
    return {str(path.relative_to(folder)): _sha256(path.read_bytes()) for path in _finished(folder, "*")}


def _finished(folder: Path, pattern: str) -> list[Path]:
    """Every file that has its final name, in folders that have theirs: a killed process leaves temporary ones."""
    found = sorted(path for path in folder.rglob(pattern) if path.is_file())
    return [path for path in found if ".part" not in str(path.relative_to(folder))]


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


JOBS = {
    "toy": Job(Path.exists, _training),
    "recommend": Job(make_data, _training),
    "documents": Job(lambda folder: write_pages(folder / "pages", NUM_PAGES), _training),
    "prepare": Job(lambda folder: (folder / "log.tsv").write_text("\n".join(criteo_lines(NUM_LINES))), _dataset),
    "filter": Job(lambda folder: write_collection(folder / "pages", num_pages=NUM_PAGES), _filtered),
    "fit": Job(make_collection, _discovered),
}
