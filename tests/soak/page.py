"""From the rows of a soak to docs/reliability.md."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

import psutil

START, END = "<!-- soak -->\n", "<!-- end -->"


def write(path: Path, rows: Sequence[Mapping[str, object]], *, command: str, minutes: float) -> None:
    """Replaces what stands between the markers of the page."""
    before, rest = path.read_text(encoding="utf-8").split(START)
    after = rest.split(END, 1)[1]
    path.write_text(f"{before}{START}{table(rows, command, minutes)}{END}{after}", encoding="utf-8")


def table(rows: Sequence[Mapping[str, object]], command: str, minutes: float) -> str:
    """What was run, where and when, and a line per promise."""
    text = (
        f"`{command}`: a soak of {_length(minutes)}, {_day()}, {_cpu()}, {psutil.cpu_count()} cores, "
        f"{psutil.virtual_memory().total / 1e9:.0f} GB, Python {platform.python_version()}, torch {version('torch')}. "
        f"{sum(bool(row['kept']) for row in rows)} of {len(rows)} promises kept.\n\n"
        "| # | promise | kept | figure |\n|---:|---|---|---|\n"
    )
    for number, row in enumerate(rows, start=1):
        figure = str(row["figure"]).replace("|", "\\|").replace("<", "&lt;")
        text += f"| {number} | {row['promise']} | {'yes' if row['kept'] else '**no**'} | {figure} |\n"
    return text


def _length(minutes: float) -> str:
    return f"{minutes / 60:g} hours" if minutes >= 120 else f"{minutes:g} minutes"


def _day() -> str:
    return datetime.now(tz=timezone.utc).date().isoformat()


def _cpu() -> str:
    """The processor's name where Linux says it."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())
