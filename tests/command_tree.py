"""Every command of the command line, for contract tests that loop over them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from farthing import cli


def root() -> Any:  # Any: typer keeps its command classes private
    """The command `farthing` itself."""
    return typer.main.get_command(cli.app)


def subcommands(command: Any) -> dict[str, Any]:  # Any: as above
    """Name -> command of a group, lazy ones loaded; empty for a command that runs something."""
    if command.name == cli.app.info.name:
        return {name: typer.main.get_command(cli.load(name)) for name in cli.SUBCOMMANDS}
    return dict(getattr(command, "commands", {}))


def leaves(command: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:  # Any: as above
    """(words after `farthing`, command) of every command that runs something."""
    command = root() if command is None else command
    below = subcommands(command)
    if not below:
        yield path, command
    for name, child in below.items():
        yield from leaves(child, (*path, name))


def options(command: Any) -> set[str]:  # Any: as above
    """Every spelling of every option that a command takes."""
    spellings = {"--help"}
    for parameter in command.params:
        if parameter.param_type_name == "option":
            spellings.update(parameter.opts, parameter.secondary_opts)
    return spellings
