"""Requests of a tab that a test answers in the server's place."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route


def route(page: Page, pattern: str, answer: Callable[[Route], None]) -> None:
    """Answers requests to addresses like `pattern`; the page is loaded again.

    Chromium now and then lets the first request of a document pass that was loaded before it was told to hold them.
    """
    page.route(pattern, answer)
    page.reload()
    page.wait_for_selector("html[data-ready]")
