"""One self-contained HTML file per page: styles and charts inline, no script, nothing fetched.

Values are escaped wherever they are put in (`autoescape`), a misspelt one is an error (`StrictUndefined`), and the page
forbids itself everything but its own styles (Content-Security-Policy).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from farthing.base.files import write_bytes

TEMPLATES = Path(__file__).parent / "templates"


def render_page(template: str, values: Mapping[str, object]) -> str:
    """The page as HTML text.

    Args:
        template: name of a file in `templates/`.
        values: what it shows; everything but `markupsafe.Markup` is escaped.
    """
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(values)


def write_page(path: Path, template: str, values: Mapping[str, object]) -> Path:
    """Renders a page into `path`, atomically; returns `path`.

    Raises:
        DataError: the folder cannot be written or the disk is full.
    """
    write_bytes(path, render_page(template, values).encode())
    return path
