"""From an image file to pixels: five formats, recognised by content, decoded no larger than needed and never a bomb."""

from __future__ import annotations

import contextlib
import io
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import Image, JpegImagePlugin, PngImagePlugin, TiffImagePlugin, WebPImagePlugin

from farthing.base.errors import DataError
from farthing.vision.jpeg2000 import Jpeg2000Image

Pixels = npt.NDArray[np.uint8]

MAX_PIXELS = 50_000_000
SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".png", ".tif", ".tiff", ".webp", ".jp2", ".j2k", ".jpf", ".jpx"})

# How much larger than what is decoded the header may claim to be, where a decoder can leave detail out.
_MAX_DRAFT_FACTOR = 8
_ORIENTATION = 0x0112
# What decoders raise on damaged bytes; each was met while fuzzing them.
_DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    ArithmeticError,
    EOFError,
    RuntimeError,
    MemoryError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    UserWarning,  # where warnings are errors: Pillow warns of damaged metadata
)
_FIRST_SIDEWAYS = 5
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True, slots=True)
class ImageFormat:
    """A kind of image file: its name, what it starts with, and what opens it (without Pillow's guessing)."""

    name: str
    starts: tuple[bytes, ...]
    open: Callable[[BinaryIO], Image.Image]


FORMATS = (
    ImageFormat("JPEG", (b"\xff\xd8\xff",), JpegImagePlugin.JpegImageFile),
    ImageFormat("PNG", (b"\x89PNG\r\n\x1a\n",), PngImagePlugin.PngImageFile),
    ImageFormat("TIFF", (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), TiffImagePlugin.TiffImageFile),
    ImageFormat("WebP", (b"RIFF",), WebPImagePlugin.WebPImageFile),
    ImageFormat("JPEG 2000", (b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51"), Jpeg2000Image),
)


@dataclass(frozen=True, eq=False, slots=True)
class DecodedImage:
    """An image, perhaps decoded smaller.

    Attributes:
        pixels: u8 [height, width, 3] RGB, upright.
        width: of the whole image in pixels, upright.
        height: likewise.
    """

    pixels: Pixels
    width: int
    height: int


def read_image(
    path: Path, *, max_side: int | None = None, max_pixels: int = MAX_PIXELS, frame: int = 0
) -> DecodedImage:
    """The image in a file; see `decode_image`.

    Raises:
        DataError: the file cannot be read, is empty, is no image of a known format, is damaged, or is too large.
    """
    try:
        with path.open("rb") as stream:
            return decode_image(stream, name=str(path), max_side=max_side, max_pixels=max_pixels, frame=frame)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error


def decode_image(
    source: BinaryIO | bytes, *, name: str, max_side: int | None = None, max_pixels: int = MAX_PIXELS, frame: int = 0
) -> DecodedImage:
    """The image in a stream or in bytes: upright, RGB, transparent parts white.

    Args:
        source: the encoded image.
        name: what messages call it.
        max_side: the wanted length of the long side in pixels: detail beyond it may be left out. What comes back has
            a long side in [max_side, 2 * max_side) where the image is that large. None decodes everything.
        max_pixels: the largest image that is decoded, in pixels after leaving detail out.
        frame: which image of a TIFF file with several, counted from 0 over all its directories.

    Raises:
        DataError: nothing there, no image of a known format, damaged, or too large.
    """
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    with _opened(stream, name) as image:
        if frame:
            image.seek(frame)
        width, height = image.size
        _reduce_while_decoding(image, name=name, max_side=max_side, max_pixels=max_pixels)
        turn = _orientation(image)
        image.load()
        upright = _upright(_reduced(image, max_side), turn)
    if turn >= _FIRST_SIDEWAYS:
        width, height = height, width
    return DecodedImage(np.array(upright), width, height)


def image_size(path: Path) -> tuple[int, int]:
    """(width, height) in pixels of the upright image in a file, from its header.

    Raises:
        DataError: the file cannot be read, or is no image of a known format.
    """
    try:
        with path.open("rb") as stream, _opened(stream, str(path)) as image:
            width, height = image.size
            return (height, width) if _orientation(image) >= _FIRST_SIDEWAYS else (width, height)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error


def too_large(name: str, size: tuple[int, int], max_pixels: int) -> DataError:
    """The error for an image of (width, height) pixels beyond the limit."""
    return DataError(
        f"{name}: {size[0]} x {size[1]} pixels are more than the {max_pixels / 1e6:g} megapixels that are decoded; "
        "make it smaller, or raise --max-megapixels where the command has it"
    )


@contextlib.contextmanager
def _opened(stream: BinaryIO, name: str) -> Iterator[Image.Image]:
    """The image whose header starts the stream; every error of a decoder is a `DataError`."""
    head = stream.read(16)
    stream.seek(0)
    kind = next((kind for kind in FORMATS if head.startswith(kind.starts)), None)
    if not head:
        raise DataError(f"{name}: the file is empty")
    if kind is None:
        known = ", ".join(kind.name for kind in FORMATS)
        raise DataError(f"{name}: is not an image that can be read ({known}); its first bytes are {head[:8].hex(' ')}")
    try:
        with kind.open(stream) as image:
            yield image
    except DataError:
        raise
    except _DECODER_ERRORS as error:
        raise DataError(f"{name}: the {kind.name} data is damaged or cut off; fetch or scan it again") from error


def _reduce_while_decoding(image: Image.Image, *, name: str, max_side: int | None, max_pixels: int) -> None:
    """Tells the decoder to leave out detail beyond `max_side`, and refuses an image that is too large all the same."""
    width, height = image.size
    decoded = width * height
    if max_side is not None and max(width, height) > max_side:
        if isinstance(image, JpegImagePlugin.JpegImageFile):
            scale = max_side / max(width, height)
            image.draft(None, (max(1, round(width * scale)), max(1, round(height * scale))))
            if "progressive" not in image.info:  # a progressive one keeps every coefficient in memory
                decoded = image.size[0] * image.size[1]
        elif isinstance(image, Jpeg2000Image):
            decoded >>= 2 * image.halve(max_side)
    if decoded > max_pixels or width * height > max_pixels * _MAX_DRAFT_FACTOR:
        raise too_large(name, (width, height), max_pixels)


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8; 1 where there is none or it cannot be read."""
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return 1  # Pillow turns these itself
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except _DECODER_ERRORS:
        return 1
    return value if value in _TURNS else 1


def _reduced(image: Image.Image, max_side: int | None) -> Image.Image:
    """The image as RGB, averaged over square blocks until its long side is below twice `max_side`."""
    factor = max(image.size) // max_side if max_side else 1
    plain = _plain(image)
    # JPEG 2000 images have a `reduce` of their own, which is no method.
    return _rgb(Image.Image.reduce(plain, factor) if factor > 1 else plain)


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    return image.transpose(_TURNS[orientation]) if orientation in _TURNS else image


def _plain(image: Image.Image) -> Image.Image:
    """The image in a mode that can be averaged: no palette, no single bits, no 16-bit integers."""
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode == "1":
        return image.convert("L")
    if image.mode == "P" or "transparency" in image.info:
        return image.convert("RGBA" if "transparency" in image.info else "RGB")
    return image


def _rgb(image: Image.Image) -> Image.Image:
    """The image as RGB, on white where it is transparent, 32-bit grey values stretched over their range."""
    if image.mode in {"I", "F"}:
        values = np.nan_to_num(np.asarray(image, dtype=np.float64), posinf=0, neginf=0)
        values -= values.min()
        image = Image.fromarray((values * (255 / max(values.max(), 1e-12))).astype(np.uint8))
    if image.mode == "LAB":
        image = image.getchannel("L")
    if "A" not in image.getbands():
        return image.convert("RGB")
    white = Image.new("RGB", image.size, (255, 255, 255))
    white.paste(image.convert("RGB"), mask=image.getchannel("A"))
    return white
