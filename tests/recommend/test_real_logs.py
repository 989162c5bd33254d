"""Real click logs, each through prepare, a short training and predict with no option but the paths."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from farthing import cli
from farthing.recommend.dataset import Dataset

LOGS = {
    "criteo_kaggle_10k.tsv.gz": ("criteo", 13, 26),
    "criteo_terabyte_day0_10k.tsv.gz": ("criteo", 13, 26),
    "avazu_10k.csv.gz": ("avazu", 0, 23),
    "frappe_x1.parquet": ("parquet", 0, 10),
    "movielens_1m.parquet": ("parquet", 0, None),
}
SHORT = ["--min-count", "2", "--set", "train.fit.max_epochs=1", "--set", "train.batch_size=4096"]
NAMED_ROWS = {"avazu_10k.csv.gz": "id"}

pytestmark = pytest.mark.slow  # up to a million rows


def log_of(name: str) -> Path:
    folder = os.environ.get("FARTHING_TEST_DATA")
    found = sorted(Path(folder).rglob(name)) if folder else []
    if not found:
        pytest.skip(f"{name} is not below $FARTHING_TEST_DATA ({folder or 'not set'})")
    return found[0]


@pytest.mark.parametrize("name", LOGS)
def test_runs_through_unchanged(name: str, tmp_path: Path) -> None:
    log, data, scores = log_of(name), tmp_path / "data", tmp_path / "scores.parquet"
    for arguments in (
        ["prepare", log, "--out", data],
        ["train", data, "--out", tmp_path / "run", "--preset", "int4", *SHORT],
        ["evaluate", tmp_path / "run", data],
        ["export", tmp_path / "run", "--out", tmp_path / "model"],
        ["predict", tmp_path / "model", log, "--out", scores],
    ):
        result = CliRunner().invoke(cli.app, ["recommend", *map(str, arguments)])
        assert result.exit_code == 0, result.output
    log_format, num_dense, num_fields = LOGS[name]
    manifest = Dataset.open(data).manifest
    assert (manifest.schema.format, len(manifest.dense)) == (log_format, num_dense)
    assert num_fields is None or len(manifest.fields) == num_fields
    table = pl.read_parquet(scores)
    assert table.columns == [NAMED_ROWS.get(name, "row"), "probability"]
    assert table.height == sum(manifest.num_rows.values()) + manifest.num_rejected
    assert table["probability"].is_between(0, 1).all()
