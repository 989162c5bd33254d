"""The images of a run for web pages, in one of a few sizes; the ones used last are kept in memory."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from farthing.base.errors import DataError
from farthing.vision.images import read_image
from farthing.web.keeping import KeptBytes

SIZES = {"tiny": 96, "small": 256, "large": 1600}
"""Longest side in pixels: in a report, in a class, alone."""
_CACHE_BYTES = 128 << 20
_QUALITY = 84
_DRAWING_SIDE = 64  # up to here no pixel is lost, px


class ImageFiles:
    """WebP images of the files below a folder; may be used from several threads."""

    def __init__(self, root: Path, *, cache_bytes: int = _CACHE_BYTES) -> None:
        """Args: cache_bytes: how many bytes of images are kept; see `KeptBytes`."""
        self._root = root
        self._kept = KeptBytes(cache_bytes)

    def get(self, name: str, size: str) -> bytes:
        """The image of a file, at most as large as the file itself.

        Args:
            name: its path below the folder.
            size: a key of `SIZES`.

        Raises:
            DataError: it is not below the folder, or cannot be read.
        """
        return self._kept.get((name, size), lambda: encode(self._path(name), max_side=SIZES[size]))

    def _path(self, name: str) -> Path:
        # Assignments may come from anywhere: a name must not lead out of the folder.
        path = self._root / name
        if "\0" in name or not path.resolve().is_relative_to(self._root.resolve()):
            raise DataError(f"{name!r}: must lie below {self._root}")
        return path


def encode(path: Path, *, max_side: int) -> bytes:
    """The image in a file as WebP; small drawings without loss.

    Args:
        path: an image that `read_image` reads.
        max_side: longest side, px; a smaller image stays as small as it is.

    Raises:
        DataError: it cannot be read, or is too large.
    """
    image = Image.fromarray(read_image(path, max_side=max_side).pixels)
    image.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=_QUALITY, lossless=max(image.size) <= _DRAWING_SIDE)
    return buffer.getvalue()
