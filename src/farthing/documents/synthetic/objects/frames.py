"""What stands around a picture: rules, bands, painted frames, ovals; and pictures that fade into the paper."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from farthing.documents.synthetic.drawing import Colour, Drawing, Floats, Look, clipped
from farthing.documents.synthetic.objects.ornament import draw_rinceau, draw_sorts
from farthing.documents.synthetic.strokes import Canvas, ellipse, rectangle
from farthing.documents.synthetic.textures import blur, smooth_noise, unit_grid

_FAINTEST = 1 / 255  # ink that a page of bytes does not show


def shape_mask(rng: np.random.Generator, kind: str, width: int, height: int) -> Floats:
    """f32 [height, width] in [0, 1], where a picture of that shape is.

    Args:
        rng: draws the edge of "fade" and how high an "arch" rises.
        kind: "rectangle", "oval", "arch" (round above) or "fade" (ends irregularly, without an edge).
        width: in page pixels.
        height: in page pixels.
    """
    x, y = unit_grid(width, height)
    softness = np.float32(0.5 * min(width, height))
    if kind == "oval":
        return clipped((1 - np.sqrt(x * x + y * y)) * softness + np.float32(0.5))
    if kind == "arch":
        spring = np.float32(2 * rng.uniform(0.05, 0.5) - 1)
        above = np.minimum(y - spring, 0) / (spring + 1)
        return clipped(np.asarray((1 - np.sqrt(x * x + above * above)) * softness, np.float32) + (y > spring))
    if kind == "fade":
        reach = np.asarray(0.5 * np.maximum(np.abs(x), np.abs(y)) + 0.45 * np.sqrt(x * x + y * y), np.float32)
        edge = smooth_noise(rng, width, height, 0.22 * min(width, height)) * np.float32(0.5) + np.float32(0.55)
        return clipped((edge - reach) * np.float32(rng.uniform(6, 14)))
    return np.ones((height, width), np.float32)


def put(sheet: Drawing, drawing: Drawing, x: int, y: int) -> None:
    """Lays a drawing over a sheet, in place; it must lie within."""
    height, width = drawing.alpha.shape
    alpha, color = sheet.alpha[y : y + height, x : x + width], sheet.color[y : y + height, x : x + width]
    share = drawing.alpha / np.maximum(drawing.alpha + alpha * (1 - drawing.alpha), np.float32(1e-3))
    mixed = drawing.color * share[..., None] + color * (1 - share[..., None])
    color[:] = mixed.astype(np.uint8)
    alpha[:] = drawing.alpha + alpha * (1 - drawing.alpha)


def empty_sheet(width: int, height: int, colour: Colour) -> Drawing:
    """A drawing with nothing on it, in that colour."""
    color = np.empty((height, width, 3), np.uint8)
    color[:] = colour
    return Drawing(color=color, alpha=np.zeros((height, width), np.float32))


def ink_over(sheet: Drawing, ink: Floats, colour: Colour) -> None:
    """Lays ink, f32 [height, width] in [0, 1], over all of a sheet, in place."""
    touched = np.flatnonzero(ink > _FAINTEST)
    flat, alpha = sheet.color.reshape(-1, 3), sheet.alpha.reshape(-1)
    share = ink.reshape(-1)[touched]
    kept, added = 1 - share[:, None], share[:, None] * np.array(colour, np.float32)
    flat[touched] = (flat[touched] * kept + added).astype(np.uint8)
    alpha[touched] = np.maximum(alpha[touched], share)


def rules(rng: np.random.Generator, width: int, height: int, *, heavy: bool) -> Floats:
    """f32 [height, width]: one to three lines around all, drawn by hand where `heavy`."""
    canvas = Canvas(width, height, scale=1)
    inset = 1.0
    for _ in range(int(rng.integers(1, 3))):
        line = rng.uniform(1.5, 4) if heavy else rng.uniform(0.6, 1.6)
        canvas.line(rectangle(inset, inset, width - inset, height - inset), width=line, closed=True)
        inset += line + rng.uniform(1.5, 4)
    return canvas.ink()


def oval_rules(rng: np.random.Generator, width: int, height: int) -> Floats:
    """f32 [height, width]: rings along the edge of an oval."""
    canvas = Canvas(width, height, scale=1)
    inset = 1.0
    for _ in range(int(rng.integers(1, 4))):
        canvas.line(ellipse(width / 2, height / 2, width / 2 - inset, height / 2 - inset), width=rng.uniform(0.6, 2))
        inset += rng.uniform(2, 6)
    return canvas.ink()


def ornament_band(rng: np.random.Generator, width: int, height: int, band: float) -> Floats:
    """f32 [height, width]: foliage or type ornaments along all four sides, `band` pixels wide."""
    canvas = Canvas(width, height, scale=1)
    boxes = (
        (0.0, 0.0, float(width), band),
        (0.0, height - band, float(width), float(height)),
        (0.0, band, band, height - band),
        (width - band, band, float(width), height - band),
    )
    is_foliage, state = rng.random() < 0.5, rng.integers(1 << 32)
    for box in boxes:
        # The same ornament on each side.
        again = np.random.default_rng(state)
        if is_foliage:
            draw_rinceau(canvas, again, box)
        else:
            draw_sorts(canvas, again, box, flip=False)
    if rng.random() < 0.6:
        canvas.line(rectangle(0.5, 0.5, width - 0.5, height - 0.5), closed=True)
        canvas.line(rectangle(band, band, width - band, height - band), closed=True)
    ink = canvas.ink()
    return 1 - ink if rng.random() < 0.3 else ink


def painted_bands(rng: np.random.Generator, look: Look, width: int, height: int, band: float) -> Drawing:
    """Two to four strips of colour and gold around a picture, `band` pixels in all."""
    sheet = empty_sheet(width, height, look.paper)
    num = int(rng.integers(2, 5))
    edges = np.round(np.concatenate([[0], np.sort(rng.uniform(0, band, num - 1)), [band]])).astype(int)
    gold: Colour = (205, 165, 75)
    for inset, next_inset in pairwise(edges):
        if next_inset > inset:
            colour = gold if rng.random() < 0.35 else look.accents[rng.integers(len(look.accents))]
            sheet.color[inset : height - inset, inset : width - inset] = colour
    inner = int(edges[-1])
    sheet.alpha[:] = np.float32(rng.uniform(0.85, 1))
    sheet.alpha[inner : height - inner, inner : width - inner] = 0
    ink_over(sheet, blur(rules(rng, width, height, heavy=False), 0.4), look.ink)
    return sheet
