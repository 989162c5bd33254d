from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
import torch

from farthing.base.errors import ConfigError
from farthing.recommend.alignment import align
from farthing.recommend.dataset import Dataset
from farthing.recommend.encoder import RowEncoder
from farthing.recommend.runs import load_run
from farthing.recommend.task import probabilities
from tests.recommend import small

FRAME = small.clicks(with_numbers=True)
TEST_ROWS = FRAME.tail(200)


@pytest.mark.parametrize("shape", ["mixed", "ids_only"])
def test_is_the_identity_on_the_training_data(
    request: pytest.FixtureRequest, trained: small.Trainings, shape: str
) -> None:
    dataset: Dataset = request.getfixturevalue(shape)
    run = trained(shape)
    model, encoder = load_run(run), RowEncoder.load(run)
    aligned, table_rows = align(model, encoder, dataset)
    there = probabilities(aligned, dataset, "test", table_rows=table_rows)
    assert (there == probabilities(model, dataset, "test", table_rows=encoder.table_rows)).all()


def test_other_data_with_the_same_test_rows_gives_the_same_answers(
    mixed: Dataset, trained: small.Trainings, tmp_path: Path
) -> None:
    """Ids are numbered anew, some are missing, some are new, and numbers have another mean and spread."""
    run = trained("mixed")
    model, encoder = load_run(run), RowEncoder.load(run)
    others = FRAME.head(1800).with_columns(
        pl.when(pl.col("item") == "item-3").then(pl.lit("item-new")).otherwise(pl.col("item")).alias("item"),
        pl.when(pl.col("user") == 5).then(77).otherwise(pl.col("user")).alias("user"),
        pl.col("price") * 7 + 1,
    )
    other = small.prepare_frame(pl.concat([others, TEST_ROWS]), tmp_path, group="user")
    assert other.manifest.dense != mixed.manifest.dense
    aligned, table_rows = align(model, encoder, other)
    there = probabilities(aligned, other, "test", table_rows=table_rows)
    here = probabilities(model, mixed, "test", table_rows=encoder.table_rows)
    is_known = ((TEST_ROWS["item"].fill_null("") != "item-3") & (TEST_ROWS["user"] != 5)).to_numpy()
    assert 100 < is_known.sum() < 200
    torch.testing.assert_close(torch.from_numpy(there[is_known]), torch.from_numpy(here[is_known]), rtol=0, atol=1e-5)


def test_new_and_rare_values_use_the_row_of_unknown_ones(
    mixed: Dataset, trained: small.Trainings, tmp_path: Path
) -> None:
    run = trained("mixed")
    encoder = RowEncoder.load(run)
    renamed = FRAME.with_columns(pl.col("item") + "-renamed")
    other = small.prepare_frame(renamed, tmp_path, group="user")
    seen = []

    def network(dense: torch.Tensor, indices: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
        seen.append(indices[offsets[1:-1:3]])  # the second of three fields
        return torch.zeros(len(dense))

    aligned, table_rows = align(network, encoder, other)
    probabilities(aligned, other, "test", table_rows=table_rows)
    start = encoder.table_rows[0]
    missing = TEST_ROWS["item"].is_null().to_torch()
    assert torch.equal(torch.cat(seen), start + missing.long())  # 0 for unknown, 1 for missing


def test_other_columns_are_refused(ids_only: Dataset, trained: small.Trainings) -> None:
    run = trained("mixed")
    with pytest.raises(ConfigError, match=r"reads the numbers price, age and the fields user, item, tags; .*\(none\)"):
        align(load_run(run), RowEncoder.load(run), ids_only)
