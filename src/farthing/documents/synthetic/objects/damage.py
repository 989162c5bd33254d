"""Distractors that time, ink, the binding and the camera left: blots, holes, show-through, targets, edges."""

from __future__ import annotations

import numpy as np

from farthing.documents.synthetic.drawing import Colour, Drawing, Floats, Look, clipped, from_ink
from farthing.documents.synthetic.fonts import choose_font, make_words, paste, set_line
from farthing.documents.synthetic.objects import frames
from farthing.documents.synthetic.objects.illustration import draw_illustration
from farthing.documents.synthetic.strokes import Canvas, ellipse, points, rectangle
from farthing.documents.synthetic.textures import blur, rough_noise, smooth_noise, unit_grid

_STAINS: tuple[Colour, ...] = ((140, 100, 60), (110, 80, 50), (160, 130, 80), (90, 85, 80))
_PATCHES: tuple[Colour, ...] = (
    (200, 40, 45),
    (60, 150, 70),
    (40, 60, 150),
    (240, 210, 60),
    (200, 70, 150),
    (50, 160, 200),
)
_MAX_SHOW = 0.3  # how strongly the other side of a leaf shows


def draw_blot(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """Ink that ran or dropped."""
    x, y = unit_grid(width, height)
    edge = smooth_noise(rng, width, height, 0.3 * min(width, height)) + np.float32(0.25)
    body = clipped(np.asarray((edge - np.sqrt(x * x + y * y)) * rng.uniform(4, 20), np.float32))
    return from_ink(body * np.float32(rng.uniform(0.3, 1)), look.ink)


def draw_stain(rng: np.random.Generator, _look: Look, width: int, height: int) -> Drawing:
    """Damp, grease or rust: a soft brown patch with a darker rim."""
    x, y = unit_grid(width, height)
    inside = rough_noise(rng, width, height, 0.5 * min(width, height)) + np.float32(0.3) - np.sqrt(x * x + y * y)
    body = clipped(np.asarray(inside * 8, np.float32))
    rim = body * clipped(1 - np.asarray(inside * 5, np.float32))
    ink = (np.float32(0.15) * body + np.float32(0.3) * rim) * np.float32(rng.uniform(0.5, 1.2))
    return from_ink(ink, _STAINS[rng.integers(len(_STAINS))])


def draw_hole(rng: np.random.Generator, _look: Look, width: int, height: int) -> Drawing:
    """Worm holes, tears or punched holes through which something dark or light shows."""
    canvas = Canvas(width, height)
    if rng.random() < 0.4:
        canvas.fill(ellipse(width / 2, height / 2, 0.45 * width, 0.45 * height))
    else:
        for _ in range(int(rng.integers(1, 6))):
            hole = ellipse(rng.uniform(0.2, 0.8) * width, rng.uniform(0.2, 0.8) * height, 0.12 * width, 0.12 * height)
            canvas.fill(hole + rng.normal(0, 0.03 * min(width, height), hole.shape))
    dark = rng.random() < 0.6
    return from_ink(canvas.ink(), (25, 22, 20) if dark else (245, 243, 238))


def draw_show_through(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """The text or picture of the other side, mirrored, faint and soft."""
    if rng.random() < 0.3:
        ink = draw_illustration(rng, look, width, height).alpha
    else:
        ink = np.zeros((height, width), np.float32)
        font = choose_font(rng, "roman")
        for y in np.arange(0, height - look.body_px, 1.35 * look.body_px):
            paste(ink, set_line(make_words(rng, int(2 * width / look.body_px)), font, look.body_px)[:, :width], 0, y)
    ink = blur(np.ascontiguousarray(ink[:, ::-1]), rng.uniform(0.6, 2))
    return from_ink(ink * np.float32(rng.uniform(0.08, _MAX_SHOW)), look.ink)


def draw_colour_checker(rng: np.random.Generator, _look: Look, width: int, height: int) -> Drawing:
    """The target that photographers lay beside a page: patches of colour and steps of grey."""
    sheet = frames.empty_sheet(width, height, (30, 30, 30) if rng.random() < 0.6 else (235, 235, 235))
    sheet.alpha[:] = 1
    columns, rows = (1, max(3, round(height / width))) if height > width else (max(3, round(width / height)), 1)
    is_grey = rng.random() < 0.4
    for row in range(rows):
        for column in range(columns):
            place = (row * columns + column) / max(1, rows * columns - 1)
            grey = round(250 - 230 * place)
            colour = (grey, grey, grey) if is_grey else _PATCHES[(row * columns + column) % len(_PATCHES)]
            y0, y1 = round((row + 0.1) * height / rows), round((row + 0.9) * height / rows)
            x0, x1 = round((column + 0.1) * width / columns), round((column + 0.9) * width / columns)
            sheet.color[y0:y1, x0:x1] = colour
    return sheet


def draw_ruler(rng: np.random.Generator, _look: Look, width: int, height: int) -> Drawing:
    """A scale with ticks and numbers, along its longer side."""
    is_upright = height > width
    length, breadth = max(width, height), min(width, height)
    canvas = Canvas(length, breadth, scale=1)
    step = rng.uniform(3, 7)
    for index, x in enumerate(np.arange(2, length - 2, step)):
        reach = (0.55 if index % 10 == 0 else 0.4 if index % 5 == 0 else 0.25) * breadth
        canvas.line(points((x, 0), (x, reach)), width=0.8)
    ink = canvas.ink()
    for index, x in enumerate(np.arange(2, length - 2, 10 * step)):
        paste(ink, set_line(str(index), choose_font(rng, "sans"), max(4.0, 0.4 * breadth)), x + 1, 0.55 * breadth)
    is_dark = rng.random() < 0.5
    sheet = frames.empty_sheet(width, height, (25, 25, 25) if is_dark else (240, 238, 225))
    sheet.alpha[:] = 1
    frames.ink_over(
        sheet, np.ascontiguousarray(np.rot90(ink)) if is_upright else ink, (240, 240, 240) if is_dark else (20, 20, 20)
    )
    return sheet


def draw_book_edge(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """The edges of the leaves below, a strip of fine lines parallel to the page's longer side."""
    is_upright = height > width
    breadth = min(width, height)
    lines = rng.normal(0, 1, breadth).cumsum() * 4 + rng.normal(0, 12, breadth)
    strip = np.array(look.paper, np.float32) * np.float32(rng.uniform(0.7, 1)) + lines[:, None].astype(np.float32)
    strip = np.clip(strip, 0, 255).astype(np.uint8)
    color = np.broadcast_to(strip[None] if is_upright else strip[:, None], (height, width, 3)).copy()
    return Drawing(color=color, alpha=np.ones((height, width), np.float32))


def draw_tape(rng: np.random.Generator, _look: Look, width: int, height: int) -> Drawing:
    """A yellowed strip of adhesive or a repair with thin paper."""
    ink: Floats = np.float32(rng.uniform(0.15, 0.5)) * (
        np.float32(0.7) + np.float32(0.3) * rough_noise(rng, width, height, 12)
    )
    return from_ink(ink, (185, 150, 85) if rng.random() < 0.6 else (240, 235, 225))


def draw_fold(rng: np.random.Generator, _look: Look, width: int, height: int) -> Drawing:
    """A crease: a thin dark line along the longer side with a light one beside it."""
    canvas = Canvas(width, height)
    if height > width:
        path, shift = points((width / 2, 0), (width / 2 + rng.normal(0, 1), height)), points((1.5, 0))
    else:
        path, shift = points((0, height / 2), (width, height / 2 + rng.normal(0, 1))), points((0, 1.5))
    canvas.line(path, width=1.0)
    sheet = from_ink(canvas.ink() * np.float32(rng.uniform(0.2, 0.5)), (60, 50, 40))
    light = Canvas(width, height)
    light.line(path + shift, width=1.0)
    frames.ink_over(sheet, light.ink() * np.float32(0.4), (250, 245, 235))
    return sheet


def draw_bars(rng: np.random.Generator, _look: Look, width: int, height: int) -> Drawing:
    """A dark strip of shadow, cloth or a clamp at the rim."""
    body = Canvas(width, height, scale=1)
    body.fill(rectangle(0, 0, width, height))
    shade = np.float32(rng.uniform(0.5, 1)) * (np.float32(0.8) + np.float32(0.2) * rough_noise(rng, width, height, 20))
    return from_ink(body.ink() * shade, (30, 27, 25))
