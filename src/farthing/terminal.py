"""Where commands speak: information on standard error, results on standard output."""

from __future__ import annotations

import msgspec
from rich.console import Console

errors = Console(stderr=True)
output = Console()


def say(message: str) -> None:
    """A line of information on standard error."""
    errors.print(message, highlight=False, markup=False, soft_wrap=True)


def print_json(value: object) -> None:
    """A result for machines, on one line."""
    output.out(msgspec.json.encode(value).decode(), highlight=False)
