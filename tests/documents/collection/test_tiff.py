from __future__ import annotations

import struct
from pathlib import Path

import pytest
from PIL import Image

from farthing.base.errors import DataError
from farthing.documents.collection.tiff import MAX_DIRECTORIES, page_frames
from tests.vision.hostile import drawing, encoded


def tiff(subfile_types: list[int | None], *, byte_order: str = "<", is_big: bool = False, cut: int = 0) -> bytes:
    """A TIFF of directories with at most one entry each; the last `cut` lie beyond the end."""
    count, entry, offset, start = ("Q", "HHQQ", "Q", 16) if is_big else ("H", "HHII", "I", 8)
    order = "II" if byte_order == "<" else "MM"
    out = order.encode() + struct.pack(byte_order + "H", 43 if is_big else 42)
    out += struct.pack(byte_order + "HHQ", 8, 0, start) if is_big else struct.pack(byte_order + "I", start)
    for number, kind in enumerate(subfile_types):
        entries = b"" if kind is None else struct.pack(byte_order + entry, 254, 4, 1, kind)
        body = struct.pack(byte_order + count, int(kind is not None)) + entries
        size = len(body) + struct.calcsize(offset)
        following = len(out) + size if number + 1 < len(subfile_types) else 0
        if number + cut < len(subfile_types):
            out += body + struct.pack(byte_order + offset, following)
    return out


@pytest.mark.parametrize("byte_order", ["<", ">"])
@pytest.mark.parametrize("is_big", [False, True])
def test_thumbnails_and_masks_are_no_pages(tmp_path: Path, byte_order: str, is_big: bool) -> None:
    path = tmp_path / "x.tif"
    path.write_bytes(tiff([None, 1, 0, 2, 4, 5], byte_order=byte_order, is_big=is_big))
    assert page_frames(path) == (0, 2, 3)


def test_a_page_beyond_the_end_stays_a_page(tmp_path: Path) -> None:
    path = tmp_path / "x.tif"
    path.write_bytes(tiff([0, 0, 0], cut=2))
    assert page_frames(path) == (0, 1)


def test_pillow_counts_the_same(tmp_path: Path) -> None:
    path = tmp_path / "x.tif"
    path.write_bytes(encoded(drawing(), "TIFF", save_all=True, append_images=[drawing()] * 4))
    with Image.open(path) as image:
        assert page_frames(path) == tuple(range(getattr(image, "n_frames", 0))) == (0, 1, 2, 3, 4)


@pytest.mark.parametrize("content", [b"", b"no tiff", b"II*\0", b"II*\0\x04\0\0\0\xff"])
def test_other_files_have_one_frame_that_fails_when_it_is_read(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.tif"
    path.write_bytes(content)
    assert page_frames(path) == (0,)


def test_a_circle_of_directories_ends(tmp_path: Path) -> None:
    path = tmp_path / "x.tif"
    path.write_bytes(b"II*\0" + struct.pack("<IHI", 8, 0, 8))
    assert page_frames(path) == (0,)


def test_too_many_directories(tmp_path: Path) -> None:
    path = tmp_path / "x.tif"
    path.write_bytes(tiff([None] * (MAX_DIRECTORIES + 1)))
    with pytest.raises(DataError, match=r"x.tif: has more than 10,000 images"):
        page_frames(path)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        page_frames(tmp_path / "x.tif")
