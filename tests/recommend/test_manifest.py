from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from farthing.base.errors import FormatError
from farthing.base.files import write_json
from farthing.recommend.manifest import MANIFEST, Manifest, SplitStatistics, read_manifest
from farthing.recommend.schema import LogSchema

MANIFEST_OF_NOTHING = Manifest(
    folder="data-x",
    schema=LogSchema(format="csv", separator=",", label="y"),
    dense=(),
    fields=(),
    splits={"train": SplitStatistics(num_rows=3, num_clicks=1, shards=())},
    split_by="file order",
    seed=0,
    num_rejected=0,
    inputs=(),
)


def test_round_trip(tmp_path: Path) -> None:
    write_json(tmp_path / MANIFEST, MANIFEST_OF_NOTHING)
    assert read_manifest(tmp_path) == MANIFEST_OF_NOTHING
    assert read_manifest(tmp_path).num_rows == {"train": 3}


def test_the_fingerprint_tells_content_apart_and_not_folders() -> None:
    moved = msgspec.structs.replace(MANIFEST_OF_NOTHING, folder="data-y", notes=("said",))
    other = msgspec.structs.replace(MANIFEST_OF_NOTHING, seed=1)
    assert moved.fingerprint == MANIFEST_OF_NOTHING.fingerprint != other.fingerprint


def test_a_folder_that_is_no_data_set(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"no data set .*farthing recommend prepare"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("content", ["", "{}", '{"format": "other"}'])
def test_a_damaged_manifest(tmp_path: Path, content: str) -> None:
    (tmp_path / MANIFEST).write_text(content)
    with pytest.raises(FormatError, match=r"manifest.json: not what farthing writes"):
        read_manifest(tmp_path)
