from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from farthing.base.errors import DataError, FormatError
from farthing.recommend.clicks import ClickBatch
from farthing.recommend.dataset import Dataset
from farthing.recommend.encoder import EncoderDescription, RowEncoder
from farthing.recommend.prepare import prepare
from farthing.recommend.schema import Field, LogSchema
from farthing.recommend.vocabulary import NUM_RESERVED, translate
from tests.recommend.logs import criteo_lines

LISTS = "y,x,u,t\n" + "".join(
    f"{i % 2},{f'{i}.5' if i else ''},u{i % 5 or ''},{'|'.join('ab'[: i % 3])}\n" for i in range(80)
)


def _prepared(folder: Path, text: str) -> tuple[Path, Dataset]:
    (folder / "log").write_text(text)
    prepare([folder / "log"], folder / "data")
    return folder / "log", Dataset.open(folder / "data")


def _same(first: list[ClickBatch], second: list[ClickBatch]) -> bool:
    return all(
        torch.equal(torch.cat([getattr(batch, name) for batch in first]), torch.cat([getattr(b, name) for b in second]))
        for name in ("dense", "indices")
    )


@pytest.mark.parametrize("text", ["\n".join(criteo_lines(80)), LISTS], ids=["criteo", "lists"])
@pytest.mark.parametrize("min_count", [1, 10])
def test_a_log_is_encoded_as_prepare_encoded_it(tmp_path: Path, text: str, min_count: int) -> None:
    log, dataset = _prepared(tmp_path, text)
    table_rows = dataset.table_rows(min_count)
    RowEncoder.from_dataset(dataset, table_rows=table_rows).save(tmp_path / "model")
    encoder = RowEncoder.load(tmp_path / "model")
    prepared = [
        batch
        for split in ("train", "valid", "test")
        for batch in dataset.batches(split, table_rows=table_rows, batch_size=9, shuffle_seed=None)
    ]
    read = list(encoder.read([log], batch_rows=7))
    assert _same(prepared, [batch for _, batch in read])
    assert pl.concat(names for names, _ in read).to_list() == list(range(80))
    assert translate(encoder, encoder).tolist() == list(range(sum(table_rows)))


def test_a_criteo_log_without_labels_is_read(tmp_path: Path) -> None:
    log, dataset = _prepared(tmp_path, "\n".join(criteo_lines(80)))
    encoder = RowEncoder.from_dataset(dataset, table_rows=dataset.table_rows(1))
    (tmp_path / "unlabelled").write_text("\n".join(line.split("\t", 1)[1] for line in criteo_lines(80)))
    labelled, unlabelled = ([batch for _, batch in encoder.read([path])] for path in (log, tmp_path / "unlabelled"))
    assert _same(labelled, unlabelled)
    assert unlabelled[0].label.tolist() == [0.0] * 80


def test_rows_are_numbered_over_all_logs_or_named_by_their_id(tmp_path: Path) -> None:
    log, dataset = _prepared(tmp_path, LISTS)
    encoder = RowEncoder.from_dataset(dataset, table_rows=dataset.table_rows(1))
    names = [names for names, _ in encoder.read([log, log])]
    assert (names[-1].name, names[-1][-1]) == ("row", 159)
    avazu = "id,click,hour,C1,banner_pos,site_id,app_id,device_id,C14,C21\n"
    (tmp_path / "avazu").mkdir()
    text = avazu + "".join(f"r{i},{i % 2},141021{i % 24:02d},1005,0,a,b,c,1,2\n" for i in range(80))
    log, dataset = _prepared(tmp_path / "avazu", text)
    encoder = RowEncoder.from_dataset(dataset, table_rows=dataset.table_rows(1))
    (ids,) = (names for names, _ in encoder.read([log]))
    assert (ids.name, ids[:2].to_list()) == ("id", ["r0", "r1"])


def test_a_bad_row_ends_prediction(tmp_path: Path) -> None:
    log, dataset = _prepared(tmp_path, LISTS)
    encoder = RowEncoder.from_dataset(dataset, table_rows=dataset.table_rows(1))
    log.write_text("x,u,t\n1,a,\nmany,a,\n")
    with pytest.raises(DataError, match=r"log:3: column x: `many` is not a finite number; correct the row"):
        list(encoder.read([log]))


def test_translate_finds_values_of_an_earlier_run(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "new").mkdir()
    _, old = _prepared(tmp_path / "old", LISTS)
    _, new = _prepared(tmp_path / "new", LISTS.replace("u1", "fresh"))
    first, second = (RowEncoder.from_dataset(data, table_rows=data.table_rows(1)) for data in (old, new))
    rows = translate(first, second)
    old_values, new_values = first.values[0].to_list(), second.values[0].to_list()
    for position, value in enumerate(new_values):
        assert rows[position + 2] == (old_values.index(value) + 2 if value in old_values else 0)
    assert rows[len(new_values) + 2] == len(old_values) + 2


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda _: None, id="no file"),
        pytest.param(lambda _: b"no", id="text"),
        pytest.param(lambda _: b"[" * 100_000, id="depth"),
        pytest.param(lambda fields: json.dumps([values[:2] for values in fields]).encode(), id="fewer values"),
        pytest.param(lambda fields: json.dumps(fields[1:]).encode(), id="fewer fields"),
        pytest.param(lambda fields: json.dumps([[None, *values[1:]] for values in fields]).encode(), id="null"),
        pytest.param(lambda fields: json.dumps([["\ud800", *values[1:]] for values in fields]).encode(), id="no text"),
        pytest.param(lambda fields: json.dumps({"values": fields}).encode(), id="object"),
    ],
)
def test_damaged_files(tmp_path: Path, damage: Callable[[list[list[str]]], bytes | None]) -> None:
    _, dataset = _prepared(tmp_path, LISTS)
    RowEncoder.from_dataset(dataset, table_rows=dataset.table_rows(1)).save(tmp_path / "model")
    path = tmp_path / "model" / "vocabulary.json"
    content = damage(json.loads(path.read_bytes()))
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    with pytest.raises(FormatError, match=r"vocabulary\.json"):
        RowEncoder.load(tmp_path / "model")


