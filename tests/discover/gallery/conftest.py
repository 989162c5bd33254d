"""What the tests of the gallery share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.discover.gallery.runs import make_run


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Two known classes, two new ones, two images of none."""
    return make_run(tmp_path)
