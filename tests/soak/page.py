"""From the rows of a soak to docs/reliability.md."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

import psutil

START, END = "<!-- soak -->\n", "<!-- end -->"


def write(path: Path, rows: Sequence[Mapping[str, object]], *, command: str) -> None:
    """Replaces what stands between the markers of the page."""
    before, rest = path.read_text(encoding="utf-8").split(START)
    after = rest.split(END, 1)[1]
    path.write_text(f"{before}{START}{table(rows, command)}{END}{after}", encoding="utf-8")


def table(rows: Sequence[Mapping[str, object]], command: str) -> str:
    """What was run last, where and when, and a line per promise."""
    minutes = sum(float(str(row["minutes"])) for row in rows)
    text = (
        f"{sum(bool(row['kept']) for row in rows)} of {len(rows)} promises kept, in {minutes:.0f} minutes of checks; "
        f"the last command was `{command}`. {_cpu()}, {psutil.cpu_count()} cores, "
        f"{psutil.virtual_memory().total / 1e9:.0f} GB, Python {platform.python_version()}, "
        f"torch {version('torch')}.\n\n"
        "| # | promise | kept | figure | put to the test |\n|---:|---|---|---|---|\n"
    )
    for number, row in enumerate(rows, start=1):
        figure = str(row["figure"]).replace("|", "\\|").replace("<", "&lt;")
        verdict, asked = "yes" if row["kept"] else "**no**", f"{row['date']}, {row['minutes']:.1f} min"
        text += f"| {number} | {row['promise']} | {verdict} | {figure} | {asked} |\n"
    return text


def today() -> str:
    """The date, by UTC."""
    return datetime.now(tz=timezone.utc).date().isoformat()


def _cpu() -> str:
    """The processor's name where Linux says it."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())
