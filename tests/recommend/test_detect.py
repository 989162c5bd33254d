from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from farthing.base.errors import DataError
from farthing.recommend.detect import LABEL_NAMES, Choices, Detection, detect
from farthing.recommend.schema import CRITEO_DENSE, CRITEO_FIELDS, Field
from tests.recommend.logs import criteo_lines


def _detect(folder: Path, text: str, choices: Choices | None = None) -> Detection:
    (folder / "log").write_text(text)
    return detect(folder / "log", choices or Choices())


def test_criteo(tmp_path: Path) -> None:
    detection = _detect(tmp_path, "\n".join(criteo_lines(3)))
    assert detection.schema.dense == CRITEO_DENSE
    assert tuple(field.name for field in detection.schema.fields) == CRITEO_FIELDS
    assert detection.notes == ("format: criteo (recognised)", "features: 13 numbers, 26 categorical")


def test_avazu(tmp_path: Path) -> None:
    header = "id,click,hour,C1,banner_pos,site_id,app_id,device_id,C14,C21"
    detection = _detect(tmp_path, header + "\n1,0,14102100,1005,0,a,b,c,1,2\n")
    assert detection.schema.id == "id"
    assert detection.schema.label == "click"
    assert detection.schema.fields[:3] == (
        Field(name="hour_of_day", column="hour", part="hour"),
        Field(name="weekday", column="hour", part="weekday"),
        Field(name="C1", column="C1"),
    )
    assert "hour: read as YYMMDDHH, giving the fields 'hour_of_day' and 'weekday'" in detection.notes


@pytest.mark.parametrize("label", [*LABEL_NAMES, "Label", "CLICK"])
def test_usual_label_names(tmp_path: Path, label: str) -> None:
    detection = _detect(tmp_path, f"u,{label},x\na,1,1.5\n")
    assert detection.schema.label == label
    assert f"label: column {label!r} (recognised)" in detection.notes


def test_types_of_features(tmp_path: Path) -> None:
    schema = _detect(
        tmp_path, "y,float,integer,text,tags,empty,mixed\n1,1.5,3,a,p|q,,1.5\n0,2,4,b,p,,x\n0,,,,,,\n"
    ).schema
    assert schema.dense == ("float",)
    assert schema.fields == (
        Field(name="integer", column="integer"),
        Field(name="text", column="text"),
        Field(name="tags", column="tags", separator="|"),
        Field(name="empty", column="empty"),
        Field(name="mixed", column="mixed"),
    )


@pytest.mark.parametrize(("values", "found"), [("train,test", True), ("Train,VAL", True), ("train,later", False)])
def test_a_split_column_is_recognised_by_name_and_values(tmp_path: Path, values: str, found: bool) -> None:
    first, second = values.split(",")
    schema = _detect(tmp_path, f"y,u,split\n1,a,{first}\n0,b,{second}\n").schema
    assert schema.split == ("split" if found else None)
    assert len(schema.fields) == (1 if found else 2)


def test_what_the_caller_says_comes_first(tmp_path: Path) -> None:
    choices = Choices(label="l", split_column="s", id="i", group="u", dense=["a"], categorical=["f"], format="csv")
    detection = _detect(tmp_path, "y,l,s,i,u,a,f\n5,1,train,r1,u1,3,1.5\n", choices)
    schema = detection.schema
    assert (schema.label, schema.split, schema.id, schema.group, schema.dense) == ("l", "s", "i", "u", ("a",))
    assert [field.name for field in schema.fields] == ["y", "u", "f"]
    assert detection.notes[0] == "format: csv (as asked)"


def test_parquet_lists_and_types(tmp_path: Path) -> None:
    table = pl.DataFrame({"y": [0, 1], "x": [0.5, 1.5], "n": [1, 2], "tags": [["a", "b"], []]})
    table.write_parquet(tmp_path / "log")
    schema = detect(tmp_path / "log", Choices()).schema
    assert schema.dense == ("x",)
    assert schema.fields == (Field(name="n", column="n"), Field(name="tags", column="tags"))


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        (Choices(format="criteo"), "--format criteo does not fit; the content looks like 'csv' with 2 columns"),
        (Choices(format="parquet"), "--format parquet does not fit"),
        (Choices(label="clicked"), "column 'clicked' is missing; the file has 'y', 'u'"),
        (Choices(dense=["z"]), "column 'z' is missing"),
        (Choices(dense=["u"]), "no column is categorical"),
    ],
)
def test_choices_that_do_not_fit(tmp_path: Path, choices: Choices, message: str) -> None:
    with pytest.raises(DataError, match=message):
        _detect(tmp_path, "y,u\n1,2\n", choices)


def test_no_label(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="name the label with --label"):
        _detect(tmp_path, "a,b\n1,2\n")


def test_criteo_without_labels_cannot_be_trained_on(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="column 'label' is missing"):
        _detect(tmp_path, criteo_lines(1)[0].split("\t", 1)[1])
