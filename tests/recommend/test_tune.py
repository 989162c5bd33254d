from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from farthing.recommend import tune
from farthing.recommend.config import RecommendConfig
from farthing.recommend.dataset import Dataset
from farthing.recommend.tune import CANDIDATES, choose_min_count
from farthing.train.interrupt import Interrupted
from tests.recommend import small


def config_of(dataset: Dataset) -> RecommendConfig:
    return small.small_config("fp32", dataset, "train.fit.max_epochs=1", "train.batch_size=256")


def validation_aucs(folder: Path) -> dict[str, float]:
    return {path.parent.name: json.loads(path.read_text())["valid"]["auc"] for path in folder.glob("*/result.json")}


def test_takes_the_cut_with_the_best_validation_auc(
    mixed: Dataset, tmp_path: Path, trainings: small.TrainsHere
) -> None:
    """Cuts that keep the same rows are trained once, as the smallest of them."""
    chosen, scores = choose_min_count(mixed, config_of(mixed), folder=tmp_path, seed=0, workers=1)
    tables = {cut: tuple(mixed.table_rows(cut)) for cut in CANDIDATES}
    first = {table: min(cut for cut in CANDIDATES if tables[cut] == table) for table in tables.values()}
    aucs = validation_aucs(tmp_path)
    assert scores == {cut: aucs[f"min-count-{first[tables[cut]]}"] for cut in CANDIDATES}
    assert chosen == max(CANDIDATES, key=lambda cut: (scores[cut], -cut))
    assert len(trainings.titles) == len(aucs) == len(first) > 1
    for path in tmp_path.glob("*/run.json"):
        assert json.loads(path.read_text())["config"]["min_count"] == int(path.parent.name.split("-")[-1])


def test_never_looks_at_the_test_split(mixed: Dataset, tmp_path: Path, trainings: small.TrainsHere) -> None:
    """Swapping the test split's labels changes neither the choice nor what it was made by."""
    frame = small.clicks(with_numbers=True).with_row_index("row")
    is_test = pl.col("row") >= 1800
    swapped = frame.with_columns(pl.when(is_test).then(1 - pl.col("clicked")).otherwise("clicked").alias("clicked"))
    other = small.prepare_frame(swapped.drop("row"), tmp_path / "other", group="user")
    assert (other.labels("test") == 1 - mixed.labels("test")).all()
    results = [
        choose_min_count(dataset, config_of(dataset), folder=tmp_path / name, seed=0, workers=1)
        for name, dataset in [("a", mixed), ("b", other)]
    ]
    assert results[0] == results[1]


def test_an_interrupted_choice_goes_on(mixed: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tune, "run_jobs", small.TrainsHere(stop_after=1))
    with pytest.raises(Interrupted):
        choose_min_count(mixed, config_of(mixed), folder=tmp_path, seed=0, workers=1)
    finished = validation_aucs(tmp_path)
    rest = small.TrainsHere()
    monkeypatch.setattr(tune, "run_jobs", rest)
    choose_min_count(mixed, config_of(mixed), folder=tmp_path, seed=0, workers=1)
    assert len(finished) == 1
    assert len(rest.titles) == len(validation_aucs(tmp_path)) - 1
