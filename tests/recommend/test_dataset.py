from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from farthing.base.errors import ConfigError, FormatError
from farthing.recommend.clicks import ClickBatch
from farthing.recommend.dataset import Dataset
from farthing.recommend.prepare import PrepareConfig, prepare

NUM_ROWS = 120


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """120 rows in several shards; the number x tells the row, the field u has few values, t has lists."""
    root = tmp_path_factory.mktemp("data")
    lines = [f"{row % 2},{row}.5,u{row % 7},{'|'.join(f't{i}' for i in range(row % 4))}" for row in range(NUM_ROWS)]
    (root / "log.csv").write_text("\n".join(["y,x,u,t", *lines]))
    prepare([root / "log.csv"], root / "data", config=PrepareConfig(block_bytes=400))
    return root / "data"


def _rows(batches: Iterable[ClickBatch]) -> list[tuple[float, ...]]:
    rows = []
    for batch in batches:
        bags = np.split(batch.indices.numpy(), batch.offsets.numpy()[1:-1])
        for row in range(batch.num_rows):
            own = np.concatenate(bags[2 * row : 2 * row + 2])
            rows.append((float(batch.label[row]), float(batch.dense[row, 0]), *own.tolist()))
    return rows


def _pass(dataset: Dataset, **settings: int | None) -> list[tuple[float, ...]]:
    chosen: dict[str, int | None] = {"batch_size": 7, "shuffle_seed": None} | settings
    return _rows(dataset.batches("train", table_rows=dataset.table_rows(1), **chosen))  # type: ignore[arg-type]


def test_the_order_of_the_log_without_a_seed(folder: Path) -> None:
    rows = _pass(Dataset.open(folder))
    assert len(rows) == 96
    assert [row[1] for row in rows] == sorted(row[1] for row in rows)
    assert rows == _pass(Dataset.open(folder, window_rows=1))


@given(st.integers(1, 100), st.integers(1, 40), st.integers(0, 3), st.integers(0, 20))
def test_every_row_once_in_an_order_that_seed_and_epoch_decide(
    folder: Path, window_rows: int, batch_size: int, epoch: int, start_batch: int
) -> None:
    dataset = Dataset.open(folder, window_rows=window_rows)
    settings = {"batch_size": batch_size, "shuffle_seed": 5, "epoch": epoch}
    rows = _pass(dataset, **settings)
    assert sorted(rows) == sorted(_pass(dataset))
    assert rows == _pass(Dataset.open(folder, window_rows=window_rows), **settings)
    assert rows != _pass(dataset, **settings | {"epoch": epoch + 1})
    assert rows != _pass(dataset, **settings | {"shuffle_seed": 6})
    assert rows[start_batch * batch_size :] == _pass(dataset, **settings, start_batch=start_batch)


@pytest.mark.parametrize("batch_size", [1, 32, 96, 100])
def test_batches_have_their_size_but_for_the_last(folder: Path, batch_size: int) -> None:
    dataset = Dataset.open(folder, window_rows=10)
    batches = dataset.batches("train", table_rows=dataset.table_rows(1), batch_size=batch_size, shuffle_seed=0)
    sizes = [batch.num_rows for batch in batches]
    assert len(sizes) == dataset.num_batches("train", batch_size)
    assert all(size == batch_size for size in sizes[:-1])
    assert sum(sizes) == 96


def test_rare_ids_share_the_row_of_unknown_ones(folder: Path) -> None:
    dataset = Dataset.open(folder)
    assert dataset.table_rows(1) == [9, 5]
    assert dataset.table_rows(14) == [7, 5]  # 96 rows over 7 values: five are seen 14 times, two 13
    assert dataset.table_rows(25) == [2, 4]  # t0 72 times, t1 48, t2 24
    (batch,) = dataset.batches("train", table_rows=[2, 3], batch_size=200, shuffle_seed=None)
    assert set(batch.indices.tolist()) == {0, 2, 3, 4}
    with pytest.raises(ConfigError, match="min_count is at least 1"):
        dataset.table_rows(0)


def test_labels_follow_the_order_of_batches(folder: Path) -> None:
    dataset = Dataset.open(folder)
    batches = dataset.batches("valid", table_rows=dataset.table_rows(1), batch_size=5, shuffle_seed=None)
    assert torch.cat([batch.label for batch in batches]).numpy().tolist() == dataset.labels("valid").tolist()
    assert dataset.labels("valid").dtype == np.float32
    assert dataset.groups("valid") is None


def test_an_unknown_split(folder: Path) -> None:
    with pytest.raises(ConfigError, match="split is one of train, valid, test, not 'all'"):
        Dataset.open(folder).num_batches("all", 10)


def test_a_folder_that_is_no_data_set(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="no data set"):
        Dataset.open(tmp_path)


@pytest.mark.parametrize("damage", ["missing", "cut", "other"])
def test_a_damaged_shard(folder: Path, tmp_path: Path, damage: str) -> None:
    shutil.copytree(folder, tmp_path / "data")
    dataset = Dataset.open(tmp_path / "data")
    path = dataset.path(dataset.manifest.splits["test"].shards[0].path)
    if damage == "missing":
        path.unlink()
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:100])
    else:
        pl.read_ipc(path).head(1).write_ipc(path)
    with pytest.raises(FormatError, match=r"test/000000.arrow: (cannot be read|has 1 rows)"):
        dataset.labels("test")
