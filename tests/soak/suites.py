"""Promises whose full form is the project's own tests, run once more and none of them skipped."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 1800


@dataclass(frozen=True)
class SuiteResult:
    """How a run of some tests ended: how many passed, and its last line."""

    num_passed: int
    is_green: bool
    summary: str


def run_tests(*places: str, pattern: str = "", **environment: str) -> SuiteResult:
    """Runs tests in a process of their own; green is passed and nothing skipped.

    Args:
        places: files, or tests in them.
        pattern: pytest's -k.
        environment: variables for the tests.
    """
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *places]
    command += ["-k", pattern] if pattern else []
    ran = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "FARTHING_REQUIRE_BROWSER": "1", **environment},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    lines = ran.stdout.strip().splitlines()
    summary = lines[-1].strip("= ") if lines else f"pytest ended with {ran.returncode}"
    passed = re.search(r"(\d+) passed", summary)
    is_green = ran.returncode == 0 and passed is not None and "skipped" not in summary
    return SuiteResult(int(passed[1]) if passed else 0, is_green, summary)
