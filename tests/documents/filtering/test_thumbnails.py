"""A thumbnail is a small picture of its page, and the same one every time."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from farthing.documents.filtering.thumbnails import thumbnail_uri
from farthing.documents.page import Page


def make_page(width: int, height: int) -> Page:
    pixels = np.full((height, width, 3), 240, np.uint8)
    pixels[: height // 2] = (200, 30, 30)
    return Page(id="p", document=".", pixels=pixels, width=width, height=height)


@pytest.mark.parametrize(
    ("size", "expected"), [((300, 400), (75, 100)), ((400, 100), (100, 25)), ((30, 40), (30, 40)), ((1, 1), (1, 1))]
)
def test_it_fits_and_shows_the_page(size: tuple[int, int], expected: tuple[int, int]) -> None:
    uri = thumbnail_uri(make_page(*size), max_side=100)
    start, _, data = uri.partition(",")
    assert start == "data:image/webp;base64"
    with Image.open(io.BytesIO(base64.b64decode(data))) as image:
        assert image.format == "WEBP"
        assert image.size == expected
        bottom = np.asarray(image.convert("RGB"), np.float64)[-1].mean(axis=0)
    assert np.abs(bottom - 240).max() < 12
    assert uri == thumbnail_uri(make_page(*size), max_side=100)
