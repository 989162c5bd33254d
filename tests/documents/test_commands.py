"""`farthing documents ...` from the outside: the whole way, what is shown, and what goes wrong."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from farthing import cli

SHORT = [
    *("--set", "train.num_images=16", "--set", "train.num_quantized_images=8", "--set", "train.batch_size=8"),
    *("--set", "train.num_evals=1", "--set", "model.long_side=128", "--set", "train.cache_side=128"),
]


def run(*words: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(cli.app, ["documents", *map(str, words)])
    return result.exit_code, result.stdout, result.stderr


def succeeds(*words: object) -> str:
    code, shown, said = run(*words)
    assert code == 0, said
    return shown


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve synthetic pages with pictures."""
    out = tmp_path_factory.mktemp("pages") / "made"
    made = json.loads(
        succeeds("synthesize", "--pages", 12, "--classes", "illustration", "--out", out, "--jobs", 1, "--json")
    )
    assert made["num_pages"] == 12
    return out


@pytest.fixture(scope="module")
def found(pages: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages, filtered with the shipped model."""
    out = tmp_path_factory.mktemp("found") / "out"
    result = json.loads(
        succeeds("filter", "builtin", pages / "images", "--contains", "illustration", "--out", out, "--crops", "--json")
    )
    assert (result["pages"], result["failed"], result["contains"]) == (12, 0, ["illustration"])
    return out


@pytest.mark.slow
def test_a_filter_leaves_its_files(found: Path) -> None:
    assert {"pages.csv", "detections.json", "report.html", "store.sqlite", "crops.csv"} <= {
        p.name for p in found.iterdir()
    }
    with (found / "pages.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == ["page", "score", "keep", "illustration"]
    assert len(rows) == 12


@pytest.mark.slow
def test_from_a_sample_to_a_stated_recall(found: Path, tmp_path: Path) -> None:
    todo = tmp_path / "todo.csv"
    state = json.loads(succeeds("calibrate", found, "--sample", 12, "--out", todo, "--json"))
    assert (state["total"], state["num_pages"]) == (12, 12)
    with todo.open(newline="") as stream:
        names = [row["page"] for row in csv.DictReader(stream)]
    todo.write_text("page,contains\n" + "".join(f"{name},{number % 2}\n" for number, name in enumerate(names)))
    shown = succeeds("calibrate", found, "--labels", todo, "--recall", 0.9)
    assert "pages kept: at least 90 % of the wanted ones, with 95% confidence" in shown
    assert json.loads((found / "calibration.json").read_text())["is_reached"]


@pytest.mark.slow
def test_export_says_where(found: Path, tmp_path: Path) -> None:
    code, _, said = run("export", found, "--to", "coco", "--out", tmp_path / "coco")
    assert code == 0
    assert "written" in said
    assert (tmp_path / "coco" / "annotations.json").exists()


@pytest.mark.slow
def test_train_then_measure(pages: Path, tmp_path: Path) -> None:
    classes = ["--set", 'classes=["illustration"]']
    result = json.loads(
        succeeds("train", pages, "--out", tmp_path / "run", *classes, *SHORT, "--device", "cpu", "--json")
    )
    assert 0 <= result["metrics"]["page_ap"] <= 1
    figures = json.loads(succeeds("evaluate", tmp_path / "run", pages, "--json"))
    assert figures["num_pages"] == 12
    assert set(figures["classes"]) == {"illustration"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["filter", "builtin", "nowhere", "--out", "out"], "nowhere"),
        (["synthesize", "--pages", "2", "--classes", "dragon", "--out", "out"], "dragon"),
        (["train", "nowhere", "--out", "out", "--preset", "huge"], "preset must be one of tiny, accurate"),
        (["calibrate", "nowhere", "--sample", "5"], "nowhere"),
        (["evaluate", "nowhere", "nowhere"], "nowhere"),
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
