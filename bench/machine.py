"""What a figure was measured on: written beside every result."""

from __future__ import annotations

import platform
import re
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil


def describe() -> dict[str, Any]:
    """CPU, cores, memory, versions and the day."""
    return {
        "cpu": _cpu(),
        "cores": psutil.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9),
        "python": platform.python_version(),
        "torch": version("torch"),
        "polars": version("polars"),
        "date": datetime.now(tz=timezone.utc).date().isoformat(),
    }


def maker() -> str:
    """Whose CPU it is, in small letters: intel, amd."""
    return re.split("[^a-z0-9]", _cpu().lower())[0]


def _cpu() -> str:
    names = [line.split(":", 1)[1].strip() for line in _cpu_lines() if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _cpu_lines() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []
