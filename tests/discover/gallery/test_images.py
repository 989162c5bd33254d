"""Images for web pages: of files below the folder, of the formats that are read, no larger than asked for."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from farthing.base.errors import DataError
from farthing.discover.gallery.images import SIZES, ImageFiles


def save(path: Path, size: tuple[int, int] = (300, 200), mode: str = "RGB", **options: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size).save(path, **options)  # type: ignore[arg-type]
    return path


@pytest.mark.parametrize("size", SIZES)
def test_the_long_side_has_a_limit(tmp_path: Path, size: str) -> None:
    save(tmp_path / "a.png")
    width, height = Image.open(io.BytesIO(ImageFiles(tmp_path).get("a.png", size))).size
    assert width == min(300, SIZES[size])
    assert height == pytest.approx(width * 2 / 3, abs=1)


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif", "a.webp"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_formats_that_are_read(tmp_path: Path, name: str, mode: str) -> None:
    save(tmp_path / name, mode=mode)
    assert Image.open(io.BytesIO(ImageFiles(tmp_path).get(name, "tiny"))).mode == "RGB"


def test_small_drawings_keep_every_pixel(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    assert (np.asarray(Image.open(io.BytesIO(ImageFiles(tmp_path).get("a.png", "small")))) == pixels).all()


@pytest.mark.parametrize(
    "name", ["../a.png", "/etc/hostname", "sub/../../a.png", "a\0.png", "link.png", "none.png", "a.gif", "bad.png"]
)
def test_what_is_elsewhere_or_no_image_is_refused(tmp_path: Path, name: str) -> None:
    root = tmp_path / "root"
    save(tmp_path / "a.png")
    save(root / "sub/b.png")
    save(root / "a.gif")
    (root / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    (root / "link.png").symlink_to(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"must lie below|is not an image|is damaged|cannot be read"):
        ImageFiles(root).get(name, "small")


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    save(tmp_path / "bomb.png", (8_000, 8_000), "1")
    with pytest.raises(DataError, match="8000 x 8000 pixels are more than the 50 megapixels"):
        ImageFiles(tmp_path).get("bomb.png", "small")


def test_the_ones_used_last_are_kept(tmp_path: Path) -> None:
    for name in "abc":
        save(tmp_path / f"{name}.png", (20, 20))
    files = ImageFiles(tmp_path, cache_bytes=100)
    first = files.get("a.png", "small")
    (tmp_path / "a.png").unlink()
    assert files.get("a.png", "small") is first
    for name in "bc":
        files.get(f"{name}.png", "small")
    with pytest.raises(DataError):
        files.get("a.png", "small")
