"""12: the pages that a browser shows."""

from __future__ import annotations

from pathlib import Path

from tests.soak.outcome import Budget, Outcome
from tests.soak.suites import run_tests

PLACES = (
    "tests/web",
    "tests/serve/test_app.py",
    "tests/serve/test_server.py",
    "tests/documents/review",
    "tests/documents/filtering/test_report.py",
    "tests/documents/judging/test_comparereport.py",
    "tests/discover/gallery",
    "tests/discover/test_report.py",
    "tests/discover/test_comparereport.py",
    "tests/recommend/test_report.py",
    "tests/results/test_webpages.py",
    "tests/results/test_charts.py",
)


def pages_are_safe(_: Budget, __: Path) -> Outcome:
    """Hosts, origins, tokens, policies and an XSS corpus in a real browser: the tests of all that shows HTML."""
    result = run_tests(*PLACES)
    return Outcome(f"the tests of every page, with Chromium: {result.summary}", result.is_green)
