"""Styles, frames and paper that follow a real page."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from farthing.documents.synthetic.drawing import Colour, Floats, Pixels
from farthing.documents.synthetic.fit import FittedPage
from farthing.documents.synthetic.layers import Rect
from farthing.documents.synthetic.measure import PageLook, grain_of
from farthing.documents.synthetic.scene import Frame
from farthing.documents.synthetic.strips import X_HEIGHT
from farthing.documents.synthetic.style import PageStyle

_LEAST_PITCH = 4.5
_DEEPER = 1.25  # contrast of solid ink to that of thin strokes, about, where both were measured on the same pages
_LEAST_TEXT = 0.25  # of the sides of a page; less is a title or a blank, whose text may stand anywhere


def fitted_frame(rng: np.random.Generator, frame: Frame, look: PageLook) -> Frame:
    """The frame with the real page's format, borders and ground; its size and neighbours stay as drawn.

    Args:
        rng: draws how much it strays.
        frame: as drawn at random, with one page.
        look: of the real page.
    """
    long_side = max(frame.width, frame.height)
    aspect = look.aspect * float(np.exp(rng.normal(0, 0.02)))
    width, height = (round(long_side / aspect), long_side) if aspect >= 1 else (long_side, round(long_side * aspect))
    left, top, right, bottom = (max(0.0, share * rng.uniform(0.6, 1.4)) for share in look.borders)
    page = Rect(round(left * width), round(top * height), width - round(right * width), height - round(bottom * height))
    ground = frame.ground if look.ground is None else _jitter(rng, look.ground, 8)
    return Frame(width=width, height=height, pages=(page,), strip=None, spine=None, ground=ground)


def fitted_style(rng: np.random.Generator, style: PageStyle, look: PageLook) -> PageStyle:
    """The style with the real page's inks, margins, columns and pitch; what cannot be measured stays as drawn.

    Args:
        rng: draws how much it strays.
        style: as drawn at random.
        look: of the real page.
    """
    paper, ink = _jitter(rng, look.paper, 5), _jitter(rng, _deeper(look.ink, look.paper), 8)
    pitch, area = style.pitch, style.area
    if look.pitch is not None:
        pitch = max(_LEAST_PITCH, look.pitch * style.height * float(np.exp(rng.normal(0, 0.15))))
    if look.margins is not None:
        area = _area(rng, style, look.margins) or area
    body_px = style.look.body_px / style.pitch * pitch
    if look.x_height is not None:
        wanted = look.x_height * style.height * float(np.exp(rng.normal(0, 0.12))) / X_HEIGHT
        body_px = float(np.clip(wanted, 0.4 * pitch, 1.15 * pitch))
    columns = look.columns if rng.random() < 0.85 else style.columns
    return replace(
        style,
        look=replace(style.look, paper=paper, ink=ink, body_px=body_px),
        pitch=pitch,
        area=area,
        columns=columns,
        gutter=min(style.gutter, 0.08 * area.width),
        strength=rng.uniform(0.85, 1.0),
    )


def fitted_paper(rng: np.random.Generator, style: PageStyle, page: FittedPage, width: int, height: int) -> Pixels:
    """u8 [height, width, 3]: the page's tone with the real page's grain and light.

    Args:
        rng: draws how the tile lies.
        style: of the page.
        page: the real one.
        width: in pixels.
        height: in pixels.
    """
    shade = page.shade[:: int(rng.choice([-1, 1])), :: int(rng.choice([-1, 1]))]
    light = np.asarray(cv2.resize(np.ascontiguousarray(shade), (width, height)), np.float32)
    tone = cv2.merge([light * np.float32(part) for part in style.look.paper])
    if page.tile is not None:
        tone = np.asarray(tone, np.float32) + _laid_out(rng, grain_of(page.tile), width, height)
    return np.asarray(np.clip(tone, 0, 255), np.uint8)


def _laid_out(rng: np.random.Generator, tile: Floats, width: int, height: int) -> Floats:
    """The tile side by side with its mirror images, so that no seam is seen, from a random corner on."""
    double = np.concatenate([tile, tile[::-1]])
    double = np.concatenate([double, double[:, ::-1]], axis=1)
    side = double.shape[0]
    y, x = (int(start) for start in rng.integers(side, size=2))
    rows, columns = np.arange(y, y + height) % side, np.arange(x, x + width) % side
    laid: Floats = double[rows][:, columns]
    return laid


def _area(rng: np.random.Generator, style: PageStyle, margins: tuple[float, float, float, float]) -> Rect | None:
    left, top, right, bottom = (max(0.01, share + rng.normal(0, 0.012)) for share in margins)
    if 1 - left - right < _LEAST_TEXT or 1 - top - bottom < _LEAST_TEXT:
        return None
    width, height = style.width, style.height
    return Rect(left * width, top * height, (1 - right) * width, (1 - bottom) * height)


def _deeper(ink: Colour, paper: Colour) -> Colour:
    """The ink before it was mixed with paper at the edges of strokes that are hardly wider than a pixel."""
    red, green, blue = (int(np.clip(low + _DEEPER * (top - low), 0, 255)) for top, low in zip(ink, paper, strict=True))
    return (red, green, blue)


def _jitter(rng: np.random.Generator, colour: Colour, sigma: float) -> Colour:
    shift = rng.normal(0, sigma) + rng.normal(0, sigma / 3, 3)
    red, green, blue = (int(np.clip(part + move, 0, 255)) for part, move in zip(colour, shift, strict=True))
    return (red, green, blue)
