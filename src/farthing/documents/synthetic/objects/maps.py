"""Maps: coasts, rivers, hills and place names in a graticule; plans of towns; charts."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from farthing.documents.synthetic.drawing import Colour, Drawing, Floats, Look, clipped
from farthing.documents.synthetic.fonts import choose_font, make_word, paste, set_line
from farthing.documents.synthetic.objects import frames
from farthing.documents.synthetic.strokes import Canvas, Points, curve, ellipse, points, rectangle, turned
from farthing.documents.synthetic.textures import blur, hatching, rough_noise

_TINTS: tuple[Colour, ...] = ((215, 150, 140), (190, 200, 140), (225, 205, 130), (170, 195, 205), (200, 170, 195))
_LEVEL_STEP = 40  # of 255, between two contour lines of the land


def draw_coast(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """Land and sea: the coast hatched, rivers, hills, woods, towns and their names."""
    relief = rough_noise(rng, width, height, rng.uniform(0.25, 0.6) * min(width, height), octaves=4)
    level = float(np.quantile(relief[::4, ::4], rng.uniform(0.1, 0.6)))
    land = clipped((relief - np.float32(level)) * np.float32(60))
    sheet = frames.empty_sheet(width, height, look.ink)
    _tint(rng, sheet, relief, land)
    canvas = Canvas(width, height, scale=1)
    canvas.lines(_contours(land, 0.5), width=rng.uniform(0.8, 1.6), closed=True)
    _draw_rivers(rng, canvas, width, height)
    _draw_hills(rng, canvas, land)
    ink = canvas.ink()
    if rng.random() < 0.7:
        shore = clipped(blur(land, rng.uniform(2, 6)) * 2) * (1 - land)
        np.maximum(ink, hatching(rng, shore * np.float32(0.6), period=rng.uniform(2, 3.5), angle=0.0), out=ink)
    if rng.random() < 0.35:
        np.maximum(ink, _rhumbs(rng, width, height) * np.float32(0.6), out=ink)
    return _finish(rng, look, sheet, ink, num_names=int(rng.integers(8, 40)))


def draw_town_plan(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """Blocks between streets, walls around them, a river through."""
    canvas = Canvas(width, height, scale=1)
    cell = rng.uniform(0.06, 0.14) * min(width, height)
    turn, middle = rng.uniform(-0.5, 0.5), (width / 2, height / 2)
    reach = rng.uniform(0.3, 0.7) * min(width, height)
    filling = rng.uniform(0.1, 0.9)
    steps = np.arange(-1.1 * reach, 1.1 * reach, 1.25 * cell)
    for x, y in np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2):
        if np.hypot(x, y) < reach * rng.uniform(0.8, 1.1):
            wide, high = cell * rng.uniform(0.5, 1.1, 2)
            block = turned(rectangle(x, y, x + wide, y + high), turn) + middle
            canvas.fill(block, value=filling)
            canvas.line(block, width=0.8, closed=True)
    wall = ellipse(*middle, reach * 1.1, reach * 1.1)[:: int(rng.integers(2, 5))]
    canvas.line(wall + rng.normal(0, 0.04 * reach, wall.shape), width=rng.uniform(1, 3), closed=True)
    _draw_rivers(rng, canvas, width, height)
    sheet = frames.empty_sheet(width, height, look.ink)
    return _finish(rng, look, sheet, canvas.ink(), num_names=int(rng.integers(4, 20)))


def draw_survey(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """Contour lines or hachures of hills, roads and parcels, as surveyors draw them."""
    relief = rough_noise(rng, width, height, rng.uniform(0.2, 0.5) * min(width, height), octaves=3)
    canvas = Canvas(width, height, scale=1)
    if rng.random() < 0.6:
        for level in np.arange(_LEVEL_STEP, 255, _LEVEL_STEP) / 255:
            canvas.lines(_contours(relief, level), width=0.7, closed=True)
    ink = canvas.ink()
    slope = np.abs(np.gradient(relief, axis=0)) + np.abs(np.gradient(relief, axis=1))
    steep = clipped(np.asarray(slope / max(1e-6, float(slope.max())) - 0.25, np.float32))
    np.maximum(ink, hatching(rng, steep, period=rng.uniform(2, 4), angle=np.asarray(relief * 6, np.float32)), out=ink)
    roads = Canvas(width, height, scale=1)
    for _ in range(int(rng.integers(2, 8))):
        road = curve(rng.uniform(-0.1, 1.1, (4, 2)) * (width, height))
        roads.line(road, width=2.6)
        roads.line(road, width=1.2, value=0)
    np.maximum(ink, roads.ink(), out=ink)
    sheet = frames.empty_sheet(width, height, look.ink)
    _tint(rng, sheet, relief, np.ones_like(relief))
    return _finish(rng, look, sheet, ink, num_names=int(rng.integers(6, 25)))


def draw_globe(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """One or two hemispheres with coasts and meridians, or a wheel map of the Middle Ages."""
    canvas = Canvas(width, height, scale=1)
    num = 2 if width > 1.4 * height else 1
    radius = 0.48 * min(height, width / num)
    centres = [((index + 0.5) * width / num, height / 2) for index in range(num)]
    relief = rough_noise(rng, width, height, 0.4 * min(width, height), octaves=4)
    disc = Canvas(width, height, scale=1)
    disc.fill_each(ellipse(*centre, radius, radius) for centre in centres)
    inside = disc.ink()
    land = clipped((relief - np.float32(rng.uniform(0.4, 0.55))) * 60) * inside
    canvas.lines(_contours(land, 0.5), width=1.0, closed=True)
    for x, y in centres:
        canvas.lines([ellipse(x, y, radius * share, radius) for share in (0.35, 0.7)], width=0.6)
        canvas.lines([points((x - radius, y), (x + radius, y)), points((x, y - radius), (x, y + radius))], width=0.6)
        canvas.lines([ellipse(x, y, radius * grow, radius * grow) for grow in (0.94, 1.0)], width=1.1)
    sheet = frames.empty_sheet(width, height, look.ink)
    _tint(rng, sheet, relief, land)
    return _finish(rng, look, sheet, canvas.ink(), num_names=int(rng.integers(4, 20)))


def _finish(rng: np.random.Generator, look: Look, sheet: Drawing, ink: Floats, *, num_names: int) -> Drawing:
    """Adds names, frame, compass and title to a map."""
    height, width = ink.shape
    fonts = [choose_font(rng, kind) for kind in ("italic", "roman")]
    for _ in range(num_names):
        text = make_word(rng, int(rng.integers(3, 11)), first=("title", "upper")[rng.integers(2)])
        name = set_line(text, fonts[rng.integers(2)], max(4.0, look.body_px * rng.uniform(0.4, 0.9)))
        paste(ink, name, rng.uniform(0, 0.9) * width, rng.uniform(0.03, 0.95) * height)
    canvas = Canvas(width, height, scale=1)
    if rng.random() < 0.85:
        _draw_graticule(rng, canvas, width, height)
    if rng.random() < 0.4:
        _draw_compass(rng, canvas, width, height)
    if rng.random() < 0.5:
        _draw_cartouche(rng, canvas, ink, width, height, fonts[1])
    np.maximum(ink, canvas.ink(), out=ink)
    frames.ink_over(sheet, ink * np.float32(rng.uniform(0.6, 1)), look.ink)
    return sheet


def _contours(field: Floats, level: float) -> list[Points]:
    """The lines of equal value, each [n, 2], those of a few pixels left out."""
    above = (field > level).astype(np.uint8)
    found, _ = cv2.findContours(above, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    return [line.reshape(-1, 2).astype(np.float64) + 0.5 for line in found if len(line) > 5]


def _tint(rng: np.random.Generator, sheet: Drawing, relief: Floats, land: Floats) -> None:
    """Paints land and sea, or countries, thinly, in place; often not at all."""
    if rng.random() < 0.45:
        return
    bands = np.digitize(relief, np.quantile(relief[::8, ::8], (0.35, 0.6, 0.8)))
    order = rng.permutation(len(_TINTS))
    sheet.color[:] = np.array(_TINTS, np.uint8)[order][bands]
    wet = land if rng.random() < 0.6 else np.ones_like(land)
    sheet.alpha[:] = wet * np.float32(rng.uniform(0.2, 0.7))


def _draw_rivers(rng: np.random.Generator, canvas: Canvas, width: int, height: int) -> None:
    for _ in range(int(rng.integers(0, 6))):
        source = rng.uniform(0, 1, 2) * (width, height)
        steps = np.cumsum(rng.normal(0, 0.08, (6, 2)) + rng.normal(0, 0.08, 2), axis=0) * min(width, height)
        canvas.line(curve(np.concatenate([source[None], source + steps])), width=rng.uniform(0.7, 2.2))


def _draw_hills(rng: np.random.Generator, canvas: Canvas, land: Floats) -> None:
    """Molehills in chains, trees and little towns, where there is land."""
    height, width = land.shape
    size = rng.uniform(0.012, 0.03) * min(width, height) + 1.5
    for _ in range(int(rng.integers(2, 10))):
        start, step = rng.uniform(0, 1, 2) * (width, height), rng.normal(0, 2 * size, 2)
        is_town = rng.random() < 0.25
        for x, y in start + np.arange(int(rng.integers(3, 14)))[:, None] * step + rng.normal(0, size, (1, 2)):
            if not (0 <= x < width and 0 <= y < height and land[int(y), int(x)] > 0.5):
                continue
            if is_town:
                canvas.fill(rectangle(x, y, x + size, y + size))
            else:
                canvas.line(curve(points((x - size, y), (x, y - 1.4 * size), (x + size, y))), width=0.8)
                canvas.line(points((x + 0.4 * size, y - 0.6 * size), (x + 0.3 * size, y)), width=0.8)


def _rhumbs(rng: np.random.Generator, width: int, height: int) -> Floats:
    """f32 [height, width]: lines from a few centres in all directions of the wind."""
    canvas = Canvas(width, height, scale=1)
    reach = float(width + height)
    for x, y in rng.uniform(0, 1, (int(rng.integers(1, 4)), 2)) * (width, height):
        for angle in np.linspace(0, 2 * np.pi, 16, endpoint=False):
            canvas.line(points((x, y), (x + reach * np.cos(angle), y + reach * np.sin(angle))), width=0.5)
    return canvas.ink()


def _draw_graticule(rng: np.random.Generator, canvas: Canvas, width: int, height: int) -> None:
    """A frame, often chequered with degrees, and now and then lines across."""
    band = rng.uniform(2, 8)
    for inset in (1.0, band):
        canvas.line(rectangle(inset, inset, width - inset, height - inset), width=rng.uniform(0.7, 1.5), closed=True)
    step = rng.uniform(0.04, 0.1) * min(width, height)
    if rng.random() < 0.6:
        for x in np.arange(band, width - step, 2 * step):
            canvas.fill_each(
                [rectangle(x, 1, x + step, 0.6 * band), rectangle(x, height - 0.6 * band, x + step, height - 1)]
            )
        for y in np.arange(band, height - step, 2 * step):
            canvas.fill_each(
                [rectangle(1, y, 0.6 * band, y + step), rectangle(width - 0.6 * band, y, width - 1, y + step)]
            )
    if rng.random() < 0.3:
        canvas.lines([points((x, 0), (x, height)) for x in np.arange(0, width, 3 * step)], width=0.5)
        canvas.lines([points((0, y), (width, y)) for y in np.arange(0, height, 3 * step)], width=0.5)


def _draw_compass(rng: np.random.Generator, canvas: Canvas, width: int, height: int) -> None:
    radius = rng.uniform(0.04, 0.1) * min(width, height)
    x, y = rng.uniform(0.15, 0.85, 2) * (width, height)
    canvas.line(ellipse(x, y, 0.8 * radius, 0.8 * radius), width=0.7)
    for angle in np.linspace(0, 2 * np.pi, 8, endpoint=False):
        canvas.fill(turned(points((x, y - 1.2 * radius), (x + 0.15 * radius, y), (x, y)), angle, around=(x, y)))


def _draw_cartouche(rng: np.random.Generator, canvas: Canvas, ink: Floats, width: int, height: int, font: Path) -> None:
    """A box with the title in one corner; what the map shows there is wiped from `ink`."""
    wide, high = rng.uniform(0.2, 0.35) * width, rng.uniform(0.1, 0.2) * height
    left, top = rng.choice([0.05 * width, 0.93 * width - wide]), rng.choice([0.05 * height, 0.93 * height - high])
    ink[int(top) : int(top + high), int(left) : int(left + wide)] = 0
    canvas.line(rectangle(left, top, left + wide, top + high), width=1.4, closed=True)
    for share in (0.2, 0.55):
        line = set_line(make_word(rng, int(rng.integers(4, 10)), first="upper"), font, max(4.0, 0.3 * high))
        paste(ink, line[:, : max(1, int(0.9 * wide))], left + 0.05 * wide, top + share * high)
