"""The build of the extension that ends a process at the first access outside, or at what C++ leaves undefined."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.soak.suites import ROOT

BUILD = ROOT / "build" / "sanitized" / "extension"


def sanitized() -> dict[str, str] | None:
    """The environment of a process that loads it; None where `make sanitize` has not built it."""
    extension = next(BUILD.glob("_native*.so"), None)
    if extension is None:
        return None
    return {
        # Before anything else, and with it the library whose exceptions it watches.
        "LD_PRELOAD": f"{_library('libasan.so')} {_library('libstdc++.so')}",
        "ASAN_OPTIONS": "detect_leaks=0",  # what Python itself never frees is no leak of ours
        "FARTHING_TEST_EXTENSION": str(extension),
    }


def _library(name: str) -> Path:
    said = subprocess.run(["c++", f"-print-file-name={name}"], capture_output=True, text=True, check=True)
    return Path(said.stdout.strip())
