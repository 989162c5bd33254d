"""Images come upright and in RGB; what is no image, damaged or a bomb is an error that says so."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from farthing.base.errors import DataError
from farthing.vision.images import read_image


def save(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)  # type: ignore[arg-type]
    return path


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WebP", "JPEG"])
def test_every_format_is_known_by_its_content(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "image.bin"
    Image.new("RGB", (6, 4), (200, 30, 30)).save(path, kind)
    pixels = read_image(path)
    assert pixels.shape == (4, 6, 3)
    assert abs(pixels.reshape(-1, 3).mean(0) - (200, 30, 30)).max() < 4


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (Image.new("L", (2, 2), 80), (80, 80, 80)),
        (Image.new("1", (2, 2), 1), (255, 255, 255)),
        (Image.new("LA", (2, 2), (0, 0)), (255, 255, 255)),
        (Image.new("RGBA", (2, 2), (255, 0, 0, 255)), (255, 0, 0)),
        (Image.fromarray(np.full((2, 2), 40 << 8, np.uint16)), (40, 40, 40)),
        (Image.new("RGB", (2, 2), (0, 0, 250)).quantize(4), (0, 0, 250)),
    ],
)
def test_every_mode_becomes_rgb_on_white(tmp_path: Path, image: Image.Image, expected: tuple[int, int, int]) -> None:
    pixels = read_image(save(tmp_path / "a.png", image))
    assert pixels.dtype == np.uint8
    assert (pixels == expected).all()


def test_a_turned_photograph_is_upright(tmp_path: Path) -> None:
    image = Image.new("RGB", (8, 4))
    image.paste((255, 255, 255), (0, 0, 2, 4))  # a white strip on the left
    exif = Image.Exif()
    exif[0x0112] = 6  # shown turned clockwise
    pixels = read_image(save(tmp_path / "a.png", image, exif=exif))
    assert pixels.shape == (8, 4, 3)
    assert (pixels[:2] == 255).all()
    assert (pixels[2:] == 0).all()


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_detail_that_is_not_wanted_is_left_out(tmp_path: Path, suffix: str) -> None:
    path = save(tmp_path / f"a{suffix}", Image.new("RGB", (1000, 600)))
    height, width, _ = read_image(path, max_side=100).shape
    assert 100 <= width < 200
    assert width / height == pytest.approx(1000 / 600, rel=0.02)


def test_what_is_no_image_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("this is no image, whatever its name")
    good = save(tmp_path / "good.png", Image.effect_noise((40, 40), 50)).read_bytes()
    (tmp_path / "cut.png").write_bytes(good[:200])
    for name, message in (
        ("empty.png", "file is empty"),
        ("text.png", "not an image that can be read"),
        ("cut.png", "damaged or cut off"),
        ("missing.png", "cannot be read"),
    ):
        with pytest.raises(DataError, match=message):
            read_image(tmp_path / name)


def test_a_bomb_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 1, 0, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")
    (tmp_path / "bomb.png").write_bytes(bomb)
    with pytest.raises(DataError, match="more than the 50 megapixels"):
        read_image(tmp_path / "bomb.png", max_side=32)
