"""The `farthing` command: one table of subcommands, each imported only when it is chosen.

`farthing --help` therefore needs neither torch nor polars and answers at once. Whatever a command raises ends here:
a `FarthingError` becomes one clean message on standard error and exit code 2, Ctrl-C becomes exit code 130.
"""

from __future__ import annotations

import importlib
import traceback
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup

from farthing import __version__
from farthing.base import log
from farthing.base.errors import FarthingError

_USAGE_ERROR = 2
_INTERRUPTED = 130


class Subcommand(NamedTuple):
    """Where a subcommand lives and what `farthing --help` says of it before it is imported."""

    target: str
    summary: str


SUBCOMMANDS = {
    "recommend": Subcommand(
        "farthing.recommend.commands:app",
        "Click-through models in 1 to 32 bits, from a raw click log to a small model and an honest table.",
    ),
    "documents": Subcommand(
        "farthing.documents.commands:app",
        "Pages of scanned documents that show certain objects, found without labels, with a stated recall.",
    ),
    "discover": Subcommand(
        "farthing.discover.commands:app",
        "Sort images into known classes and new ones, with probabilities, and look at what was found.",
    ),
    "inspect": Subcommand(
        "farthing.inspect:inspect_app", "Say what is in a folder that farthing wrote, and how big it is."
    ),
    "verify": Subcommand("farthing.inspect:verify_app", "Check that a folder that farthing wrote is undamaged."),
    "doctor": Subcommand("farthing.doctor:app", "Say what this installation can do and what it lacks."),
}


def load(name: str) -> typer.Typer:
    """The Typer application of subcommand `name`, imported now."""
    module, _, attribute = SUBCOMMANDS[name].target.partition(":")
    application = getattr(importlib.import_module(module), attribute)
    if not isinstance(application, typer.Typer):
        raise TypeError(f"{SUBCOMMANDS[name].target} must be a typer.Typer, got {type(application).__name__}")
    return application


class _LazyGroup(TyperGroup):
    """Lists `SUBCOMMANDS` by their summaries, imports the chosen one, and turns its errors into messages."""

    def __init__(self, **attributes: Any) -> None:  # Any: typer's own keyword arguments, passed on
        super().__init__(**attributes)
        for name, subcommand in SUBCOMMANDS.items():
            self.add_command(TyperCommand(name, callback=None, help=subcommand.summary))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # Any: typer keeps these classes private
        name, command, rest = super().resolve_command(ctx, args)
        if name in SUBCOMMANDS:
            command = typer.main.get_command(load(name))
        return name, command, rest

    def invoke(self, ctx: Any) -> Any:  # Any: as above
        try:
            return super().invoke(ctx)
        except FarthingError as error:
            _report("error", str(error), with_traceback=ctx.params["verbose"])
            raise typer.Exit(_USAGE_ERROR) from error
        except KeyboardInterrupt as interrupt:
            _report("interrupted", str(interrupt), with_traceback=False)
            raise typer.Exit(_INTERRUPTED) from interrupt


def _report(title: str, message: str, *, with_traceback: bool) -> None:
    """Writes one message to standard error, its title in red on a terminal."""
    if with_traceback:
        traceback.print_exc()
    typer.secho(title, fg="red", bold=True, nl=False, err=True)
    typer.echo(f": {message}" if message else "", err=True)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"farthing {__version__}")
        raise typer.Exit


app = typer.Typer(
    name="farthing",
    cls=_LazyGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(epilog="Example: farthing recommend compare DATA --out DIR")
def farthing(
    *,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Details, and the traceback of an error.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Warnings and errors only.")] = False,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Few bits, few labels: neural networks that run on a CPU."""
    log.configure(verbosity=int(verbose) - int(quiet))


def main() -> None:
    """Runs the command line of this process and ends the process with its exit code."""
    app(prog_name="farthing")
