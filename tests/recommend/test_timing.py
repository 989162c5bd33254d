from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from farthing.recommend.clicks import ClickBatch
from farthing.recommend.dataset import Dataset
from farthing.recommend.modelfolder import export_run, load_model
from farthing.recommend.timing import BATCH_SIZES, fill_up, time_models
from tests.recommend import small


@pytest.fixture
def batch(mixed: Dataset) -> ClickBatch:
    return next(mixed.batches("test", table_rows=mixed.table_rows(1), batch_size=5, shuffle_seed=None))


@pytest.fixture
def threads() -> Iterator[int]:
    torch.set_num_threads(2)
    yield 2
    torch.set_num_threads(1)


def rows_of(batch: ClickBatch) -> list[tuple[list[float], float, list[list[int]]]]:
    bags = [bag.tolist() for bag in batch.indices.tensor_split(batch.offsets[1:-1])]
    num_fields = len(bags) // batch.num_rows
    return [
        (batch.dense[row].tolist(), float(batch.label[row]), bags[row * num_fields : (row + 1) * num_fields])
        for row in range(batch.num_rows)
    ]


@pytest.mark.parametrize("num_rows", [1, 3, 5, 6, 17])
def test_filling_up_repeats_rows(batch: ClickBatch, num_rows: int) -> None:
    filled = fill_up(batch, num_rows)
    assert not batch.is_single_valued
    assert rows_of(filled) == (rows_of(batch) * 4)[:num_rows]


def test_every_model_and_size_is_timed(
    trained: small.Trainings, batch: ClickBatch, tmp_path: Path, threads: int
) -> None:
    """Positive, consistent, and with the number of threads left as it was."""
    models = {}
    for preset in ("fp32", "int4"):
        export_run(trained("mixed", preset), tmp_path / preset)
        models[preset] = (load_model(tmp_path / preset), {size: fill_up(batch, size) for size in BATCH_SIZES})
    rows = time_models(models, seconds=0.0)
    assert rows.keys() == models.keys()
    for row in rows.values():
        assert row.keys() == {"p50_us_1", "rows_per_second_1", "p50_us_2048", "rows_per_second_2048"}
        for size in BATCH_SIZES:
            assert row[f"p50_us_{size}"] > 0
            assert row[f"rows_per_second_{size}"] * row[f"p50_us_{size}"] == pytest.approx(size * 1e6)
    assert torch.get_num_threads() == threads
