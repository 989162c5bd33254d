"""Every command of `farthing recommend` as it is typed: what it prints, what it leaves, how it fails."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from farthing import cli
from farthing.options import split_values
from farthing.recommend.dataset import Dataset
from farthing.recommend.modelfolder import export_run
from tests.recommend import small
from tests.recommend.logs import criteo_lines

FAST = [f"--set={setting}" for setting in (*small.SETTINGS, "train.fit.max_epochs=1", "train.batch_size=256")]
CSV_ROWS = [f"{row % 2},{row % 7},item-{row % 5},{row / 8}" for row in range(60)]
CSV = "\n".join(["clicked,user,item,price", *CSV_ROWS, ""])


def run(*arguments: object) -> Any:  # Any: typer does not export the type of its result
    return CliRunner().invoke(cli.app, ["recommend", *map(str, arguments)])


def succeeds(*arguments: object) -> str:
    """Standard output of a command that ends well."""
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    output: str = result.stdout
    return output


def fails(*arguments: object) -> str:
    """The one message of a command that ends with the exit code of a user's mistake."""
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    *_, message = result.stderr.partition("error: ")
    assert message, result.stderr
    assert "Traceback" not in result.output
    return str(message)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.csv"
    path.write_text(CSV)
    return path


@pytest.mark.slow  # a log that is made up, and nine trainings
def test_the_whole_way_from_a_raw_log_to_scores_and_a_table(tmp_path: Path, trainings: small.TrainsHere) -> None:
    log, data, out = tmp_path / "log.tsv.gz", tmp_path / "data", tmp_path / "table"
    made = json.loads(succeeds("synthesize", "--rows", 1500, "--seed", 1, "--out", log, "--json"))
    assert made["num_rows"] == 1500
    prepared = json.loads(succeeds("prepare", log, "--out", data, "--json"))
    assert prepared["schema"]["format"] == "criteo"
    trained = json.loads(succeeds("train", data, "--out", tmp_path / "run", "--preset", "int4", *FAST, "--json"))
    assert json.loads((tmp_path / "run" / "run.json").read_text())["config"]["min_count"] == 10
    measured = json.loads(succeeds("evaluate", tmp_path / "run", data, "--json"))
    assert measured == trained["test"]
    succeeds("export", tmp_path / "run", "--out", tmp_path / "model")
    succeeds("predict", tmp_path / "model", log, "--out", tmp_path / "scores.csv")
    succeeds("predict", tmp_path / "model", log, "--out", tmp_path / "mapped.csv", "--mmap")
    assert (tmp_path / "mapped.csv").read_bytes() == (tmp_path / "scores.csv").read_bytes()
    assert pl.read_csv(tmp_path / "scores.csv").shape == (1500, 2)
    bits = ["--bits", "4", "--bits", "32,1"]
    rows = json.loads(succeeds("compare", data, "--out", out, *bits, "--seeds", 1, "--jobs", 1, *FAST, "--json"))
    names = ["fp32", "int4", "binary", "fp32-distilled", "fp32-unfiltered", "int4-ptq", "seed-binary"]
    assert [row["name"] for row in rows] == names
    shown = succeeds("compare", data, "--out", out, *bits, "--seeds", 1, "--jobs", 1, *FAST)
    assert [line.split()[0] for line in shown.splitlines()[4:-1]] == names
    assert len(trainings.titles) == 6
    assert (out / "report.html").exists()


def test_tables_for_people(tmp_path: Path, mixed: Dataset, trained: small.Trainings, log: Path) -> None:
    """Results on standard output; what happened, and what comes next, on standard error."""
    shown = run("evaluate", trained("mixed"), mixed.folder)
    assert [line.split()[0] for line in shown.stdout.splitlines()[1:]] == ["auc", "accuracy", "log_loss", "ece", "gauc"]
    exported = run("export", trained("mixed"), "--out", tmp_path / "model")
    assert exported.stdout == ""
    assert f"look with: farthing inspect {tmp_path / 'model'}" in exported.stderr
    prepared = run("prepare", log, "--out", tmp_path / "data")
    assert prepared.stdout == ""
    assert "label: column 'clicked' (recognised)" in prepared.stderr
    assert "48, valid 6, test 6 rows; 1 numbers, 2 fields, 12 ids" in prepared.stderr


def test_a_run_goes_on_and_continues(tmp_path: Path, ids_only: Dataset) -> None:
    first = succeeds("train", ids_only.folder, "--out", tmp_path / "run", "--min-count", 2, *FAST, "--json")
    assert "(--resume)" in fails("train", ids_only.folder, "--out", tmp_path / "run", "--min-count", 2, *FAST)
    again = succeeds("train", ids_only.folder, "--out", tmp_path / "run", *FAST, "--resume", "--json")
    assert json.loads(again) == json.loads(first)
    succeeds("train", ids_only.folder, "--out", tmp_path / "next", *FAST, "--init", tmp_path / "run")
    assert json.loads((tmp_path / "next" / "run.json").read_text())["init"]


