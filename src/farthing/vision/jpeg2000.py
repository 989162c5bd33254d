"""JPEG 2000 at a fraction of its size: as many halvings as the file provides, with the sizes that its decoder uses."""

from __future__ import annotations

from typing import Any

from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile

_HEAD_BYTES = 64 << 10
_START = b"\xff\x4f\xff\x51"  # start of the codestream, then its size segment
_CODING_STYLE = 0x52
_LEVELS_OFFSET = 7  # of the number of decompositions, from the length field of the coding style segment


class Jpeg2000Image(Jpeg2KImageFile):
    """A JPEG 2000 file that can be decoded smaller, whatever its sides are.

    Pillow rounds the sides of a reduced image to the nearest number and its decoder rounds them up, so that it fails on
    every size where the two differ (1237 pixels halved twice). Here Pillow starts from sides that divide.
    """

    def halve(self, max_side: int) -> int:
        """Lets `load` leave out detail as long as the long side stays at least `max_side`; the number of halvings."""
        wanted = (max(self.size) // max_side).bit_length() - 1
        self._reduce = max(0, min(wanted, num_halvings(self._head())))
        return self._reduce

    def load(self) -> Any:  # Any: a class of Pillow without a public name
        """Decodes the image."""
        if self.tile and self._reduce:
            width, height = (-(-side >> self._reduce) << self._reduce for side in self.size)
            self._size = width, height
        return super().load()

    def _head(self) -> bytes:
        """The first bytes of the file; its position stays."""
        assert self.fp is not None
        position = self.fp.tell()
        self.fp.seek(0)
        head = self.fp.read(_HEAD_BYTES)
        self.fp.seek(position)
        return head


def num_halvings(head: bytes) -> int:
    """The number of wavelet decompositions, 0 where `head` does not tell it.

    Args:
        head: the first bytes of the file, with or without the boxes of JP2 around the codestream; 64 KiB suffice where
            no colour profile is longer.

    Source: ITU-T T.800, annex A.6.1.
    """
    position = head.find(_START) + 2
    if position < 2:
        return 0
    while position + 4 <= len(head) and head[position] == 0xFF:
        if head[position + 1] == _CODING_STYLE:
            levels = position + 2 + _LEVELS_OFFSET
            return head[levels] if levels < len(head) else 0
        position += 2 + int.from_bytes(head[position + 2 : position + 4], "big")
    return 0
