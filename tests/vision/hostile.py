"""Small hostile and ordinary files, made in memory."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image


def drawing(width: int = 64, height: int = 96) -> Image.Image:
    """An image that looks different from all eight sides."""
    pixels = np.full((height, width, 3), 255, np.uint8)
    pixels[: height // 3, : width // 4] = (255, 0, 0)
    pixels[2 * height // 3 :, 3 * width // 4 :] = (0, 0, 255)
    return Image.fromarray(pixels)


def encoded(image: Image.Image, format: str, **options: object) -> bytes:
    """The bytes of an image file."""
    stream = io.BytesIO()
    image.save(stream, format, **options)
    return stream.getvalue()


def png_bomb(side: int) -> bytes:
    """A valid PNG of side x side black pixels, a thousandth of its decoded size."""
    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(bytes(side + 1)) for _ in range(side)) + packer.flush()
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        _chunk(*part) for part in ((b"IHDR", header), (b"IDAT", data), (b"IEND", b""))
    )


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def pdf(page_sizes: list[tuple[int, int]], *, encrypt: bytes = b"") -> bytes:
    """A PDF whose pages, (width, height) in points, show a black bar along the upper half of their left edge."""
    kids = b" ".join(b"%d 0 R" % (3 + 2 * index) for index in range(len(page_sizes)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, len(page_sizes)),
    ]
    for index, (width, height) in enumerate(page_sizes):
        drawing = b"0 g 0 %d %d %d re f" % (height // 2, width // 4, height - height // 2)
        page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Contents %d 0 R >>" % (
            width,
            height,
            4 + 2 * index,
        )
        objects += [page, b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawing), drawing)]
    out, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    trailer = b"trailer << /Size %d /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, encrypt, len(out))
    return out + b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1) + table + trailer


def locked_pdf() -> bytes:
    """A PDF that opens only with a password."""
    owner, user = (b"<" + bytes(range(start, start + 32)).hex().encode() + b">" for start in (0, 100))
    lock = b"/Encrypt << /Filter /Standard /V 1 /R 2 /O %s /U %s /P -4 >> /ID [<00> <00>]" % (owner, user)
    return pdf([(100, 100)], encrypt=lock)