def test_options_of_prepare_arrive(tmp_path: Path, log: Path) -> None:
    options = ["--label", "clicked", "--order", "random", "--seed", 3, "--split", "0.5,0.25,0.25", "--group", "user"]
    columns = ["--dense", "price,user", "--categorical", "item", "--id", "item"]
    manifest = json.loads(succeeds("prepare", log, "--out", tmp_path / "a", *options, "--dense", "price", "--json"))
    assert sum(split["num_rows"] for split in manifest["splits"].values()) == 60
    assert manifest["splits"]["train"]["num_rows"] < 45
    assert (manifest["seed"], manifest["schema"]["group"]) == (3, "user")
    assert "--categorical" in fails("prepare", log, "--out", tmp_path / "b", "--label", "clicked", *columns)


LINES = criteo_lines(40)
FIELD_LETTERS = "\t".join(["1", "many", *LINES[0].split("\t")[2:]])
BAD_LOGS: dict[str, tuple[bytes, list[str], list[str]]] = {
    "missing column": (CSV.encode(), ["--label", "bought"], ["log", "column 'bought' is missing", "'clicked'"]),
    "missing feature": (CSV.encode(), ["--categorical", "shop"], ["log", "column 'shop' is missing", "'item'"]),
    "wrong number of fields": (
        "\n".join([*LINES, LINES[0].rsplit("\t", 1)[0], ""]).encode(),
        [],
        ["log:41", "39", "40", "--max-bad"],
    ),
    "a label that is not 0 or 1": (
        CSV.replace("0,0,item-0,0.0", "7,0,item-0,0.0").encode(),
        [],
        ["log:2", "7", "--max-bad", "rejects.tsv"],
    ),
    "letters in a number": (
        "\n".join([*LINES, FIELD_LETTERS, ""]).encode(),
        [],
        ["log:41", "many", "--max-bad"],
    ),
    "an empty file": (b"", [], ["log", "empty"]),
    "only a header": (b"clicked,user\n", [], ["log"]),
    "a truncated gzip": (gzip.compress("\n".join(LINES * 9).encode())[:-40], [], ["log", "truncated", "gzip --test"]),
    "another format than asked for": (CSV.encode(), ["--format", "criteo"], ["log", "--format criteo", "'csv'"]),
    "no Parquet file": (CSV.encode(), ["--format", "parquet"], ["log", "--format parquet"]),
    "one class only": (CSV.replace("\n1,", "\n0,").encode(), [], ["both classes"]),
    "a split that is none": (CSV.encode(), ["--split", "1,2"], ["--split", "0.8,0.1,0.1"]),
    "a split that does not sum to 1": (CSV.encode(), ["--split", "0.8,0.1,0.2"], ["sum to 1"]),
}


@pytest.mark.parametrize("name", BAD_LOGS)
def test_a_bad_log_is_one_message_with_file_rule_and_fix(tmp_path: Path, name: str) -> None:
    content, options, parts = BAD_LOGS[name]
    (tmp_path / "log").write_bytes(content)
    message = fails("prepare", tmp_path / "log", "--out", tmp_path / "data", *options)
    for part in parts:
        assert part in message
    assert not (tmp_path / "data" / "manifest.json").exists()


def test_bad_rows_are_tolerated_up_to_the_given_share(tmp_path: Path) -> None:
    (tmp_path / "log.tsv").write_text("\n".join([*LINES, FIELD_LETTERS, ""]))
    assert "--max-bad" in fails("prepare", tmp_path / "log.tsv", "--out", tmp_path / "data")
    result = run("prepare", tmp_path / "log.tsv", "--out", tmp_path / "data", "--max-bad", 0.05)
    assert result.exit_code == 0
    assert "1 bad rows left out" in result.stderr
    assert "many" in (tmp_path / "data" / "rejects.tsv").read_text()


def test_a_log_that_is_not_there(tmp_path: Path) -> None:
    message = fails("prepare", tmp_path / "none.csv", "--out", tmp_path / "data")
    assert "none.csv: cannot be read (No such file or directory)" in message


