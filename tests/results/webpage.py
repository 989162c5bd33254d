"""A written page as its tags, attributes and text."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path


class Page(HTMLParser):
    """The tags, attributes and text of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    @property
    def words(self) -> str:
        """All text, with single spaces."""
        return " ".join(" ".join(self.text).split())


def assert_harmless(page: Page, like: Page) -> None:
    """Asserts that a page of hostile names has no tag and no attribute that the page of plain names has not."""
    assert set(page.tags) <= set(like.tags)
    assert {name for name, _ in page.attributes} <= {name for name, _ in like.attributes}
    assert not [name for name, _ in page.attributes if name.startswith("on") or name == "src"]
    styles = [value or "" for name, value in page.attributes if name == "style"]
    assert not [style for style in styles if "url(" in style.replace("url(#", "") or "<" in style]
