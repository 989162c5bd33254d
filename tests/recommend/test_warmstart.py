from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
import torch

from farthing.base.errors import ConfigError, FormatError
from farthing.recommend.config import ModelConfig, Precision
from farthing.recommend.dataset import Dataset
from farthing.recommend.encoder import EncoderDescription, RowEncoder
from farthing.recommend.precision import build_model
from farthing.recommend.runs import load_run, train_run
from farthing.recommend.schema import Field, LogSchema
from farthing.recommend.warmstart import warm_start
from tests.recommend import small


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Later rows, in which some items are gone and others are new."""
    frame = small.clicks(1500, seed=3, with_numbers=True)
    items = pl.when(pl.col("item").is_in(["item-1", "item-2"])).then(pl.lit("item-new")).otherwise(pl.col("item"))
    return small.prepare_frame(frame.with_columns(items.alias("item")), tmp_path_factory.mktemp("newer"), group="user")


@pytest.mark.parametrize("preset", ["fp32", "int4"])
def test_embeddings_follow_their_values(newer: Dataset, trained: small.Trainings, preset: str) -> None:
    run = trained("mixed", preset)
    earlier, earlier_encoder = load_run(run), RowEncoder.load(run)
    config, table_rows = small.small_config(preset, newer), tuple(newer.table_rows(1))
    model = build_model(num_dense=2, table_rows=table_rows, model=config.model, precision=config.precision, seed=9)
    encoder = RowEncoder.from_dataset(newer, table_rows=table_rows)
    warm_start(model, encoder, earlier, earlier_encoder)
    new, old = model.embedding.weight, earlier.embedding.weight
    num_kept = num_new = 0
    for field in range(3):
        there = {value: row for row, value in enumerate(earlier_encoder.values[field], start=2)}
        start, old_start = model.table_starts[field], earlier.table_starts[field]
        assert torch.equal(new[start : start + 2], old[old_start : old_start + 2])
        for row, value in enumerate(encoder.values[field], start=2):
            assert torch.equal(new[start + row], old[old_start + there.get(value, 0)])
            num_kept, num_new = num_kept + (value in there), num_new + (value not in there)
    assert num_kept > 20
    assert num_new > 0
    for name, value in earlier.state_dict().items():
        if not name.startswith("embedding."):
            assert torch.equal(model.state_dict()[name], value), name


def encoder_of(*numbers_of_values: int) -> RowEncoder:
    """An encoder of fields f0, f1, ... with values v0, v1, ..."""
    fields = tuple(Field(name=f"f{i}", column=f"f{i}") for i in range(len(numbers_of_values)))
    schema = LogSchema(format="csv", separator=",", label="click", fields=fields)
    table_rows = tuple(number + 2 for number in numbers_of_values)
    values = [pl.Series([f"v{i}" for i in range(number)], dtype=pl.String) for number in numbers_of_values]
    return RowEncoder(EncoderDescription(schema=schema, dense=(), table_rows=table_rows), values)


@pytest.mark.parametrize("quantizer", ["lsq", "minmax"])
def test_scales_follow_the_ids_though_fields_grow_and_shrink(quantizer: str) -> None:
    """Bands start at ids 0, 16 and 64; a new band takes the scale of the last one that was there."""
    encoders = [encoder_of(18, 70), encoder_of(80, 30)]  # bands: 0 16 | 0 16 64 and 0 16 64 | 0 16
    precision = Precision(embedding=4, embedding_quantizer=quantizer)
    earlier, model = (
        build_model(num_dense=0, table_rows=encoder.table_rows, model=ModelConfig(top=(4,)), precision=precision)
        for encoder in encoders
    )
    name = "embedding.table_quantizer.quantizer.scale"
    earlier.state_dict()[name].copy_(torch.arange(1.0, 6.0))
    warm_start(model, encoders[1], earlier, encoders[0])
    assert model.state_dict()[name].tolist() == [1.0, 2.0, 2.0, 3.0, 4.0]


def test_a_continued_run_is_better_than_a_new_one_after_one_short_epoch(
    newer: Dataset, trained: small.Trainings, tmp_path: Path
) -> None:
    config = small.small_config("int4", newer, "train.fit.max_epochs=1", "train.batch_size=256")
    fresh = train_run(newer, config, folder=tmp_path / "fresh", seed=0)
    continued = train_run(newer, config, folder=tmp_path / "continued", seed=0, init=trained("mixed", "int4"))
    assert continued.test["auc"] > fresh.test["auc"] + 0.05


@pytest.mark.parametrize(
    ("preset", "settings"),
    [
        ("int4", []),
        ("fp32", ["model.top=16"]),
        ("fp32", ["model.embedding_dim=4"]),
        ("fp32", ["model.activation=prelu"]),
    ],
)
def test_another_model_is_refused_before_anything_is_written(
    newer: Dataset, trained: small.Trainings, tmp_path: Path, preset: str, settings: list[str]
) -> None:
    config = small.small_config(preset, newer, *settings)
    with pytest.raises(ConfigError, match="--init: the earlier run has another architecture or precision"):
        train_run(newer, config, folder=tmp_path / "run", seed=0, init=trained("mixed"))
    assert not (tmp_path / "run").exists()


def test_other_bits_are_refused_though_all_shapes_agree(
    newer: Dataset, trained: small.Trainings, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="precision"):
        train_run(newer, small.small_config("int2", newer), folder=tmp_path, seed=0, init=trained("mixed", "int4"))


def test_other_columns_are_refused(ids_only: Dataset, trained: small.Trainings, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--init: the model reads the numbers price, age"):
        train_run(ids_only, small.small_config("fp32", ids_only), folder=tmp_path, seed=0, init=trained("mixed"))


def test_resuming_with_another_start_is_refused(newer: Dataset, trained: small.Trainings, tmp_path: Path) -> None:
    config = small.small_config("fp32", newer, "train.fit.max_epochs=1")
    train_run(newer, config, folder=tmp_path, seed=0, init=trained("mixed"))
    with pytest.raises(ConfigError, match="another --init"):
        train_run(newer, config, folder=tmp_path, seed=0, resume=True)


def test_a_start_that_is_no_run_is_refused(newer: Dataset, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"run\.json: cannot be read"):
        train_run(newer, small.small_config("fp32", newer), folder=tmp_path / "run", seed=0, init=tmp_path)
