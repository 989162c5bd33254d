"""From click logs to an encoded data set, in two passes and bounded memory.

Pass 1 reads and checks the logs and spools each block of rows with a dictionary per categorical column. Then the number
of rows is known, and with it which are for training; their counts rank the values and their numbers give mean and
standard deviation. Pass 2 writes every block as encoded shards, one per split. All of it happens in a new folder inside
the output; writing `manifest.json`, last and atomically, makes it the data set.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from farthing.base.errors import ConfigError, DataError
from farthing.base.files import fsync_path, sha256_file, write_json
from farthing.recommend.codedtext import read_coded
from farthing.recommend.codes import coded_columns
from farthing.recommend.detect import Choices, Detection, detect
from farthing.recommend.encoding import SpoolEncoder
from farthing.recommend.logfiles import BLOCK_BYTES, ahead
from farthing.recommend.manifest import MANIFEST, InputFile, Manifest, read_manifest
from farthing.recommend.ranking import RANGE_ENTRIES
from farthing.recommend.rejects import RejectLog
from farthing.recommend.schema import LogSchema
from farthing.recommend.splitting import Splitter
from farthing.recommend.spool import Spool

# Is told the stage ("read", "rank" or "encode"), how much of it is done, in [0, 1], and the number of rows so far.
Progress = Callable[[str, float, int], None]

REJECTS = "rejects.tsv"
_PREFIX = "data-"


def _silence(stage: str, fraction: float, num_rows: int) -> None:
    """Tells nobody."""
    del stage, fraction, num_rows


@dataclass(frozen=True, kw_only=True, slots=True)
class PrepareConfig:
    """How a log becomes a data set.

    Attributes:
        split: the fractions of rows for train, valid and test; they sum to 1. A split column overrules them.
        order: "file" takes the first rows for training and the last ones for testing, which is how a model is used;
            "random" draws the split of every row.
        seed: of the random order.
        max_bad: the fraction of all rows that may break their format.
        block_bytes: the most text in memory at once; the result does not depend on it.
        range_entries: the most dictionary entries in memory at once, about; the result does not depend on it.
    """

    split: tuple[float, float, float] = (0.8, 0.1, 0.1)
    order: Literal["file", "random"] = "file"
    seed: int = 0
    max_bad: float = 0.001
    block_bytes: int = BLOCK_BYTES
    range_entries: int = RANGE_ENTRIES

    def __post_init__(self) -> None:
        if min(self.split) <= 0 or abs(sum(self.split) - 1) > 1e-6:
            raise ConfigError(f"split is three positive fractions that sum to 1 (0.8,0.1,0.1), not {self.split}")
        if self.order not in ("file", "random"):
            raise ConfigError(f"order is 'file' or 'random', not {self.order!r}")
        if not 0 <= self.max_bad <= 1:
            raise ConfigError(f"max_bad is a fraction of the rows, from 0 to 1, and not {self.max_bad}")


def prepare(
    logs: Sequence[Path],
    out: Path,
    *,
    choices: Choices | None = None,
    config: PrepareConfig | None = None,
    progress: Progress | None = None,
) -> Manifest:
    """Encodes click logs of one format into the data set `out`, and returns its manifest.

    A data set that was there stays until the new one is complete. Bad rows are listed in `out/rejects.tsv`.

    Args:
        logs: the files, in the order of time.
        out: a folder, made if needed.
        choices: what is known about the columns; the rest is recognised.
        config: how to split, and what to tolerate.
        progress: called now and then.

    Raises:
        DataError: a log cannot be read or has too many bad rows, a split is empty or has only clicks or none, or `out`
            cannot be written.
    """
    if not logs:
        raise DataError("no log given; name at least one file")
    config = config or PrepareConfig()
    report = progress or _silence
    detection = detect(logs[0], choices or Choices())
    with (
        _new_folder(out) as folder,
        RejectLog(out / REJECTS, max_bad=config.max_bad) as rejects,
        ThreadPoolExecutor(max_workers=1) as hashing,
    ):
        inputs = hashing.map(_input, logs)
        spool = _read(logs, detection.schema, rejects, config, folder=folder, progress=report)
        splitter = Splitter(config.split, order=config.order, seed=config.seed, num_rows=spool.num_rows)
        encoder = SpoolEncoder(spool, detection.schema, splitter, folder=folder)
        dense = encoder.count()
        fields = encoder.rank(range_entries=config.range_entries, progress=report)
        splits = encoder.write(dense, progress=report)
        shutil.rmtree(folder / "spool")
        manifest = Manifest(
            folder=folder.name,
            schema=detection.schema,
            dense=dense,
            fields=fields,
            splits=splits,
            split_by=f"column {detection.schema.split!r}" if detection.schema.split else f"{config.order} order",
            seed=config.seed,
            num_rejected=rejects.num_bad,
            inputs=tuple(inputs),
            notes=_notes(detection, config),
        )
        _publish(out, manifest)
    return manifest


def _notes(detection: Detection, config: PrepareConfig) -> tuple[str, ...]:
    if detection.schema.split:
        return detection.notes
    shares = "/".join(f"{100 * part:g}" for part in config.split)
    order = "the rows in their order (oldest first)" if config.order == "file" else "random rows"
    return (*detection.notes, f"split: {shares} % of {order} for train/valid/test")


@contextmanager
def _new_folder(out: Path) -> Iterator[Path]:
    """A new folder inside `out` that goes away again if the block fails.

    Raises:
        DataError: `out` cannot be written, another process is preparing data there, or the disk is full.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        lock = os.open(out, os.O_RDONLY)
    except OSError as error:
        raise DataError(f"{out}: cannot be written ({error.strerror}); choose a folder you may write to") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _remove_folders(out, but=_current_folder(out))
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=out))
        try:
            yield folder
        finally:
            _remove_folders(out, but=_current_folder(out))
    except BlockingIOError as error:
        raise DataError(f"{out}: another process is preparing data there; wait for it, or choose another") from error
    except OSError as error:
        raise DataError(f"{out}: cannot be written ({error}); free some space, or choose another folder") from error
    finally:
        os.close(lock)


