"""The Python examples of pages that promise to be runnable, each page in one process and one namespace."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[1] / "docs"
EXAMPLE = re.compile(r"^```python\n(?P<body>.*?)^```", re.MULTILINE | re.DOTALL)

# Each page and the optional packages that its examples import.
PAGES: dict[str, tuple[str, ...]] = {"bitorch.md": ("bitorch",), "export.md": ()}


@pytest.mark.parametrize("page", PAGES)
def test_examples_run(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in PAGES[page]:
        pytest.importorskip(package, reason=f"{package} is not installed")
    monkeypatch.chdir(tmp_path)
    bodies = [match["body"] for match in EXAMPLE.finditer((DOCS / page).read_text(encoding="utf-8"))]
    assert bodies
    namespace: dict[str, object] = {"__name__": page}
    for body in bodies:
        exec(compile(body, page, "exec"), namespace)  # our own documentation
