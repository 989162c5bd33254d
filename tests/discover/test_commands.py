"""`farthing discover ...` from the outside: the whole way, what is shown, and what goes wrong."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from farthing import cli
from tests.discover.collections_on_disk import NUM_IMAGES, OPTIONS, make_collection


def run(*words: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(cli.app, ["discover", *map(str, words)])
    return result.exit_code, result.stdout, result.stderr


def succeeds(*words: object) -> str:
    code, shown, said = run(*words)
    assert code == 0, said
    return shown


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_collection(tmp_path_factory.mktemp("collection"))


@pytest.fixture(scope="module")
def fitted(collection: Path) -> Path:
    out = collection / "run"
    labels = ["--labels", collection / "labels.csv"]
    summary = json.loads(succeeds("fit", collection / "images", *labels, "--out", out, *OPTIONS, "--json"))
    assert (summary["num_images"], summary["num_known"]) == (NUM_IMAGES, 2)
    return out


def test_a_fit_says_what_it_found(collection: Path, tmp_path: Path) -> None:
    words = ["fit", collection / "images", "--labels", collection / "labels.csv", "--classes", 4]
    code, shown, said = run(*words, "--out", tmp_path / "run", *OPTIONS)
    assert code == 0, said
    assert f"{NUM_IMAGES} images in 4 classes, 2 of them new" in shown
    assert "report.html" in said


def test_assign_export_evaluate(fitted: Path, collection: Path, tmp_path: Path) -> None:
    result = json.loads(succeeds("assign", fitted, collection / "images", "--out", tmp_path / "new.csv", "--json"))
    assert result["num_images"] == NUM_IMAGES
    succeeds("export", fitted, "--to", "folders", "--out", tmp_path / "named")
    assert (tmp_path / "named" / "bar").is_dir()
    figures = json.loads(succeeds("evaluate", fitted, "--truth", collection / "truth.csv", "--json"))
    assert figures["all"] > 50
    shown = succeeds("evaluate", fitted, "--truth", collection / "truth.csv")
    assert "known classes by name" in shown


def test_split(fitted: Path, tmp_path: Path) -> None:
    succeeds("export", fitted, "--to", "folders", "--out", tmp_path / "named")
    words = ["split", tmp_path / "named", "--out", tmp_path / "split", "--least", 2, "--imbalance", 4]
    counts = json.loads(succeeds(*words, "--json"))
    with (tmp_path / "split" / "truth.csv").open(newline="") as stream:
        assert len(list(csv.DictReader(stream))) == counts["images"]


@pytest.mark.slow
def test_compare(collection: Path, tmp_path: Path) -> None:
    words = ["compare", collection / "images", "--labels", collection / "labels.csv"]
    truth = ["--truth", collection / "truth.csv", "--out", tmp_path / "table"]
    rows = json.loads(succeeds(*words, *truth, *OPTIONS, "--bits", "32,1", "--seeds", 1, "--json"))
    assert {row["bits"] for row in rows} == {32, 1}
    assert {"chosen", "kmeans", "linkage"} <= {row["head"] for row in rows}
    assert (tmp_path / "table" / "compare.csv").read_text().count("\n") == len(rows) + 1
    assert json.loads((tmp_path / "table" / "compare.json").read_text()) == rows
    assert "The choice gets" in (tmp_path / "table" / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["fit", "nowhere", "--out", "out"], "nowhere"),
        (
            ["fit", "nowhere", "--out", "out", "--classes", "many"],
            "--classes must be a number >= 1 or auto, got 'many'",
        ),
        (["fit", "nowhere", "--out", "out", "--set", "heads=x"], "unknown setting 'heads'"),
        (["assign", "nowhere", "nowhere", "--out", "out.csv"], "is not a discovery"),
        (["export", "nowhere", "--to", "xml", "--out", "out"], "--to must be one of csv, folders, coco"),
        (["evaluate", "nowhere", "--truth", "t.csv"], "is not a discovery"),
        (["gallery", "nowhere"], "is not a discovery"),
        (["compare", "x", "--truth", "t.csv", "--out", "o", "--bits", "4"], "--bits must be of 32, 8, 1, got 4"),
        (["split", "nowhere", "--out", "out", "--known", "2"], "known must be a share from 0 to 1"),
    ],
)
def test_what_goes_wrong_is_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    code, shown, said = run(*words)
    assert code == 2
    assert message in said
    assert "Traceback" not in shown + said
