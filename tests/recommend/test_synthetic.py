from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

from farthing.base.errors import ConfigError
from farthing.recommend import synthetic
from farthing.recommend.detect import Choices, detect
from farthing.recommend.synthetic import CARDINALITIES, HiddenModel, synthesize


@pytest.fixture(scope="module")
def world() -> HiddenModel:
    return HiddenModel(0)


def test_the_same_seed_gives_the_same_bytes_and_a_longer_log_starts_with_a_shorter_one(tmp_path: Path) -> None:
    synthesize(1000, 3, tmp_path / "a.tsv")
    synthesize(synthetic._DRAW_ROWS + 5, 3, tmp_path / "b.tsv")
    synthesize(1000, 3, tmp_path / "c.tsv.gz")
    synthesize(1000, 4, tmp_path / "d.tsv")
    short, long = (tmp_path / "a.tsv").read_bytes(), (tmp_path / "b.tsv").read_bytes()
    assert long.startswith(short)
    assert long.count(b"\n") == synthetic._DRAW_ROWS + 5
    assert gzip.decompress((tmp_path / "c.tsv.gz").read_bytes()) == short != (tmp_path / "d.tsv").read_bytes()
    assert detect(tmp_path / "c.tsv.gz", Choices()).schema.format == "criteo"


def test_the_best_auc_is_that_of_the_true_logits(world: HiddenModel, tmp_path: Path) -> None:
    rows, logit = world.draw(0)
    summary = synthesize(synthetic._DRAW_ROWS, 0, tmp_path / "log.tsv")
    assert summary.best_auc == pytest.approx(roc_auc_score(rows["label"].to_numpy(), logit), abs=0.005)
    assert summary.num_clicks == rows["label"].sum()
    assert summary.num_clicks / summary.num_rows == pytest.approx(0.25, abs=0.02)
    assert 0.77 < summary.best_auc < 0.85


def test_expected_auc_by_hand() -> None:
    # Expected rows: 3 of 4 without a click at the lower logit, 1 of 2 at the higher one.
    histogram = np.array([[3.0, 1.0], [1.0, 1.0]])
    assert synthetic._expected_auc(histogram) == pytest.approx((1.5 + 3.5) / 8)


def test_ids_follow_a_power_law_and_some_values_are_missing(world: HiddenModel) -> None:
    rows, _ = world.draw(0)
    largest = rows["C3"].drop_nulls().value_counts(sort=True)["count"]
    assert largest[0] > 100 * largest.median()  # type: ignore[operator]
    assert (largest == 1).sum() > len(largest) / 3
    missing = [rows[name].null_count() for name in rows.columns[1:]]
    assert sum(count > 0 for count in missing) > 8
    assert max(missing) < rows.height / 2


def test_names_are_eight_digits_and_different() -> None:
    for field in (0, 2, 25):
        names = synthetic._names(field, CARDINALITIES[field])
        assert names.n_unique() == CARDINALITIES[field] + 1
        assert names.drop_nulls().str.len_bytes().unique().to_list() == [8]


def test_power_law_by_hand() -> None:
    assert synthetic._power_law(np.array([0.0, np.nextafter(1.0, 0.0)]), 10).tolist() == [0, 9]
    drawn = synthetic._power_law(np.random.default_rng(0).random(100_000), 3)
    weights = np.array([x**-0.15 - (x + 1) ** -0.15 for x in (1.0, 2.0, 3.0)])
    assert np.bincount(drawn) / 100_000 == pytest.approx(weights / weights.sum(), abs=0.005)


def test_progress_counts_rows(tmp_path: Path) -> None:
    steps: list[int] = []
    synthesize(synthetic._DRAW_ROWS + 7, 0, tmp_path / "log.tsv", progress=steps.append)
    assert steps == [synthetic._DRAW_ROWS, 7]


@pytest.mark.parametrize(("rows", "seed", "message"), [(0, 0, "rows is at least 1"), (1, -1, "seed is at least 0")])
def test_bad_arguments(tmp_path: Path, rows: int, seed: int, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        synthesize(rows, seed, tmp_path / "log.tsv")
    assert not (tmp_path / "log.tsv").exists()


def test_columns_are_criteos(world: HiddenModel) -> None:
    rows, _ = world.draw(1)
    assert rows.width == 40
    assert rows.dtypes == [pl.UInt8, *[pl.Int64] * 13, *[pl.String] * 26]
