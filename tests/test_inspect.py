from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from farthing import cli, inspect
from farthing.base.files import write_json
from farthing.documents.synthetic.write import write_pages
from farthing.lowbit.artifact import save_artifact
from farthing.recommend.prepare import prepare
from farthing.results.store import STORE_FILE, Store
from farthing.train.checkpoint import save_state

LOG = "click,age,site\n" + "".join(f"{row % 2},{row},{'abc'[row % 3]}\n" for row in range(40))


@pytest.fixture
def runner() -> CliRunner:
    return CliRunner()


def _write_model(folder: Path) -> None:
    tensors = {"table.packed": torch.zeros(4, 2, dtype=torch.uint8), "table.scale": torch.ones(1)}
    config = {"settings": {"dim": 16, "hidden": [8, 4]}, "layers": {"table": {"kind": "embedding", "bits": 1}}}
    save_artifact(folder, config=config, tensors=tensors, files={"README.md": b"# A model\n"})


def _write_run(folder: Path) -> None:
    write_json(folder / "run.json", {"seed": 3, "config": {"model": {"dim": 16}}})
    write_json(folder / "result.json", {"test": {"auc": 0.75}, "history": [{"auc": 0.5}] * 20})
    save_state(folder / "best.safetensors", {"model": {"weight": torch.ones(8)}})


def _write_data(folder: Path) -> None:
    log = folder.parent / "log.csv"
    log.write_text(LOG, encoding="utf-8")
    prepare([log], folder)


def _write_comparison(folder: Path) -> None:
    write_json(folder / "compare.json", [{"name": "fp32", "auc": 0.8}, {"name": "int4", "auc": 0.79}])
    _write_model(folder / "models" / "int4")


