from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from farthing.base.errors import ConfigError, DataError
from farthing.recommend import encoder as encoder_module
from farthing.recommend.clicks import ClickBatch
from farthing.recommend.dataset import Dataset
from farthing.recommend.detect import Choices
from farthing.recommend.modelfolder import ClickModel, export_run, load_model
from farthing.recommend.predict import predict_log
from farthing.recommend.prepare import prepare
from farthing.recommend.presets import PRESETS
from farthing.recommend.runs import train_run
from farthing.recommend.task import probabilities
from tests.recommend import small

READERS: dict[str, Callable[[Path], pl.DataFrame]] = {".csv": pl.read_csv, ".parquet": pl.read_parquet}
FRAME = small.clicks(with_numbers=True)
TEST_ROWS = FRAME.tail(200)


@pytest.fixture(scope="module")
def model(trained: small.Trainings, tmp_path_factory: pytest.TempPathFactory) -> ClickModel:
    folder = tmp_path_factory.mktemp("model") / "int4"
    export_run(trained("mixed", "int4"), folder)
    return load_model(folder)


def scores(model: ClickModel, frame: pl.DataFrame, folder: Path) -> list[float]:
    """The probabilities of raw rows."""
    folder.mkdir(exist_ok=True)
    frame.write_parquet(folder / "rows.parquet")
    predict_log(model, [folder / "rows.parquet"], folder / "out.parquet")
    probability: list[float] = pl.read_parquet(folder / "out.parquet")["probability"].to_list()
    return probability


@pytest.mark.parametrize("suffix", READERS)
def test_equals_scoring_the_prepared_rows(model: ClickModel, mixed: Dataset, tmp_path: Path, suffix: str) -> None:
    """Also where the log has no label, as new rows have none."""
    TEST_ROWS.drop("clicked").write_parquet(tmp_path / "rows.parquet")
    num_rows = predict_log(model, [tmp_path / "rows.parquet"], tmp_path / f"scores{suffix}")
    table = READERS[suffix](tmp_path / f"scores{suffix}")
    assert num_rows == 200
    assert table.columns == ["row", "probability"]
    assert table["row"].to_list() == list(range(200))
    expected = probabilities(model.network, mixed, "test", table_rows=model.network.table_rows)
    assert table["probability"].to_list() == expected.tolist()


def test_numbers_rows_over_all_logs(model: ClickModel, tmp_path: Path) -> None:
    halves = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    TEST_ROWS.head(120).write_parquet(halves[0])
    TEST_ROWS.tail(80).write_parquet(halves[1])
    told: list[int] = []
    assert predict_log(model, halves, tmp_path / "scores.csv", progress=told.append) == sum(told) == 200
    table = pl.read_csv(tmp_path / "scores.csv")
    assert table["row"].to_list() == list(range(200))
    whole = scores(model, TEST_ROWS, tmp_path / "whole")
    np.testing.assert_allclose(table["probability"], whole, rtol=1e-12)


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("shape", ["mixed", "ids_only"])
def test_a_score_does_not_depend_on_the_batch(
    request: pytest.FixtureRequest, trained: small.Trainings, tmp_path: Path, preset: str, shape: str
) -> None:
    """Float sums may be ordered otherwise; see test_modelfolder for what that can do to rounded activations."""
    dataset: Dataset = request.getfixturevalue(shape)
    export_run(trained(shape, preset), tmp_path / "model")
    model = load_model(tmp_path / "model")

    def scored(batch_size: int) -> torch.Tensor:
        rows = model.network.table_rows
        batches = dataset.batches("test", table_rows=rows, batch_size=batch_size, shuffle_seed=None)
        return torch.cat([model.predict(batch) for batch in batches])

    whole = scored(1000)
    for batch_size in (1, 7):
        distance = (scored(batch_size).logit() - whole.logit()).abs()
        assert (distance > 1e-5).double().mean() <= 0.01
        assert distance.max() < 0.1


