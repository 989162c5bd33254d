"""What the camera or scanner saw: one page or two, on whatever lay below, with the edges of others."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from farthing.documents.synthetic.drawing import Colour, Floats, Pixels
from farthing.documents.synthetic.layers import Placed, Rect
from farthing.documents.synthetic.paper import COARSE
from farthing.documents.synthetic.style import Capture
from farthing.documents.synthetic.textures import smooth_noise


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """Where pages lie in the image.

    Attributes:
        width: of the image.
        height: of the image.
        pages: one or two, whole pixels.
        strip: what is seen of a facing page beyond the spine, if anything.
        spine: column of the spine; None where none is seen.
        ground: RGB of what lies below.
    """

    width: int
    height: int
    pages: tuple[Rect, ...]
    strip: Rect | None
    spine: float | None
    ground: Colour


def sample_frame(rng: np.random.Generator, capture: Capture, *, long_side: int, is_spread: bool) -> Frame:
    """Sizes, borders and neighbours of a scan.

    Args:
        rng: draws them.
        capture: how the image was taken.
        long_side: of the image, in pixels.
        is_spread: whether two pages are seen.
    """
    width, height = _sample_size(rng, long_side, is_spread=is_spread)
    left, top, right, bottom = _sample_borders(rng, width, height)
    inner = Rect(left, top, width - right, height - bottom)
    ground = _sample_ground(rng, capture)
    if is_spread:
        spine = round(width * rng.uniform(0.47, 0.53))
        pages = (inner._replace(x1=spine), inner._replace(x0=spine))
        return Frame(width=width, height=height, pages=pages, strip=None, spine=spine, ground=ground)
    if rng.random() > 0.24:
        return Frame(width=width, height=height, pages=(inner,), strip=None, spine=None, ground=ground)
    strip_width = round(width * rng.uniform(0.015, 0.13))
    if rng.random() < 0.5:
        strip, page = Rect(0, top, strip_width, inner.y1), inner._replace(x0=strip_width)
        spine = strip_width
    else:
        spine = width - strip_width
        strip, page = Rect(spine, top, width, inner.y1), inner._replace(x1=spine)
    return Frame(width=width, height=height, pages=(page,), strip=strip, spine=spine, ground=ground)


def _sample_size(rng: np.random.Generator, long_side: int, *, is_spread: bool) -> tuple[int, int]:
    ratio = float(np.clip(rng.normal(1.42, 0.14), 1.05, 1.9))
    if is_spread:
        ratio = rng.uniform(0.62, 0.85)
    elif rng.random() < 0.06:
        ratio = 1 / ratio
    return (round(long_side / ratio), long_side) if ratio >= 1 else (long_side, round(long_side * ratio))


def _sample_borders(rng: np.random.Generator, width: int, height: int) -> tuple[int, int, int, int]:
    """Left, top, right, bottom: nothing on scans that were cropped, up to an eighth on others."""
    if rng.random() < 0.45:
        return 0, 0, 0, 0
    reach = rng.choice([0.025, 0.06, 0.13], p=[0.45, 0.37, 0.18])
    shares = rng.uniform(0, reach, 4) * (rng.random(4) < 0.7)
    return (round(shares[0] * width), round(shares[1] * height), round(shares[2] * width), round(shares[3] * height))


def _sample_ground(rng: np.random.Generator, capture: Capture) -> Colour:
    if capture in ("bitonal", "film"):
        light = 8.0 if rng.random() < 0.45 else 245.0
    else:
        light = float(
            rng.choice([rng.uniform(5, 45), rng.uniform(60, 150), rng.uniform(200, 252)], p=[0.33, 0.3, 0.37])
        )
    tint = rng.uniform(-1, 1, 3) * (0.12 * light if rng.random() < 0.4 else 3)
    red, green, blue = (int(np.clip(light + part, 0, 255)) for part in tint)
    return (red, green, blue)


def assemble(rng: np.random.Generator, frame: Frame, pages: list[Pixels], strip: Pixels | None) -> Pixels:
    """u8 [height, width, 3]: the pages in their places, shadows where they end and where they are bound."""
    scene = _ground(rng, frame)
    for page, place in zip(pages, frame.pages, strict=True):
        _shadow(rng, scene, place)
        _put(scene, page, place)
    if strip is not None and frame.strip is not None:
        _put(scene, strip, frame.strip)
    if len(pages) == 1 and rng.random() < 0.2:
        _block_edge(rng, scene, frame)
    if frame.spine is not None:
        _spine_shadow(rng, scene, frame.spine)
    return scene


def moved(placed: Placed, page: Rect) -> tuple[Floats, Rect]:
    """The visible alpha of a drawing on one page, and its place in the scene; it ends at the edge of its page."""
    rect = placed.rect
    left, top = max(0, -placed.x), max(0, -placed.y)
    right, bottom = min(rect.width, page.width - placed.x), min(rect.height, page.height - placed.y)
    alpha = placed.drawing.alpha[top : max(top, int(bottom)), left : max(left, int(right))]
    x0, y0 = page.x0 + placed.x + left, page.y0 + placed.y + top
    return alpha, Rect(x0, y0, x0 + alpha.shape[1], y0 + alpha.shape[0])


def _ground(rng: np.random.Generator, frame: Frame) -> Pixels:
    scene = np.empty((frame.height, frame.width, 3), np.uint8)
    scene[:] = frame.ground
    if frame.pages[0].width < frame.width - 4 and rng.random() < 0.5:
        noise = smooth_noise(rng, frame.width // COARSE + 2, frame.height // COARSE + 2, rng.uniform(1, 15))
        tone = np.asarray(frame.ground) + (noise[..., None] - 0.5) * rng.uniform(4, 45)
        size = frame.width, frame.height
        scene = np.asarray(cv2.resize(np.asarray(np.clip(tone, 0, 255), np.uint8), size), np.uint8)
    return scene


def _put(scene: Pixels, page: Pixels, place: Rect) -> None:
    x, y = int(place.x0), int(place.y0)
    scene[y : y + page.shape[0], x : x + page.shape[1]] = page


def _shadow(rng: np.random.Generator, scene: Pixels, place: Rect) -> None:
    """A darker rim beside the page, as thick leaves throw."""
    if rng.random() < 0.5:
        return
    reach, depth = int(rng.integers(2, 9)), rng.uniform(0.2, 0.8)
    y0, y1 = max(0, int(place.y0) - reach), int(place.y1) + reach
    x0, x1 = max(0, int(place.x0) - reach), int(place.x1) + reach
    scene[y0:y1, x0:x1] = (scene[y0:y1, x0:x1] * np.float32(1 - depth)).astype(np.uint8)


def _block_edge(rng: np.random.Generator, scene: Pixels, frame: Frame) -> None:
    """The fore-edge of the leaves below: stripes beside the page, or the rim of a scan that was cut badly."""
    page = frame.pages[0]
    width = int(rng.integers(3, max(4, frame.width // 18)))
    stripes = rng.uniform(0.45, 1.0, width).astype(np.float32)[None, :, None]
    tone = scene[int(page.y0) + 2, int(page.x0) + int(page.width) // 2].astype(np.float32)
    band = np.asarray(np.clip(stripes * tone, 0, 255), np.uint8)
    y0, y1 = int(page.y0), int(page.y1)
    left, right = max(0, int(page.x0) - width), min(frame.width - width, int(page.x1))
    x0 = left if rng.random() < 0.5 else right
    scene[y0:y1, x0 : x0 + width] = band


def _spine_shadow(rng: np.random.Generator, scene: Pixels, spine: float) -> None:
    """Light falls off towards the spine, on both sides."""
    width = scene.shape[1]
    reach = width * float(np.exp(rng.uniform(np.log(0.004), np.log(0.06))))
    distance = np.abs(np.arange(width, dtype=np.float32) - np.float32(spine)) / np.float32(reach)
    light = 1 - np.float32(rng.uniform(0.15, 0.9)) * np.exp(-distance)
    first, last = max(0, int(spine - 6 * reach)), min(width, int(spine + 6 * reach))
    scene[:, first:last] = (scene[:, first:last] * light[None, first:last, None]).astype(np.uint8)
