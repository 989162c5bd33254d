from __future__ import annotations

from farthing.recommend.schema import Field, LogSchema

SCHEMA = LogSchema(
    format="csv",
    separator=",",
    label="y",
    dense=("x",),
    fields=(Field(name="hour", column="h", part="hour"), Field(name="day", column="h", part="weekday")),
    id="i",
    group="h",
    split="s",
)


def test_columns_are_named_once() -> None:
    assert SCHEMA.columns(with_label=True) == ["x", "h", "i", "y", "s"]


def test_prediction_reads_only_features_and_the_id() -> None:
    assert SCHEMA.columns(with_label=False) == ["x", "h", "i"]
