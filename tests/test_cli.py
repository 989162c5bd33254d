from __future__ import annotations

import resource
import subprocess
import sys
from types import ModuleType

import pytest
import typer
from typer.testing import CliRunner

import farthing
from farthing import cli
from farthing.base.errors import ConfigError
from tests import command_tree

LEAVES = [pytest.param(path, command, id=" ".join(path)) for path, command in command_tree.leaves()]
MAX_HELP_SECONDS = 0.4


@pytest.fixture
def runner() -> CliRunner:
    return CliRunner()


def _install(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Adds a subcommand `fail` that raises `error`."""
    module = ModuleType("farthing_failing_command")
    application = typer.Typer()

    @application.command()
    def fail() -> None:
        raise error

    module.app = application  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(cli.SUBCOMMANDS, "fail", cli.Subcommand(f"{module.__name__}:app", "Fails."))


@pytest.mark.parametrize(("path", "command"), LEAVES)
def test_every_command_has_help_with_an_example(path: tuple[str, ...], command: object, runner: CliRunner) -> None:
    result = runner.invoke(cli.app, [*path, "--help"])
    assert result.exit_code == 0, result.output
    text = getattr(command, "help", None) or ""
    assert text.splitlines()[0].endswith(".")
    assert f"farthing {' '.join(path)}" in (getattr(command, "epilog", None) or "")


@pytest.mark.parametrize(("path", "command"), LEAVES)
def test_every_option_says_what_it_does(path: tuple[str, ...], command: object) -> None:
    silent = [parameter.name for parameter in getattr(command, "params", []) if not parameter.help]
    assert not silent


@pytest.mark.parametrize("name", cli.SUBCOMMANDS)
def test_the_summary_in_the_table_is_that_of_the_command(name: str) -> None:
    text = typer.main.get_command(cli.load(name)).help or ""
    assert text.splitlines()[0] == cli.SUBCOMMANDS[name].summary


def test_help_lists_every_subcommand(runner: CliRunner) -> None:
    result = runner.invoke(cli.app, ["--help"])
    assert result.exit_code == 0
    assert all(name in result.output for name in cli.SUBCOMMANDS)


def test_without_arguments_there_is_help_and_an_error_code(runner: CliRunner) -> None:
    result = runner.invoke(cli.app, [])
    assert result.exit_code == 2
    assert "Usage" in result.output


def test_help_is_instant_and_imports_nothing_heavy() -> None:
    program = (
        "import sys; from farthing.cli import app; app(['--help'], standalone_mode=False); "
        "sys.exit(sorted({'torch', 'polars', 'numpy', 'sklearn', 'matplotlib'} & set(sys.modules)) or 0)"
    )
    seconds = []
    for _ in range(2):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(seconds) < MAX_HELP_SECONDS


def test_version(runner: CliRunner) -> None:
    result = runner.invoke(cli.app, ["--version"])
    assert (result.exit_code, result.output) == (0, f"farthing {farthing.__version__}\n")


def test_an_unknown_command_is_a_usage_error(runner: CliRunner) -> None:
    result = runner.invoke(cli.app, ["recomend"])
    assert result.exit_code == 2
    assert "recommend" in result.output


def test_an_error_is_one_message_on_standard_error(monkeypatch: pytest.MonkeyPatch, runner: CliRunner) -> None:
    _install(monkeypatch, ConfigError("dim must be positive, got -1"))
    result = runner.invoke(cli.app, ["fail"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "error: dim must be positive, got -1\n"


def test_verbose_adds_the_traceback(monkeypatch: pytest.MonkeyPatch, runner: CliRunner) -> None:
    _install(monkeypatch, ConfigError("dim must be positive, got -1"))
    result = runner.invoke(cli.app, ["--verbose", "fail"])
    assert result.exit_code == 2
    assert "Traceback" in result.stderr
    assert result.stderr.endswith("error: dim must be positive, got -1\n")


@pytest.mark.parametrize(
    ("interrupt", "message"),
    [
        (KeyboardInterrupt(), "interrupted\n"),
        (KeyboardInterrupt("saved; go on with --resume"), "interrupted: saved; go on with --resume\n"),
    ],
)
def test_an_interrupt_ends_with_130(
    interrupt: KeyboardInterrupt, message: str, monkeypatch: pytest.MonkeyPatch, runner: CliRunner
) -> None:
    _install(monkeypatch, interrupt)
    result = runner.invoke(cli.app, ["fail"])
    assert (result.exit_code, result.stderr) == (130, message)


def test_a_bug_is_not_disguised(monkeypatch: pytest.MonkeyPatch, runner: CliRunner) -> None:
    _install(monkeypatch, ZeroDivisionError())
    assert isinstance(runner.invoke(cli.app, ["fail"]).exception, ZeroDivisionError)


def test_a_target_that_is_no_application_is_a_bug(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(cli.SUBCOMMANDS, "fail", cli.Subcommand("farthing.cli:SUBCOMMANDS", ""))
    with pytest.raises(TypeError, match="must be a typer"):
        cli.load("fail")


def test_the_module_runs_like_the_command() -> None:
    process = subprocess.run(
        [sys.executable, "-m", "farthing", "--version"], check=True, capture_output=True, text=True
    )
    assert process.stdout == f"farthing {farthing.__version__}\n"
