"""A browser's tab on the review page, and what tests ask of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from farthing.results.store import STORE_FILE, Store

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page

DESK, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}


class tab:  # noqa: N801 (used like a function)
    """A browser's tab on an address, ready; it must have no complaints when it closes."""

    def __init__(self, browser: Browser, address: str, *, is_strict: bool = True, **options: object) -> None:
        """Args: is_strict: whether images that are not there count as complaints."""
        self._is_strict = is_strict
        self._context = browser.new_context(**{"viewport": DESK, **options})  # type: ignore[arg-type]
        self._page = self._context.new_page()
        self.complaints: list[str] = []
        self._page.on("console", self._complain)
        self._page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self._page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        self._page.goto(address)
        self._page.wait_for_selector("html[data-ready]")

    def _complain(self, message: ConsoleMessage) -> None:
        is_cut_off = "net::ERR_FAILED" in message.text  # by the test itself
        is_missing = "status of 404" in message.text and not self._is_strict
        if not (is_cut_off or is_missing):
            self.complaints.append(message.text)

    def __enter__(self) -> Page:
        return self._page

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self._context.close()
        assert not self.complaints


def decisions(found: Path) -> dict[str, bool]:
    with Store.open(found / STORE_FILE) as store:
        return store.decisions()


def saved(page: Page) -> None:
    page.wait_for_selector("#saved[data-state=saved]")


def view(page: Page, name: str) -> None:
    page.click(f"#view-{name}")
    page.wait_for_selector(f"#view-{name}[aria-pressed=true]")
