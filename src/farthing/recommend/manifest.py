"""What a prepared data set says about itself: the file that makes a folder a data set."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal

import msgspec

from farthing.base.errors import FormatError
from farthing.base.files import read_json
from farthing.recommend.schema import LogSchema

MANIFEST = "manifest.json"


class DenseStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """How a numeric column x is standardised: (sign(x) log(1 + |x|) - mean) / std, over training rows."""

    name: str
    mean: float
    std: float


class FieldStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """A categorical field: how many values training rows show, and the file that lists them."""

    name: str
    num_values: int
    is_multi_valued: bool
    vocabulary: str


class Shard(msgspec.Struct, frozen=True, kw_only=True):
    """A file of encoded rows."""

    path: str
    num_rows: int


class SplitStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of one split."""

    num_rows: int
    num_clicks: int
    shards: tuple[Shard, ...]


class InputFile(msgspec.Struct, frozen=True, kw_only=True):
    """A log that the data set was made from."""

    name: str
    size_bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """All about a data set but its rows.

    Attributes:
        format: always "farthing-clicks".
        version: of the folder's layout.
        folder: the folder inside the data set that all paths are relative to.
        schema: of the logs.
        dense: how each numeric column was standardised.
        fields: the categorical fields, in the order of the tables.
        splits: train, valid and test.
        split_by: a column's name in quotes, or the order of rows that was cut.
        seed: of a random split.
        num_rejected: rows that broke their format.
        inputs: the logs.
        notes: what was recognised in them.
    """

    format: Literal["farthing-clicks"] = "farthing-clicks"
    version: Literal[1] = 1
    folder: str
    schema: LogSchema
    dense: tuple[DenseStatistics, ...]
    fields: tuple[FieldStatistics, ...]
    splits: dict[str, SplitStatistics]
    split_by: str
    seed: int
    num_rejected: int
    inputs: tuple[InputFile, ...]
    notes: tuple[str, ...] = ()

    @property
    def num_rows(self) -> dict[str, int]:
        """Rows of each split."""
        return {name: split.num_rows for name, split in self.splits.items()}

    @property
    def fingerprint(self) -> str:
        """64 hexadecimal digits that tell data sets apart: equal where the same logs were prepared in the same way."""
        content = msgspec.structs.replace(self, folder="", notes=())
        return hashlib.sha256(msgspec.json.encode(content)).hexdigest()


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a data set.

    Raises:
        FormatError: `folder` is no data set, or its manifest is damaged.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise FormatError(f"{folder}: no data set (it has no {MANIFEST}); make one with `farthing recommend prepare`")
    return read_json(path, Manifest)
