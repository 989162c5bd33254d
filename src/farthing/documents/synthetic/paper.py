"""Bare paper, and a page's layers laid on it."""

from __future__ import annotations

import cv2
import numpy as np

from farthing.documents.synthetic.drawing import Colour, Floats, Pixels
from farthing.documents.synthetic.layers import Layers
from farthing.documents.synthetic.style import PageStyle
from farthing.documents.synthetic.textures import smooth_noise

_BYTE = np.float32(1 / 255)


def make_paper(rng: np.random.Generator, colour: Colour, width: int, height: int) -> Floats:
    """f32 [height, width, 3] in 0 to 255: a tone with clouds, grain, stains and darker edges."""
    shade = np.ones((height, width), np.float32)
    shade += np.float32(rng.uniform(0.0, 0.16)) * (smooth_noise(rng, width, height, 0.25 * height) - np.float32(0.5))
    if rng.random() < 0.6:
        fine = smooth_noise(rng, width, height, rng.uniform(3, 12)) - np.float32(0.5)
        shade += np.float32(rng.uniform(0.0, 0.06)) * fine
    if rng.random() < 0.35:
        shade *= _worn_edges(rng, width, height)
    paper = shade[..., None] * np.asarray(colour, np.float32)
    if rng.random() < 0.3:
        _stain(rng, paper)
    return np.minimum(paper, 255)


def _worn_edges(rng: np.random.Generator, width: int, height: int) -> Floats:
    """f32 [height, width] in (0, 1]: leaves are browner where they were held."""
    x = np.linspace(-1, 1, width, dtype=np.float32)[None]
    y = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    power = int(rng.choice([4, 8, 16]))
    edge = np.maximum(np.abs(x) ** power, np.abs(y) ** power)
    return np.asarray(1 - np.float32(rng.uniform(0.05, 0.3)) * edge, np.float32)


def _stain(rng: np.random.Generator, paper: Floats) -> None:
    """Water and foxing: soft-edged blots of a browner tone, in place."""
    height, width = paper.shape[:2]
    field = smooth_noise(rng, width, height, rng.uniform(0.08, 0.3) * height)
    level = rng.uniform(0.55, 0.85)
    blot = np.clip((field - np.float32(level)) * np.float32(rng.uniform(5, 30)), 0, 1)
    depth = rng.uniform(0.04, 0.25)
    paper *= 1 - blot[..., None] * np.asarray([depth * 0.6, depth * 0.8, depth], np.float32)


def compose(
    rng: np.random.Generator, style: PageStyle, layers: Layers, paper: Floats, *, verso: Pixels | None
) -> Pixels:
    """u8 [height, width, 3]: paper, what shines through, ink, and the objects in their order.

    Args:
        rng: draws how evenly the ink took.
        style: of the page.
        layers: what is on it.
        paper: as `make_paper` makes it; overwritten.
        verso: u8 [height, width], ink of the other side that shines through.
    """
    if verso is not None:
        _bleed(rng, style, paper, verso)
    fade = _fading(rng, style)
    for layer, colour in ((layers.ink, style.look.ink), (layers.accent, style.look.accents[0])):
        if layer.any():
            alpha = layer * (fade * _BYTE)
            paper += alpha[..., None] * (np.asarray(colour, np.float32) - paper)
    page = np.asarray(np.clip(paper, 0, 255), np.uint8)
    for placed in layers.objects:
        _lay(page, placed.drawing.color, placed.drawing.alpha, placed.x, placed.y)
    return page


def _fading(rng: np.random.Generator, style: PageStyle) -> Floats:
    """f32 [height, width]: strength of the ink, uneven on some pages."""
    even = np.full((style.height, style.width), style.strength, np.float32)
    if rng.random() < 0.5:
        patches = smooth_noise(rng, style.width, style.height, rng.uniform(0.06, 0.4) * style.height)
        even *= 1 - np.float32(rng.uniform(0.05, 0.5)) * patches
    return even


def _bleed(rng: np.random.Generator, style: PageStyle, paper: Floats, verso: Pixels) -> None:
    soft = cv2.GaussianBlur(verso[:, ::-1], (0, 0), rng.uniform(0.6, 2.5))
    alpha = soft * np.float32(rng.uniform(0.05, 0.35) / 255)
    paper += alpha[..., None] * (np.asarray(style.look.ink, np.float32) - paper)


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
