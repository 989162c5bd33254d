"""Seals: wax, lead or paper with a relief, seen under a light from one side."""

from __future__ import annotations

import cv2
import numpy as np

from farthing.documents.synthetic.drawing import Colour, Drawing, Floats, Look, clipped
from farthing.documents.synthetic.fonts import choose_font, make_words, paste, set_line
from farthing.documents.synthetic.objects import frames
from farthing.documents.synthetic.objects.emblems import draw_arms
from farthing.documents.synthetic.objects.people import draw_figure, draw_mount
from farthing.documents.synthetic.objects.scene import Scene
from farthing.documents.synthetic.strokes import Canvas, Points, ellipse, points, turned
from farthing.documents.synthetic.textures import blur, rough_noise

_WAXES: tuple[Colour, ...] = (
    (165, 30, 30),
    (120, 25, 25),
    (150, 90, 45),
    (95, 60, 35),
    (60, 85, 55),
    (55, 45, 40),
    (205, 170, 110),
)


def draw_wax(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """A disc or pointed oval of wax with an uneven rim, a ring of letters and a figure or arms, and its shadow."""
    outline = _outline(rng, width, height)
    colour = _WAXES[rng.integers(len(_WAXES))]
    if look.is_bitonal or rng.random() < 0.15:
        colour = (110, 105, 100)
    return _modelled(rng, outline, colour, width, height, depth=rng.uniform(0.5, 1.4))


def draw_paper_seal(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """A seal pressed through a piece of paper with cut or starred edges: hardly darker than the page."""
    side = min(width, height)
    x, y = width / 2, height / 2
    corners = int(rng.choice([4, 4, 8, 12, 16]))
    angles = np.linspace(0, 2 * np.pi, 2 * corners, endpoint=False) + rng.uniform(0, np.pi)
    radii = 0.49 * side * np.where(np.arange(2 * corners) % 2, rng.uniform(0.7, 0.95), 1.0)
    outline = np.stack([x + radii * np.cos(angles), y + radii * np.sin(angles)], axis=1)
    red, green, blue = (max(0, channel - int(rng.integers(0, 30))) for channel in look.paper)
    return _modelled(rng, outline, (red, green, blue), width, height, depth=rng.uniform(0.4, 0.9))


def draw_pendant(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """A seal that hangs by a strip of parchment or a cord."""
    side = min(width, round(0.65 * height))
    sheet = frames.empty_sheet(width, height, look.paper)
    canvas = Canvas(width, height)
    x, half = width / 2, max(1.0, width * rng.uniform(0.03, 0.12))
    for lean in (-half, half)[: int(rng.integers(1, 3))]:
        strip = points((x + lean - half, 0), (x + lean + half, 0), (x + 0.5 * half, height), (x - 0.5 * half, height))
        canvas.fill(turned(strip, 0.03 * np.sign(lean), around=(x, 0)), value=rng.uniform(0.6, 1))
    frames.ink_over(sheet, canvas.ink(), (175, 150, 110) if rng.random() < 0.6 else (120, 50, 45))
    seal = draw_wax(rng, look, side, side)
    frames.put(sheet, seal, (width - side) // 2, height - side)
    return sheet


def _outline(rng: np.random.Generator, width: int, height: int) -> Points:
    x, y = width / 2, height / 2
    base = ellipse(x, y, 0.46 * width, 0.46 * height)
    if height > 1.25 * width:
        # A pointed oval.
        base[:, 0] = x + (base[:, 0] - x) * (1 - 0.35 * np.abs((base[:, 1] - y) / (0.46 * height)) ** 2)
    swell = rng.uniform(0.9, 1.05, 8)
    wave = np.interp(np.arange(len(base)), np.linspace(0, len(base) - 1, 9), np.append(swell, swell[0]))
    uneven_rim: Points = (base - (x, y)) * wave[:, None] + (x, y)
    return uneven_rim


def _modelled(
    rng: np.random.Generator, outline: Points, colour: Colour, width: int, height: int, *, depth: float
) -> Drawing:
    """Light and shade on a body with that outline and colour, `depth` being how strong they are."""
    body = Canvas(width, height, scale=1)
    body.fill(outline)
    alpha = body.ink()
    relief = blur(_relief(rng, width, height), 0.7) + np.float32(0.3) * rough_noise(
        rng, width, height, 0.15 * min(width, height)
    )
    relief += blur(alpha, 0.04 * min(width, height)) * np.float32(2.5)
    angle = rng.uniform(np.pi, 1.5 * np.pi)
    across = cv2.Sobel(relief, cv2.CV_32F, 1, 0, ksize=3) * np.float32(np.cos(angle))
    down = cv2.Sobel(relief, cv2.CV_32F, 0, 1, ksize=3) * np.float32(np.sin(angle))
    light = np.float32(1) + np.float32(0.25 * depth) * (across + down)
    color = np.clip(np.array(colour, np.float32) * light[..., None], 0, 255).astype(np.uint8)
    shadow = np.float32(rng.uniform(0, 0.6)) * np.roll(blur(alpha, 0.03 * min(width, height)), (2, 2), (0, 1))
    color[alpha < 0.5] = (40, 35, 30)
    return Drawing(color=color, alpha=clipped(np.maximum(alpha, shadow)))


def _relief(rng: np.random.Generator, width: int, height: int) -> Floats:
    """f32 [height, width] in [0, 1]: rings, letters around them, and what stands in the middle."""
    scene = Scene(rng, width, height)
    x, y = width / 2, height / 2
    size = 0.5 * min(width, height)
    draw = (draw_arms, draw_figure, draw_mount)[rng.integers(3)]
    draw(scene, x, y + 0.5 * size, size)
    for share in (0.62, 0.85)[: int(rng.integers(1, 3))]:
        scene.line(ellipse(x, y, share * 0.46 * width, share * 0.46 * height), width=max(1.0, 0.03 * size))
    relief = np.maximum(scene.outlines.ink(), np.float32(0.7) * scene.tones())
    letters = np.zeros((height, width), np.float32)
    strip = set_line(make_words(rng, 26, first="upper"), choose_font(rng, "heavy"), max(4.0, 0.16 * size))
    paste(letters, strip[:, : max(1, round(2.2 * size))], x - 1.1 * size, 0.5 * strip.shape[0])
    paths = cv2.warpPolar(
        letters,
        (width, height),
        (x, y),
        0.46 * min(width, height),
        cv2.WARP_INVERSE_MAP | cv2.WARP_FILL_OUTLIERS | cv2.WARP_POLAR_LINEAR,
    )
    lettered: Floats = np.maximum(relief, paths.astype(np.float32, copy=False))
    return lettered