def test_places_that_cannot_be_written(tmp_path: Path, log: Path, mixed: Dataset, trained: small.Trainings) -> None:
    """A file where a folder should be: the same error as a missing permission, which the super-user never gets."""
    (tmp_path / "file").write_text("")
    blocked = tmp_path / "file" / "x"
    export_run(trained("mixed"), tmp_path / "model")
    rows = tmp_path / "rows.parquet"
    small.clicks(50, with_numbers=True).write_parquet(rows)
    for arguments in (
        ["synthesize", "--rows", "1", "--out", blocked],
        ["prepare", log, "--out", blocked],
        ["train", mixed.folder, "--out", blocked, "--min-count", "1", *FAST],
        ["export", trained("mixed"), "--out", blocked],
        ["predict", tmp_path / "model", rows, "--out", tmp_path / "file" / "scores.csv"],
    ):
        assert "cannot be written" in fails(*arguments), arguments


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--preset", "int3"], "preset must be one of fp32, int8, int4, int2, binary, got 'int3'"),
        (["--set", "train.lrr=1"], "did you mean 'train.lr'?"),
        (["--set", "train.lr=fast"], "train.lr cannot be 'fast'"),
        (["--set", "train.lr"], "must read key=value"),
        (["--set", "train.lr=-1"], "lr must be > 0"),
        (["--min-count", "0"], "min_count must be >= 1"),
        (["--init", "nowhere"], "nowhere/run.json: cannot be read"),
    ],
)
def test_bad_options_of_train(tmp_path: Path, ids_only: Dataset, options: list[str], message: str) -> None:
    assert message in fails("train", ids_only.folder, "--out", tmp_path / "run", "--min-count", 1, *options)
    assert not (tmp_path / "run").exists()


def test_folders_that_are_not_what_they_should_be(tmp_path: Path, mixed: Dataset, trained: small.Trainings) -> None:
    rows = tmp_path / "rows.parquet"
    small.clicks(50, with_numbers=True).write_parquet(rows)
    no_data = "no data set (it has no manifest.json); make one with `farthing recommend prepare`"
    assert no_data in fails("train", tmp_path, "--out", tmp_path / "run")
    assert no_data in fails("compare", tmp_path, "--out", tmp_path / "table")
    assert no_data in fails("evaluate", trained("mixed"), tmp_path)
    assert "neither a run" in fails("evaluate", mixed.folder, mixed.folder)
    assert "run.json: cannot be read" in fails("export", mixed.folder, "--out", tmp_path / "model")
    assert str(mixed.folder) in fails("predict", mixed.folder, rows, "--out", tmp_path / "scores.csv")


def test_a_damaged_model_is_refused_by_name(tmp_path: Path, trained: small.Trainings) -> None:
    rows = tmp_path / "rows.parquet"
    small.clicks(50, with_numbers=True).write_parquet(rows)
    export_run(trained("mixed", "int4"), tmp_path / "model")
    weights = tmp_path / "model" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    message = fails("predict", tmp_path / "model", rows, "--out", tmp_path / "scores.csv")
    assert "model.safetensors" in message
    assert not (tmp_path / "scores.csv").exists()


def test_scores_go_to_a_known_kind_of_file(tmp_path: Path, trained: small.Trainings) -> None:
    export_run(trained("mixed"), tmp_path / "model")
    message = fails("predict", tmp_path / "model", "log.tsv", "--out", tmp_path / "scores.txt")
    assert "--out must end in .csv or .parquet, got 'scores.txt'" in message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--bits", "3"], "--bits takes 32, 8, 4, 2, 1, got 3"),
        (["--bits", "4,four"], "--bits takes whole numbers such as 32,8,4, got 'four'"),
        (["--set", "model.width=3"], "unknown setting 'model.width'"),
    ],
)
def test_bad_options_of_compare(
    tmp_path: Path, ids_only: Dataset, trainings: small.TrainsHere, options: list[str], message: str
) -> None:
    assert message in fails("compare", ids_only.folder, "--out", tmp_path / "table", *options)
    assert trainings.titles == []


def test_a_damaged_data_set_is_refused_by_file(tmp_path: Path, ids_only: Dataset) -> None:
    shutil.copytree(ids_only.folder, tmp_path / "data")
    shard = next((tmp_path / "data").rglob("train/*"))
    shard.write_bytes(shard.read_bytes()[:100])
    message = fails("train", tmp_path / "data", "--out", tmp_path / "run", "--min-count", 1, *FAST)
    assert shard.name in message
    assert "prepare the data again" in message


@pytest.mark.parametrize(
    ("values", "parts"),
    [(None, []), (["a,b"], ["a", "b"]), (["a", "b, c"], ["a", "b", "c"]), (["a,,", " "], ["a"])],
)
def test_several_values_by_repeating_or_by_commas(values: list[str] | None, parts: list[str]) -> None:
    assert split_values(values) == parts
