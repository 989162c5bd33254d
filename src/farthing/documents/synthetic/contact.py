"""Many pages in one picture, to be looked at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from farthing.base.errors import ConfigError
from farthing.base.files import write_bytes
from farthing.documents.synthetic.config import SynthesisConfig
from farthing.documents.synthetic.drawing import Pixels
from farthing.documents.synthetic.fit import FittedLook
from farthing.documents.synthetic.page import SyntheticPage
from farthing.documents.synthetic.write import make_page

_COLOURS = {
    "illustration": (220, 40, 40),
    "decoration": (230, 130, 20),
    "drop_capital": (30, 120, 230),
    "stamp": (150, 40, 200),
    "seal": (120, 70, 30),
    "signature": (20, 160, 160),
    "table": (40, 160, 60),
    "music": (220, 40, 160),
    "map": (110, 130, 20),
}
_GROUND = 60


def contact_sheet(pages: Sequence[SyntheticPage], *, columns: int = 5, side: int = 384, boxes: bool = True) -> Pixels:
    """u8 [height, width, 3] RGB, the pages in rows, each in a square.

    Args:
        pages: one or more.
        columns: in a row.
        side: of a square, in pixels; the long side of a page fills it.
        boxes: whether objects are framed and named.
    """
    rows = -(-len(pages) // columns)
    sheet = np.full((rows * side, columns * side, 3), _GROUND, np.uint8)
    for place, page in enumerate(pages):
        picture = _thumbnail(page, side, boxes=boxes)
        y, x = place // columns * side, place % columns * side
        sheet[y : y + picture.shape[0], x : x + picture.shape[1]] = picture
    return sheet


def write_sheet(
    path: Path, num_pages: int, *, seed: int, config: SynthesisConfig, like: FittedLook | None = None
) -> None:
    """Writes a PNG with the first pages of the folder that `write_pages` makes with these arguments.

    Args:
        path: the picture; its folder is made if need be.
        num_pages: shown, from 1.
        seed: of the folder.
        config: of the folder.
        like: of the folder.

    Raises:
        ConfigError: the name does not end in `.png`.
        DataError: it cannot be written.
    """
    if path.suffix.lower() != ".png":
        raise ConfigError(f"sheet must be a file name that ends in .png, got {path}")
    pages = [make_page(seed, number, config, like=like) for number in range(num_pages)]
    _, data = cv2.imencode(".png", cv2.cvtColor(contact_sheet(pages), cv2.COLOR_RGB2BGR))
    write_bytes(path, data.tobytes())


def _thumbnail(page: SyntheticPage, side: int, *, boxes: bool) -> Pixels:
    height, width = page.page.pixels.shape[:2]
    scale = side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    picture = np.asarray(cv2.resize(page.page.pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    if not boxes:
        return picture
    for name, box in zip(page.labels.labels, page.labels.boxes * scale, strict=True):
        x0, y0, x1, y1 = (round(float(value)) for value in box)
        cv2.rectangle(picture, (x0, y0), (x1, y1), _COLOURS[name], 1)
        cv2.putText(picture, name, (x0, max(8, y0 - 2)), cv2.FONT_HERSHEY_SIMPLEX, 0.33, _COLOURS[name], 1, cv2.LINE_AA)
    return picture
