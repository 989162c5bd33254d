from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from farthing.base.errors import ConfigError
from farthing.recommend import compare, timing
from farthing.recommend.compare import Comparison, Row
from farthing.recommend.dataset import Dataset
from farthing.recommend.metrics import evaluate
from farthing.recommend.modelfolder import load_model, packed_bytes
from farthing.recommend.presets import Shape
from farthing.recommend.report import write_report
from farthing.recommend.runs import measure
from farthing.recommend.task import probabilities
from farthing.recommend.timing import time_models
from farthing.recommend.variants import Variant, build_variants, presets_of_bits
from farthing.train.interrupt import Interrupted
from tests.recommend import small

METRICS = ("auc", "accuracy", "log_loss", "ece", "gauc")
KEYS = [
    *("name", "bits", "seeds"),
    *(key for metric in METRICS for key in (metric, f"{metric}_std")),
    *("size_mb", "embedding_mb", "mflops_w32a32", "mflops_w8a8", "mflops_w4a8", "mflops_w1a1", "mflops"),
    *("mflops_seed", "train_seconds", "p50_us_1", "rows_per_second_1", "p50_us_2048", "rows_per_second_2048"),
]
NAMES = ["fp32", "int4", "binary", "fp32-distilled", "fp32-unfiltered", "int4-ptq", "seed-binary"]
TIMES = {"train_seconds", "p50_us_1", "rows_per_second_1", "p50_us_2048", "rows_per_second_2048"}
SEEDS = 2

pytestmark = pytest.mark.slow  # a dozen trainings


def variants_of(dataset: Dataset) -> list[Variant]:
    settings = [*small.SETTINGS, "train.fit.max_epochs=1"]
    return build_variants(Shape.of(dataset), presets=presets_of_bits([4, 1]), min_count=3, overrides=settings)


@pytest.fixture(scope="module")
def patch() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timing, "MIN_REPEATS", 1)
        patch.setattr(compare, "time_models", partial(time_models, seconds=0.0))
        patch.setattr(compare, "run_jobs", small.TrainsHere())
        yield patch


@pytest.fixture(scope="module")
def out(mixed: Dataset, tmp_path_factory: pytest.TempPathFactory, patch: pytest.MonkeyPatch) -> Path:
    """A finished comparison."""
    out = tmp_path_factory.mktemp("compare") / "table"
    Comparison(mixed, out, seeds=SEEDS, workers=1).run(variants_of(mixed), notes={"min_count": 3})
    return out


@pytest.fixture(scope="module")
def rows(out: Path) -> list[Row]:
    rows: list[Row] = json.loads((out / "compare.json").read_text())
    return rows


def without_times(rows: list[Row]) -> list[Row]:
    return [{key: value for key, value in row.items() if key not in TIMES} for row in rows]


def test_rows_and_keys_are_as_promised(rows: list[Row]) -> None:
    assert [row["name"] for row in rows] == NAMES
    for row in rows:
        assert sorted(row) == sorted(KEYS)
        assert list(row)[:5] == KEYS[:5]
        assert all(isinstance(value, str if key == "name" else int | float) for key, value in row.items())
    assert [row["bits"] for row in rows] == [32, 4, 1, 32, 32, 4, 1]
    assert {row["seeds"] for row in rows} == {SEEDS}


def test_metrics_are_means_over_seeds_of_the_packed_models(mixed: Dataset, out: Path, rows: list[Row]) -> None:
    label, group = mixed.labels("test"), mixed.groups("test")
    for row in rows:
        measured = []
        for seed in range(SEEDS):
            network = load_model(out / "models" / row["name"] / f"seed-{seed}").network
            probability = probabilities(network, mixed, "test", table_rows=network.table_rows)
            measured.append(evaluate(label, probability, group))
        for metric in METRICS:
            values = [result[metric] for result in measured]
            assert row[metric] == pytest.approx(sum(values) / SEEDS)
            assert row[f"{metric}_std"] == pytest.approx(abs(values[0] - values[1]) / 2**0.5)


def test_sizes_are_those_on_the_disk(out: Path, rows: list[Row]) -> None:
    for row in rows:
        assert row["size_mb"] == packed_bytes(out / "models" / row["name"] / "seed-0") / 1e6
        assert 0 < row["embedding_mb"] < row["size_mb"]
    sizes = {row["name"]: row["embedding_mb"] for row in rows}
    assert sizes["fp32-unfiltered"] > sizes["fp32"] > sizes["int4"] == sizes["int4-ptq"] > sizes["binary"]


def test_operations_add_up(rows: list[Row]) -> None:
    for row in rows:
        widths = [row[f"mflops_{width}"] for width in ("w32a32", "w8a8", "w4a8", "w1a1")]
        assert row["mflops"] == pytest.approx(sum(widths))
    by_name = {row["name"]: row for row in rows}
    assert by_name["fp32"]["mflops_w4a8"] == 0 < by_name["int4"]["mflops_w4a8"]
    assert by_name["seed-binary"]["mflops_w1a1"] > 0