def test_the_size_of_the_blocks_that_are_read_changes_nothing(
    model: ClickModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = scores(model, TEST_ROWS, tmp_path / "whole")
    sizes: list[int] = []
    read = encoder_module.RowEncoder.read
    monkeypatch.setattr(encoder_module.RowEncoder, "read", lambda self, logs: read(self, logs, batch_rows=13))
    frame = tmp_path / "rows.parquet"
    TEST_ROWS.write_parquet(frame)
    predict_log(model, [frame], tmp_path / "out.csv", progress=sizes.append)
    assert max(sizes) == 13
    np.testing.assert_allclose(pl.read_csv(tmp_path / "out.csv")["probability"], whole, rtol=0, atol=1e-6)


def test_unseen_ids_and_missing_numbers_have_a_meaning(model: ClickModel, tmp_path: Path) -> None:
    """All unseen values of a field score alike, and a missing number as the mean of training."""
    row = TEST_ROWS.head(1)
    unseen = [row.with_columns(item=pl.lit(f"unseen-{i}")) for i in range(3)]
    first, second, third = scores(model, pl.concat(unseen), tmp_path / "unseen")
    assert first == second == third

    age = next(column for column in model.encoder.description.dense if column.name == "age")
    mean = row.with_columns(age=pl.lit(float(np.expm1(age.mean))))
    missing = row.with_columns(age=pl.lit(None, dtype=pl.Float64))
    both = scores(model, pl.concat([mean, missing]), tmp_path / "missing")
    assert both[0] == pytest.approx(both[1], abs=1e-3)

    nothing = row.with_columns(pl.lit(None).cast(FRAME.schema[name]).alias(name) for name in FRAME.columns)
    assert 0 < scores(model, nothing, tmp_path / "nothing")[0] < 1


def test_columns_may_come_in_any_order_with_others_between(model: ClickModel, tmp_path: Path) -> None:
    shuffled = TEST_ROWS.select(pl.lit("x").alias("comment"), "tags", "age", "user", "price", "item")
    assert scores(model, shuffled, tmp_path / "a") == scores(model, TEST_ROWS, tmp_path / "b")


def test_the_id_column_names_the_rows(tmp_path: Path) -> None:
    frame = (
        small.clicks(600, with_numbers=False).with_row_index("request").with_columns("r" + pl.col("request").cast(str))
    )
    frame.write_csv(tmp_path / "log.csv")
    prepare([tmp_path / "log.csv"], tmp_path / "data", choices=Choices(label="clicked", id="request"))
    dataset = Dataset.open(tmp_path / "data")
    config = small.small_config("int8", dataset, "train.fit.max_epochs=1")
    train_run(dataset, config, folder=tmp_path / "run", seed=0)
    export_run(tmp_path / "run", tmp_path / "model")
    predict_log(load_model(tmp_path / "model"), [tmp_path / "log.csv"], tmp_path / "scores.csv")
    table = pl.read_csv(tmp_path / "scores.csv")
    assert table.columns == ["request", "probability"]
    assert table["request"].to_list() == frame["request"].to_list()


@pytest.mark.parametrize("name", ["scores.txt", "scores", "scores.csv.gz"])
def test_another_suffix_is_refused(model: ClickModel, tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=rf"--out must end in \.csv or \.parquet, got '{name}'"):
        predict_log(model, [tmp_path / "never-read"], tmp_path / name)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("user,item,age,tags\n1,item-1,30,tag1\n", "column 'price' is missing"),
        (
            "price,user,item,age,tags\n1.5,1,item-1,30,tag1\nmuch,1,item-1,30,tag1\n",
            r"rows\.csv:3: column price: `much` is not a finite number",
        ),
        ("price,user,item,age,tags\n1.5,1,item-1,30\n", r"rows\.csv:2"),
        ("price,user,item,age,tags\n", r"rows\.csv: no rows to score"),
        ("", r"rows\.csv: the file is empty"),
    ],
)
def test_a_log_that_breaks_the_format_writes_nothing(
    trained: small.Trainings, tmp_path: Path, rows: str, message: str
) -> None:
    frame = FRAME.head(600).with_columns(pl.col("tags").list.join("|"))
    frame.write_csv(tmp_path / "log.csv")
    prepare([tmp_path / "log.csv"], tmp_path / "data", choices=Choices(label="clicked"))
    dataset = Dataset.open(tmp_path / "data")
    config = small.small_config("int8", dataset, "train.fit.max_epochs=1")
    train_run(dataset, config, folder=tmp_path / "run", seed=0)
    export_run(tmp_path / "run", tmp_path / "model")
    (tmp_path / "rows.csv").write_text(rows)
    out = tmp_path / "scores.csv"
    out.write_text("what was there")
    with pytest.raises(DataError, match=message):
        predict_log(load_model(tmp_path / "model"), [tmp_path / "rows.csv"], out)
    assert out.read_text() == "what was there"
    assert not list(tmp_path.glob(".scores*"))


def test_predict_gives_float64_probabilities_without_gradient(model: ClickModel, mixed: Dataset) -> None:
    rows = model.network.table_rows
    batch: ClickBatch = next(mixed.batches("test", table_rows=rows, batch_size=3, shuffle_seed=None))
    probability = model.predict(batch)
    assert (probability.dtype, probability.requires_grad) == (torch.float64, False)
    assert ((probability > 0) & (probability < 1)).all()
