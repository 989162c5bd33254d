"""What the commands of all applications share: options of the same name and meaning, and examples in their help."""

from __future__ import annotations

from typing import Annotated

import typer

from farthing.base.errors import ConfigError

Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a setting, e.g. train.lr=0.001; repeatable."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for machines instead of a table.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with what was interrupted.")]


def new_app(help: str) -> typer.Typer:
    """The application of a subcommand."""
    return typer.Typer(help=help, no_args_is_help=True, rich_markup_mode="rich", add_completion=False)


def split_values(values: list[str] | None) -> list[str]:
    """The values of an option that may be repeated, comma-separated, or both."""
    return [part.strip() for value in values or [] for part in value.split(",") if part.strip()]


def epilog(application: str, *examples: str) -> str:
    """Examples for the end of a command's help."""
    return "Examples:\n\n" + "\n\n".join(f"farthing {application} {example}" for example in examples)


def parse_bits(text: str) -> int:
    """A bit width from text.

    Raises:
        ConfigError: not a whole number.
    """
    try:
        return int(text)
    except ValueError as error:
        raise ConfigError(f"--bits takes whole numbers such as 32,8,4, got {text!r}") from error
