from __future__ import annotations

import pytest

from farthing.recommend.card import model_card
from farthing.recommend.encoder import RowEncoder
from farthing.recommend.presets import PRESETS
from tests.recommend import small

METRICS = {
    "valid": {"auc": 0.81, "accuracy": 0.7, "log_loss": 0.5, "ece": 0.01},
    "test": {"auc": 0.80123, "accuracy": 0.71, "log_loss": 0.52, "ece": 0.02, "gauc": 0.6},
}


@pytest.fixture
def encoder(trained: small.Trainings) -> RowEncoder:
    return RowEncoder.load(trained("mixed"))


@pytest.mark.parametrize("preset", PRESETS)
def test_says_what_the_model_is_and_costs(encoder: RowEncoder, preset: str) -> None:
    card = model_card(PRESETS[preset](), encoder, metrics=METRICS, cost={"mflops": 1.2345})
    for part in (
        f"preset {preset}",
        "Format parquet; 2 numeric columns and 3 categorical fields:\nprice, age, user, item, tags.",
        "1.234 MFLOPs per row",
        f"{sum(encoder.table_rows)} embedding rows of dim 16",
        "farthing recommend predict",
    ):
        assert part in card
    assert card.isascii()
    assert max(map(len, card.splitlines())) <= 120


def test_the_table_has_a_gap_where_a_split_lacks_a_metric(encoder: RowEncoder) -> None:
    lines = model_card(PRESETS["int4"](), encoder, metrics=METRICS, cost={"mflops": 1.0}).splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert table == [
        "| split | ROC AUC | GAUC | accuracy | log loss | calibration error |",
        "|---|---|---|---|---|---|",
        "| valid | 0.8100 |  | 0.7000 | 0.5000 | 0.0100 |",
        "| test | 0.8012 | 0.6000 | 0.7100 | 0.5200 | 0.0200 |",
    ]


def test_an_unmeasured_model_says_how_to_measure_it(encoder: RowEncoder) -> None:
    card = model_card(PRESETS["int4"](), encoder, metrics={}, cost={"mflops": 1.0})
    assert "farthing recommend evaluate THIS_FOLDER DATA" in card
    assert "|" not in card
