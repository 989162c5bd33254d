from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

import farthing
from farthing import cli, doctor
from farthing.lowbit import native

REQUIREMENTS = [
    "msgspec>=0.19",
    "no-such-package>=2,<3",
    'no-such-extra==1.0; extra == "speed"',
    "no-such-tool>=1; extra == 'dev'",
]


@pytest.fixture
def runner() -> CliRunner:
    return CliRunner()


@pytest.fixture
def _some_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: REQUIREMENTS)


def test_text_and_json_say_the_same(runner: CliRunner) -> None:
    text = runner.invoke(cli.app, ["doctor"]).stdout
    facts = json.loads(runner.invoke(cli.app, ["doctor", "--json"]).stdout)
    assert facts["farthing"] == farthing.__version__
    assert facts["threads"] == 1
    for value in (facts["python"], facts["processor"], *facts["packages"].values(), *facts["tiers"]):
        assert value in text


def test_every_runtime_dependency_is_there(runner: CliRunner) -> None:
    result = runner.invoke(cli.app, ["doctor", "--json"])
    assert result.exit_code == 0
    assert {"torch", "polars", "safetensors"} <= json.loads(result.stdout)["packages"].keys()


@pytest.mark.usefixtures("_some_missing")
def test_what_is_missing_comes_with_the_line_that_installs_it(runner: CliRunner) -> None:
    result = runner.invoke(cli.app, ["doctor", "--json"])
    assert result.exit_code == 1
    missing = {package["name"]: package for package in json.loads(result.stdout)["missing"]}
    assert missing == {
        "no-such-package": {
            "name": "no-such-package",
            "extra": None,
            "install": f'{sys.executable} -m pip install "no-such-package>=2,<3"',
        },
        "no-such-extra": {
            "name": "no-such-extra",
            "extra": "speed",
            "install": f'{sys.executable} -m pip install "no-such-extra==1.0"',
        },
    }
    text = runner.invoke(cli.app, ["doctor"]).stdout
    assert "missing: no-such-package, needed" in text
    assert "missing: no-such-extra, optional (speed)" in text


def test_an_absent_optional_package_is_no_failure(monkeypatch: pytest.MonkeyPatch, runner: CliRunner) -> None:
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: REQUIREMENTS[2:])
    assert runner.invoke(cli.app, ["doctor"]).exit_code == 0


def test_a_source_folder_that_was_never_installed_says_so(monkeypatch: pytest.MonkeyPatch, runner: CliRunner) -> None:
    def not_installed(name: str) -> list[str]:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "requires", not_installed)
    result = runner.invoke(cli.app, ["doctor"])
    assert result.exit_code == 1
    assert "missing: farthing, needed\n  make install" in result.stdout


def test_without_the_extension_it_says_who_does_the_work(monkeypatch: pytest.MonkeyPatch, runner: CliRunner) -> None:
    monkeypatch.setattr(native, "info", lambda: None)
    result = runner.invoke(cli.app, ["doctor"])
    assert "not built; plain torch does its work" in result.stdout
    assert doctor.diagnose().tiers == []


def test_the_core_imports_without_the_extension() -> None:
    program = (
        "import sys; sys.modules['farthing._native'] = None; from farthing.lowbit import native; "
        "sys.exit(native.info() is not None)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_system_that_tells_nothing_is_no_failure(monkeypatch: pytest.MonkeyPatch, runner: CliRunner) -> None:
    def no_memory(name: str) -> int:
        raise ValueError(name)

    monkeypatch.setattr("os.sysconf", no_memory)
    assert doctor.diagnose().memory_bytes is None
    assert "memory" in runner.invoke(cli.app, ["doctor"]).stdout
