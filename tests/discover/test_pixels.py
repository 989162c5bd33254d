"""Every image whole on one canvas that fits the collection."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from farthing.base.errors import ConfigError
from farthing.discover.pixels import Canvas, choose_canvas, place, read_images, to_tensor
from farthing.vision.images import Pixels


def blank(height: int, width: int, colour: tuple[int, int, int] = (255, 255, 255)) -> Pixels:
    return np.full((height, width, 3), colour, np.uint8)


def test_the_canvas_has_the_usual_shape() -> None:
    images = [blank(72, 48)] * 3 + [blank(10, 90)]
    canvas = choose_canvas(images, side=32)
    assert canvas == Canvas(height=39, width=26, has_colour=False)
    assert choose_canvas(images, side=32, multiple=4) == Canvas(height=40, width=28, has_colour=False)


def test_colour_is_seen() -> None:
    assert choose_canvas([blank(9, 9, (200, 10, 10))], side=8).has_colour
    assert not choose_canvas([blank(9, 9, (100, 101, 100))], side=8).has_colour


def test_a_needle_does_not_make_the_canvas_one() -> None:
    assert choose_canvas([blank(1, 5000)], side=32) == Canvas(height=16, width=64, has_colour=False)


@given(st.integers(1, 60), st.integers(1, 60), st.booleans())
def test_anything_fits(height: int, width: int, has_colour: bool) -> None:
    canvas = Canvas(height=20, width=12, has_colour=has_colour)
    placed = place(blank(height, width, (7, 7, 7)), canvas)
    assert placed.shape == (20, 12, 3 if has_colour else 1)
    assert (placed == 7).all()


def test_margins_have_the_colour_of_the_border_and_shapes_stay() -> None:
    image = blank(20, 40, (250, 250, 250))
    image[5:15, 15:25] = 0  # a square
    placed = place(image, Canvas(height=40, width=40, has_colour=False))[:, :, 0]
    assert (placed[:10] == 250).all()
    assert (placed[30:] == 250).all()
    rows, columns = np.flatnonzero((placed < 125).any(1)), np.flatnonzero((placed < 125).any(0))
    assert int(np.ptp(rows)) == int(np.ptp(columns)) == 9


def test_unreadable_images_keep_their_place(tmp_path: Path) -> None:
    Image.new("L", (4, 4)).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_text("no")
    images: list[Path | Pixels] = [tmp_path / "a.png", tmp_path / "b.png", blank(2, 2)]
    batches = list(read_images(images, max_side=8, batch=2))
    assert [[image is None for image in batch] for batch in batches] == [[False, True], [False]]


@pytest.mark.parametrize("side", [0, 2**40])
def test_a_canvas_has_bounds(side: int) -> None:
    with pytest.raises(ConfigError, match=f"canvas: width must be from 1 to 1024 pixels, got {side}"):
        Canvas(height=1, width=side, has_colour=True)


def test_a_tensor_has_channels_first() -> None:
    tensor = to_tensor([blank(4, 4, (1, 2, 3))], Canvas(height=5, width=6, has_colour=True))
    assert tensor.shape == (1, 3, 5, 6)
    assert tensor[0, :, 0, 0].tolist() == pytest.approx([1, 2, 3])
