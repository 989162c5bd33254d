from __future__ import annotations

import io
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from farthing.base.errors import DataError
from farthing.vision.images import decode_image, image_size, read_image
from tests.vision.hostile import drawing, encoded, png_bomb

LOSSLESS: dict[str, dict[str, object]] = {
    "JPEG": {"quality": 95, "subsampling": 0},
    "PNG": {},
    "WEBP": {"lossless": True},
    "TIFF": {},
    "TIFF-LZW": {"compression": "tiff_lzw"},
    "JPEG2000": {"irreversible": False},
}
# What a camera that was held this way has written: the inverse of each turn.
HELD = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def encode(image: Image.Image, kind: str, **options: object) -> bytes:
    return encoded(image, kind.partition("-")[0], **{**LOSSLESS[kind], **options})


@pytest.mark.parametrize("kind", LOSSLESS)
def test_every_format_gives_its_pixels(kind: str) -> None:
    image = decode_image(encode(drawing(), kind), name="x")
    assert (image.width, image.height, image.pixels.shape) == (64, 96, (96, 64, 3))
    assert np.abs(image.pixels.astype(int) - np.asarray(drawing())).max() <= (8 if kind == "JPEG" else 0)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "TIFF-LZW"])
@pytest.mark.parametrize("orientation", HELD)
def test_pages_stand_upright(tmp_path: Path, kind: str, orientation: int) -> None:
    held = HELD[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "page"
    path.write_bytes(encode(drawing() if held is None else drawing().transpose(held), kind, exif=exif))
    image = read_image(path)
    assert (image.width, image.height) == image_size(path) == (64, 96)
    assert np.abs(image.pixels.astype(int) - np.asarray(drawing())).max() <= 8


@pytest.mark.parametrize(("kind", "side"), [(kind, side) for kind in LOSSLESS for side in (1, 100, 333, 399, 400, 999)])
def test_detail_beyond_the_wanted_side_is_left_out(kind: str, side: int) -> None:
    image = decode_image(encode(drawing(250, 400), kind), name="x", max_side=side)
    assert (image.width, image.height) == (250, 400)
    assert min(side, 400) <= max(image.pixels.shape[:2]) <= min(2 * side, 400)
    whole = np.asarray(drawing(250, 400), dtype=float).mean(axis=(0, 1))
    np.testing.assert_allclose(image.pixels.mean(axis=(0, 1)), whole, atol=12)


def greys(dtype: type, values: list[float]) -> Image.Image:
    return Image.fromarray(np.tile(np.array(values, dtype), (2, 1)))


@pytest.mark.parametrize(
    ("image", "kind", "expected"),
    [
        (Image.new("L", (2, 2), 77), "PNG", [77, 77, 77]),
        (Image.new("1", (2, 2), 1), "TIFF", [255, 255, 255]),
        (greys(np.uint16, [77 * 256 + 3]), "PNG", [77, 77, 77]),
        (greys(np.uint16, [77 * 256 + 3]), "TIFF", [77, 77, 77]),
        (greys(np.float32, [-1.0, 3.0]), "TIFF", [0, 0, 0]),
        (greys(np.float32, [np.nan, -1.0]), "TIFF", [255, 255, 255]),
        (greys(np.int32, [70000, 500]), "TIFF", [255, 255, 255]),
        (Image.new("RGBA", (2, 2), (10, 20, 30, 255)), "PNG", [10, 20, 30]),
        (Image.new("RGBA", (2, 2), (10, 20, 30, 0)), "PNG", [255, 255, 255]),
        (Image.new("LA", (2, 2), (10, 0)), "PNG", [255, 255, 255]),
        (Image.new("RGB", (2, 2), (10, 20, 30)).convert("P", palette=Image.Palette.ADAPTIVE), "PNG", [10, 20, 30]),
        (Image.new("CMYK", (2, 2), (0, 0, 0, 255)), "TIFF", [0, 0, 0]),
        (Image.new("YCbCr", (2, 2), (80, 128, 128)), "TIFF", [80, 80, 80]),
        (Image.new("LAB", (2, 2), (80, 128, 128)), "TIFF", [80, 80, 80]),
    ],
)
def test_colour_modes(image: Image.Image, kind: str, expected: list[int]) -> None:
    pixels = decode_image(encoded(image, kind), name="x").pixels
    assert np.abs(pixels[0, 0].astype(int) - expected).max() <= 1
    assert pixels.flags.writeable


def test_a_transparent_palette_is_white() -> None:
    image = Image.new("RGB", (2, 2), (10, 20, 30)).convert("P", palette=Image.Palette.ADAPTIVE)
    content = encoded(image, "PNG", transparency=image.getpixel((0, 0)))
    assert decode_image(content, name="x").pixels.min() == 255


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "x: the file is empty"),
        (b"%PDF-1.4 and so on", r"x: is not an image that can be read \(JPEG, PNG, .*first bytes are 25 50 44 46"),
        (b"GIF89a" + bytes(20), "is not an image"),
        (encode(drawing(), "JPEG")[:300], "the JPEG data is damaged or cut off"),
        (encode(drawing(), "PNG")[:60], "the PNG data is damaged or cut off"),
        (encode(drawing(), "TIFF")[:500], "the TIFF data is damaged or cut off"),
        (encode(drawing(), "WEBP")[:50], "the WebP data is damaged or cut off"),
        (encode(drawing(), "JPEG2000")[:200], "the JPEG 2000 data is damaged or cut off"),
        (b"RIFF1234AVI " + bytes(99), "the WebP data is damaged"),
    ],
)
def test_broken_files_say_why(content: bytes, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        decode_image(content, name="x")


def test_a_missing_file(tmp_path: Path) -> None:
    for read in (read_image, image_size):
        with pytest.raises(DataError, match=r"absent.jpg: cannot be read \(No such file"):
            read(tmp_path / "absent.jpg")


def test_bombs_are_refused_by_their_header() -> None:
    with pytest.raises(DataError, match=r"x: 8000 x 8000 pixels are more than the 50 megapixels .*--max-megapixels"):
        decode_image(png_bomb(8000), name="x", max_side=100)
    assert decode_image(png_bomb(300), name="x", max_pixels=90_000).width == 300
    with pytest.raises(DataError, match="megapixels"):
        decode_image(png_bomb(300), name="x", max_pixels=89_999)


@pytest.mark.parametrize("kind", ["JPEG", "JPEG2000"])
def test_a_large_master_is_read_in_draft_mode_and_a_bomb_is_not(kind: str) -> None:
    master = encode(drawing(300, 400), kind)
    assert max(decode_image(master, name="x", max_side=100, max_pixels=30_000).pixels.shape[:2]) <= 200
    with pytest.raises(DataError, match="megapixels"):
        decode_image(master, name="x", max_pixels=30_000)
    with pytest.raises(DataError, match="megapixels"):
        decode_image(master, name="x", max_side=10, max_pixels=14_000)


def test_a_progressive_jpeg_counts_whole() -> None:
    with pytest.raises(DataError, match="megapixels"):
        decode_image(encode(drawing(300, 400), "JPEG", progressive=True), name="x", max_side=100, max_pixels=30_000)


def test_a_later_frame() -> None:
    others = [Image.new("RGB", (5 + page, 9), (page, 0, 0)) for page in range(3)]
    content = encoded(others[0], "TIFF", save_all=True, append_images=others[1:])
    for page in range(3):
        image = decode_image(content, name="x", frame=page)
        assert (image.width, int(image.pixels[0, 0, 0])) == (5 + page, page)
    with pytest.raises(DataError, match="damaged or cut off"):
        decode_image(content, name="x", frame=3)


@given(st.integers(0, 10**9), st.sampled_from(sorted(LOSSLESS)))
def test_damaged_bytes_decode_or_say_why(seed: int, kind: str) -> None:
    rng = random.Random(seed)
    content = bytearray(encode(drawing(), kind))
    for _ in range(rng.randint(1, 20)):
        content[rng.randrange(len(content))] = rng.randrange(256)
    try:
        image = decode_image(io.BytesIO(bytes(content[: rng.randint(1, len(content))])), name="x", max_side=20)
    except DataError:
        return
    assert image.pixels.ndim == 3
