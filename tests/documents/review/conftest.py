"""What the tests of the review page share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.documents.review.places import make_folder, served
from tests.documents.review.tabs import tab

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture
def found(tmp_path: Path) -> Path:
    """A filtered folder of twelve pages, six of them kept."""
    return make_folder(tmp_path)


@pytest.fixture
def page(found: Path, browser: Browser) -> Iterator[Page]:
    """The page over twelve pages, six of them kept; the test fails if anything is written to the console."""
    with served(found) as address, tab(browser, address) as page:
        yield page
