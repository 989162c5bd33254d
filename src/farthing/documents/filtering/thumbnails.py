"""Small pictures of pages for web pages, as data URIs: nothing is fetched, nothing lies beside the page."""

from __future__ import annotations

import base64
import io

from PIL import Image

from farthing.documents.page import Page

_QUALITIES = (62, 40, 15)  # of WebP: the first takes about 8 kB for a printed page of 360 px
_MOST_BYTES = 45_000  # from here on a lower quality is tried, so that a page of noise cannot bloat a report


def thumbnail_uri(page: Page, *, max_side: int) -> str:
    """A WebP picture of the page as `data:image/webp;base64,...`.

    Args:
        page: what is shown.
        max_side: long side of the picture, px; a smaller page stays as small as it is.
    """
    image = Image.fromarray(page.pixels)
    image.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    encoded = b""
    for quality in _QUALITIES:
        buffer = io.BytesIO()
        image.save(buffer, "WEBP", quality=quality)
        encoded = buffer.getvalue()
        if len(encoded) <= _MOST_BYTES:
            break
    return "data:image/webp;base64," + base64.b64encode(encoded).decode()