def test_rounding_starts_from_the_float_model_of_the_same_seed(out: Path) -> None:
    """Rounding leaves biases alone, though packing folds the norms into them."""
    fp32, rounded = (load_model(out / "models" / name / "seed-1").network for name in ("fp32", "int4-ptq"))
    assert fp32.table_rows == rounded.table_rows
    torch.testing.assert_close(fp32.state_dict()["top.linear2.bias"], rounded.state_dict()["top.linear2.bias"])
    assert not (out / "runs" / "int4-ptq").exists()


def test_the_csv_says_the_same(out: Path, rows: list[Row]) -> None:
    table = pl.read_csv(out / "compare.csv")
    assert table.columns == list(rows[0])
    assert table["name"].to_list() == NAMES
    np.testing.assert_allclose(table["auc"], [row["auc"] for row in rows])


def test_curves_and_summary_for_the_report(mixed: Dataset, out: Path) -> None:
    curves = json.loads((out / "curves.json").read_text())
    assert list(curves) == [*NAMES, "data"]
    for name in NAMES:
        assert curves[name]["roc"][0] == [0, 0]
        assert curves[name]["roc"][-1] == [1, 1]
        assert sum(count for _, _, count in curves[name]["calibration"]) == 200
        assert [len(line) for line in curves[name]["training"]] == [4]
    assert curves["int4-ptq"]["training"] == curves["fp32"]["training"]
    assert curves["data"]["rows"] == {"train": 1600, "valid": 200, "test": 200}
    assert curves["data"]["min_count"] == 3
    assert (curves["data"]["num_dense"], curves["data"]["num_fields"]) == (2, 3)


def test_the_report_can_be_written(out: Path) -> None:
    write_report(out)
    text = (out / "report.html").read_text()
    assert all(name in text for name in NAMES)


def test_a_second_call_trains_and_packs_nothing(
    mixed: Dataset, out: Path, rows: list[Row], patch: pytest.MonkeyPatch
) -> None:
    trainings = small.TrainsHere()
    patch.setattr(compare, "run_jobs", trainings)
    before = {path: path.stat().st_mtime_ns for path in out.glob("models/*/*/*")}
    again = Comparison(mixed, out, seeds=SEEDS, workers=1).run(variants_of(mixed), notes={})
    assert trainings.titles == []
    assert {path: path.stat().st_mtime_ns for path in out.glob("models/*/*/*")} == before
    assert without_times(again) == without_times(rows)


def test_an_interrupted_comparison_ends_with_the_same_table(
    mixed: Dataset, rows: list[Row], tmp_path: Path, patch: pytest.MonkeyPatch
) -> None:
    patch.setattr(compare, "run_jobs", small.TrainsHere(stop_after=3))
    comparison = Comparison(mixed, tmp_path, seeds=SEEDS, workers=1)
    with pytest.raises(Interrupted):
        comparison.run(variants_of(mixed), notes={})
    assert not (tmp_path / "compare.json").exists()
    rest = small.TrainsHere()
    patch.setattr(compare, "run_jobs", rest)
    assert without_times(comparison.run(variants_of(mixed), notes={})) == without_times(rows)
    assert len(rest.titles) == 6 * SEEDS - 3


def test_one_seed_has_no_spread(mixed: Dataset, out: Path, tmp_path: Path, rows: list[Row]) -> None:
    shutil.copytree(out, tmp_path / "one")
    single = Comparison(mixed, tmp_path / "one", seeds=1, workers=1).run(variants_of(mixed), notes={})
    assert [sorted(row) for row in single] == [sorted(row) for row in rows]
    assert all(row[f"{metric}_std"] == 0 for row in single for metric in METRICS)


def test_other_settings_in_a_taken_folder_are_refused(mixed: Dataset, out: Path) -> None:
    variants = build_variants(Shape.of(mixed), presets=["fp32"], min_count=2, overrides=small.SETTINGS)
    with pytest.raises(ConfigError, match="was made with"):
        Comparison(mixed, out, seeds=SEEDS, workers=1).run(variants, notes={})


def test_without_groups_there_is_no_gauc(ids_only: Dataset, tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    variants = build_variants(
        Shape.of(ids_only), presets=["fp32"], min_count=1, overrides=[*small.SETTINGS, "train.fit.max_epochs=1"]
    )
    rows = Comparison(ids_only, tmp_path, seeds=1, workers=1).run(variants[:1], notes={})
    assert sorted(rows[0]) == sorted(key for key in KEYS if not key.startswith("gauc"))
    model = load_model(tmp_path / "models" / "fp32" / "seed-0")
    assert measure(model.network, ids_only, "test", table_rows=model.network.table_rows)["auc"] == rows[0]["auc"]