def _write_filter(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    Store.create(folder / STORE_FILE, contains=["stamp"], threshold=0.3).close()


def _write_pages(folder: Path) -> None:
    write_pages(folder, 2, seed=5)


def _write_discovery(folder: Path) -> None:
    write_json(folder / "discovery.json", {"seed": 4, "num_classes": 12})
    write_json(folder / "summary.json", {"k": 12})
    save_state(folder / "features.safetensors", {"features": torch.ones(8)})
    _write_model(folder / "model")


WRITERS = {
    "model": _write_model,
    "run": _write_run,
    "data": _write_data,
    "filter": _write_filter,
    "pages": _write_pages,
    "discovery": _write_discovery,
    "comparison": _write_comparison,
}
FACTS = {
    "model": {"settings.dim": "16", "settings.hidden": "[8,4]", "layers.table.kind": "embedding"},
    "run": {"run.seed": "3", "result.test.auc": "0.75", "result.history": "20 entries"},
    "data": {"schema.label": "click", "fields.site.num_values": "3", "splits.train.num_rows": "32"},
    "filter": {"threshold": "0.3", "pages": "0"},
    "pages": {"num_pages": "2", "seed": "5"},
    "discovery": {"discovery.seed": "4", "summary.k": "12"},
    "comparison": {"fp32.auc": "0.8", "int4.auc": "0.79"},
}
# A file whose every byte counts, of each kind.
PRECIOUS = {
    "model": "model.safetensors",
    "run": "best.safetensors",
    "discovery": "model/model.safetensors",
    "comparison": "models/int4/model.safetensors",
}


@pytest.mark.parametrize("kind", WRITERS)
def test_inspect_says_what_is_there(kind: str, tmp_path: Path, runner: CliRunner) -> None:
    folder = tmp_path / kind
    WRITERS[kind](folder)
    result = runner.invoke(cli.app, ["inspect", str(folder), "--json"])
    assert result.exit_code == 0, result.output
    contents = json.loads(result.stdout)
    assert contents["kind"] == kind
    assert FACTS[kind].items() <= contents["facts"].items()
    files = {path.relative_to(folder).as_posix(): path.stat().st_size for path in folder.rglob("*.*")}
    assert {file["name"]: file["size_bytes"] for file in contents["files"]}.items() >= files.items()
    assert contents["size_bytes"] == sum(file["size_bytes"] for file in contents["files"])
    text = runner.invoke(cli.app, ["inspect", str(folder)]).stdout
    assert all(key in text and value in text for key, value in FACTS[kind].items())


def test_inspect_lists_the_tensors_of_a_model(tmp_path: Path) -> None:
    _write_model(tmp_path / "model")
    tensors = {tensor.name: tensor for tensor in inspect.look_into(tmp_path / "model").tensors}
    packed = tensors["table.packed"]
    assert (packed.dtype, packed.shape, packed.size_bytes) == ("uint8", (4, 2), 8)
    assert tensors["table.scale"].dtype == "float32"


@pytest.mark.parametrize("kind", WRITERS)
def test_verify_accepts_what_farthing_wrote(kind: str, tmp_path: Path, runner: CliRunner) -> None:
    folder = tmp_path / kind
    WRITERS[kind](folder)
    result = runner.invoke(cli.app, ["verify", str(folder)])
    assert (result.exit_code, result.stdout) == (0, f"{folder}: {kind} folder, no damage found\n")


@pytest.mark.parametrize("kind", PRECIOUS)
def test_verify_names_the_file_with_a_flipped_bit(kind: str, tmp_path: Path, runner: CliRunner) -> None:
    folder = tmp_path / kind
    WRITERS[kind](folder)
    path = folder / PRECIOUS[kind]
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    result = runner.invoke(cli.app, ["verify", str(folder), "--json"])
    assert result.exit_code == 1
    findings = json.loads(result.stdout)["findings"]
    assert findings
    assert all(str(path) in finding for finding in findings)


def test_verify_names_a_missing_and_a_shortened_file(tmp_path: Path, runner: CliRunner) -> None:
    _write_data(tmp_path / "data")
    missing, *_ = sorted((tmp_path / "data").rglob("train/*"))
    short, *_ = sorted((tmp_path / "data").rglob("vocabulary/*"))
    missing.unlink()
    short.write_bytes(short.read_bytes()[:-9])
    result = runner.invoke(cli.app, ["verify", str(tmp_path / "data")])
    assert result.exit_code == 1
    assert [finding.partition(":")[0] for finding in result.stdout.splitlines()] == [str(missing), str(short)]


@pytest.mark.parametrize("command", ["inspect", "verify"])
def test_a_foreign_folder_is_an_error_that_lists_what_would_do(command: str, tmp_path: Path, runner: CliRunner) -> None:
    result = runner.invoke(cli.app, [command, str(tmp_path)])
    assert result.exit_code == 2
    assert result.stderr.startswith(f"error: {tmp_path}: farthing did not write this")
    assert "manifest.json (data)" in result.stderr


@pytest.mark.parametrize("command", ["inspect", "verify"])
def test_a_path_that_is_no_folder_is_an_error(command: str, tmp_path: Path, runner: CliRunner) -> None:
    result = runner.invoke(cli.app, [command, str(tmp_path / "absent")])
    assert (result.exit_code, result.stderr) == (2, f"error: {tmp_path}/absent: is not a folder\n")


@pytest.mark.parametrize(
    ("size_bytes", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1 kB"), (2_162_000_000, "2.162 GB"), (64_000_000, "64 MB")],
)
def test_sizes_read_well(size_bytes: int, text: str) -> None:
    assert inspect._size(size_bytes) == text


def test_verify_finds_a_store_that_lost_its_end(runner: CliRunner, tmp_path: Path) -> None:
    folder = tmp_path / "found"
    _write_filter(folder)
    path = folder / STORE_FILE
    path.write_bytes(path.read_bytes()[:-5000])
    result = runner.invoke(cli.app, ["verify", str(folder)])
    assert result.exit_code == 1
    assert STORE_FILE in result.output or "malformed" in result.output