def _current_folder(out: Path) -> str | None:
    return read_manifest(out).folder if (out / MANIFEST).exists() else None


def _remove_folders(out: Path, *, but: str | None) -> None:
    """Removes what replaced data sets, and runs that were killed, have left."""
    for folder in out.glob(f"{_PREFIX}*"):
        if folder.name != but:
            shutil.rmtree(folder)


def _read(
    logs: Sequence[Path],
    schema: LogSchema,
    rejects: RejectLog,
    config: PrepareConfig,
    *,
    folder: Path,
    progress: Progress,
) -> Spool:
    (folder / "spool").mkdir()
    spool = Spool(folder / "spool", coded_columns(schema))
    sizes = [path.stat().st_size for path in logs]
    before = {path: sum(sizes[:i]) / sum(sizes) for i, path in enumerate(logs)}
    for rows, path, fraction in ahead(read_coded(logs, schema, rejects=rejects, block_bytes=config.block_bytes)):
        spool.append(rows)
        progress("read", before[path] + fraction * path.stat().st_size / sum(sizes), spool.num_rows)
    rejects.finish()
    if spool.num_rows == 0:
        raise DataError(f"{logs[0]}: the log has no rows; each line after the header is one")
    return spool


def _input(path: Path) -> InputFile:
    return InputFile(name=path.name, size_bytes=path.stat().st_size, sha256=sha256_file(path))


def _publish(out: Path, manifest: Manifest) -> None:
    """Makes the new folder the data set."""
    for path in sorted((out / manifest.folder).rglob("*"), reverse=True):
        fsync_path(path)
    fsync_path(out / manifest.folder)
    write_json(out / MANIFEST, manifest)
