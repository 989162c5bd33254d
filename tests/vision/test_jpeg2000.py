from __future__ import annotations

import pytest

from farthing.vision.images import decode_image
from farthing.vision.jpeg2000 import num_halvings
from tests.vision.hostile import drawing, encoded


@pytest.mark.parametrize("num_resolutions", [1, 2, 4, 6])
@pytest.mark.parametrize("no_jp2", [False, True])
def test_levels_are_what_the_encoder_was_told(num_resolutions: int, no_jp2: bool) -> None:
    content = encoded(drawing(237, 401), "JPEG2000", num_resolutions=num_resolutions, no_jp2=no_jp2)
    assert num_halvings(content) == num_resolutions - 1
    image = decode_image(content, name="x", max_side=10)
    assert 10 <= max(image.pixels.shape[:2]) <= 20


@pytest.mark.parametrize("cut", [0, 30, 90, 120])
def test_an_incomplete_header_has_none(cut: int) -> None:
    assert num_halvings(encoded(drawing(), "JPEG2000", no_jp2=False)[:cut]) == 0


def test_other_bytes_have_none() -> None:
    assert num_halvings(b"\xff\x4f\xff\x51\xff\xff" + bytes(99)) == 0


@pytest.mark.parametrize("side", [64, 65, 66, 67, 68, 95, 97])
def test_odd_sides_are_halved_too(side: int) -> None:
    content = encoded(drawing(side, 97), "JPEG2000")
    for wanted, expected in ((97, 97), (48, 49), (24, 25), (12, 13)):
        assert decode_image(content, name="x", max_side=wanted).pixels.shape[0] == expected