@given(st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"])), unique=True), min_size=1, max_size=3))
def test_any_text_comes_back(fields: list[list[str]]) -> None:
    description = EncoderDescription(
        schema=LogSchema(
            format="csv",
            separator=",",
            label="label",
            dense=(),
            fields=tuple(Field(name=f"{i}", column=f"{i}") for i in range(len(fields))),
        ),
        dense=(),
        table_rows=tuple(len(values) + NUM_RESERVED for values in fields),
    )
    encoder = RowEncoder(description, [pl.Series(values, dtype=pl.String) for values in fields])
    with tempfile.TemporaryDirectory() as folder:
        encoder.save(Path(folder))
        assert [values.to_list() for values in RowEncoder.load(Path(folder)).values] == fields


@pytest.mark.skipif("FARTHING_TEST_DATA" not in os.environ, reason="FARTHING_TEST_DATA is not set")
@pytest.mark.parametrize(
    "name",
    [
        "criteo_kaggle_10k.tsv.gz",
        "criteo_terabyte_day0_10k.tsv.gz",
        "avazu_10k.csv.gz",
        pytest.param("frappe_x1.parquet", marks=pytest.mark.slow),
        pytest.param("movielens_1m.parquet", marks=pytest.mark.slow),
    ],
)
def test_real_logs_are_encoded_as_prepare_encoded_them(tmp_path: Path, name: str) -> None:
    log = Path(os.environ["FARTHING_TEST_DATA"]) / "clicks" / name
    prepare([log], tmp_path)
    dataset = Dataset.open(tmp_path)
    table_rows = dataset.table_rows(2)
    splits = ("train", "valid", "test")
    sums = [
        batch.indices.sum().item()
        for split in splits
        for batch in dataset.batches(split, table_rows=table_rows, batch_size=8192, shuffle_seed=None)
    ]
    encoder = RowEncoder.from_dataset(dataset, table_rows=table_rows)
    read = [(batch.indices.sum().item(), batch.num_rows) for _, batch in encoder.read([log])]
    assert sum(rows for _, rows in read) == sum(dataset.manifest.num_rows.values())
    assert sum(total for total, _ in read) == sum(sums)


def test_tables_of_other_fields_are_refused(tmp_path: Path) -> None:
    """As many tables as the vocabulary has, and a column more: the native reader would say so much later."""
    _, dataset = _prepared(tmp_path, LISTS)
    RowEncoder.from_dataset(dataset, table_rows=dataset.table_rows(1)).save(tmp_path / "model")
    path = tmp_path / "model" / "encoder.json"
    description = json.loads(path.read_bytes())
    description["schema"]["fields"].pop()
    path.write_text(json.dumps(description))
    with pytest.raises(FormatError, match=r"encoder\.json: its tables are not those of the fields"):
        RowEncoder.load(tmp_path / "model")


def test_files_of_another_version_are_refused(tmp_path: Path) -> None:
    _, dataset = _prepared(tmp_path, LISTS)
    RowEncoder.from_dataset(dataset, table_rows=dataset.table_rows(1)).save(tmp_path / "model")
    path = tmp_path / "model" / "encoder.json"
    path.write_text(path.read_text().replace('"version": 2', '"version": 1'))
    with pytest.raises(FormatError, match=r"encoder\.json: of version 1, this farthing reads version 2"):
        RowEncoder.load(tmp_path / "model")


@pytest.mark.parametrize("change", [{"std": 0.0}, {"std": -1.0}, {"std": 1e-310}, {"mean": 1e999}])
def test_statistics_that_cannot_be_divided_by_are_refused(tmp_path: Path, change: dict[str, float]) -> None:
    _, dataset = _prepared(tmp_path, LISTS)
    RowEncoder.from_dataset(dataset, table_rows=dataset.table_rows(1)).save(tmp_path / "model")
    path = tmp_path / "model" / "encoder.json"
    description = json.loads(path.read_bytes())
    description["dense"][0] |= change
    path.write_text(json.dumps(description).replace("Infinity", "1e999"))
    with pytest.raises(FormatError, match=r"encoder\.json"):
        RowEncoder.load(tmp_path / "model")


def test_a_value_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    _, dataset = _prepared(tmp_path, LISTS)
    RowEncoder.from_dataset(dataset, table_rows=dataset.table_rows(1)).save(tmp_path / "model")
    path = tmp_path / "model" / "vocabulary.json"
    path.write_text(path.read_text().replace('"u2"', '"u1"'))
    with pytest.raises(FormatError, match=r"vocabulary\.json: a field has a value twice"):
        RowEncoder.load(tmp_path / "model")
