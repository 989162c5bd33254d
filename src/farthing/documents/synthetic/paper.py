"""Bare paper, and a page's layers laid on it."""

from __future__ import annotations

import cv2
import numpy as np

from farthing.documents.synthetic.drawing import Colour, Floats, Pixels
from farthing.documents.synthetic.layers import Layers
from farthing.documents.synthetic.style import PageStyle
from farthing.documents.synthetic.textures import smooth_noise

COARSE = 4  # shades change slowly: they are computed on so many times fewer rows and columns


def make_paper(rng: np.random.Generator, colour: Colour, width: int, height: int) -> Pixels:
    """u8 [height, width, 3]: a tone with clouds, stains and darker edges.

    Args:
        rng: draws them.
        colour: the tone.
        width: in pixels.
        height: in pixels.
    """
    columns, rows = width // COARSE + 2, height // COARSE + 2
    shade = np.ones((rows, columns), np.float32)
    shade += np.float32(rng.uniform(0.0, 0.09)) * (smooth_noise(rng, columns, rows, 0.3 * rows) - np.float32(0.5))
    if rng.random() < 0.5:
        fine = smooth_noise(rng, columns, rows, rng.uniform(1.2, 6)) - np.float32(0.5)
        shade += np.float32(rng.uniform(0.0, 0.06)) * fine
    if rng.random() < 0.22:
        shade *= _worn_edges(rng, columns, rows)
    tone = shade[..., None] * np.asarray(colour, np.float32)
    if rng.random() < 0.18:
        _stain(rng, tone)
    small = np.asarray(np.clip(tone, 0, 255), np.uint8)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _worn_edges(rng: np.random.Generator, width: int, height: int) -> Floats:
    """f32 [height, width] in (0, 1]: leaves are browner where they were held."""
    x = np.linspace(-1, 1, width, dtype=np.float32)[None]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    power = int(rng.choice([6, 12, 24]))
    edge = np.maximum(np.abs(x) ** power, np.abs(y) ** power)
    return np.asarray(1 - np.float32(rng.uniform(0.04, 0.22)) * edge, np.float32)


def _stain(rng: np.random.Generator, tone: Floats) -> None:
    """Water and foxing: blots of a browner tone with a soft or a hard edge, in place."""
    height, width = tone.shape[:2]
    field = smooth_noise(rng, width, height, rng.uniform(0.08, 0.35) * height)
    blot = np.clip((field - np.float32(rng.uniform(0.6, 0.9))) * np.float32(rng.uniform(4, 20)), 0, 1)
    depth = rng.uniform(0.03, 0.2)
    tone *= 1 - blot[..., None] * np.asarray([depth * 0.6, depth * 0.8, depth], np.float32)


def compose(
    rng: np.random.Generator, style: PageStyle, layers: Layers, paper: Pixels, *, verso: Pixels | None
) -> Pixels:
    """u8 [height, width, 3]: paper, what shines through, ink, and the objects in their order.

    Args:
        rng: draws how evenly the ink took.
        style: of the page.
        layers: what is on it.
        paper: u8 [height, width, 3].
        verso: u8 [height, width], ink of the other side that shines through.
    """
    page = paper
    if verso is not None:
        soft = cv2.GaussianBlur(verso[:, ::-1], (0, 0), rng.uniform(0.6, 2.0))
        page = _tint(page, np.asarray(soft * np.float32(rng.uniform(0.04, 0.28)), np.uint8), style.look.ink)
    fade = _fading(rng, style)
    for layer, colour in ((layers.ink, style.look.ink), (layers.accent, style.look.accents[0])):
        if layer.any():
            page = _tint(page, np.asarray(cv2.multiply(layer, fade, scale=1 / 255), np.uint8), colour)
    if page is paper and layers.objects:
        page = paper.copy()
    for placed in layers.objects:
        _lay(page, placed.drawing.color, placed.drawing.alpha, placed.x, placed.y)
    return page


def _tint(page: Pixels, cover: Pixels, colour: Colour) -> Pixels:
    """u8 [height, width, 3]: page + cover / 255 * (colour - page). Ink lighter than the page leaves no trace."""
    deeper = cv2.subtract(page, np.array([*colour, 0], np.float64))  # four numbers: OpenCV's scalar
    return np.asarray(cv2.subtract(page, cv2.multiply(deeper, cv2.merge([cover] * 3), scale=1 / 255)), np.uint8)


def _fading(rng: np.random.Generator, style: PageStyle) -> Pixels:
    """u8 [height, width]: strength of the ink, uneven on some pages."""
    columns, rows = style.width // COARSE + 2, style.height // COARSE + 2
    even = np.full((rows, columns), 255 * style.strength, np.float32)
    if rng.random() < 0.35:
        patches = smooth_noise(rng, columns, rows, rng.uniform(0.04, 0.4) * rows)
        even *= 1 - np.float32(rng.uniform(0.05, 0.5)) * patches
    small = np.asarray(even, np.uint8)
    return np.asarray(cv2.resize(small, (style.width, style.height), interpolation=cv2.INTER_LINEAR), np.uint8)


def _lay(page: Pixels, color: Pixels, alpha: Floats, x: int, y: int) -> None:
    """Lays a drawing over a page, in place; what hangs over the edge is lost."""
    left, top = max(0, -x), max(0, -y)
    right, bottom = min(alpha.shape[1], page.shape[1] - x), min(alpha.shape[0], page.shape[0] - y)
    if right <= left or bottom <= top:
        return
    window = page[y + top : y + bottom, x + left : x + right]
    cover = alpha[top:bottom, left:right, None]
    under = window.astype(np.float32)
    window[:] = np.asarray(under + cover * (color[top:bottom, left:right] - under) + 0.5, np.uint8)
