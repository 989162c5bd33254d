"""Drop capitals: plain, cut in wood, penned, painted."""

from __future__ import annotations

import cv2
import numpy as np

from farthing.documents.synthetic.drawing import Colour, Drawing, Floats, Look, clipped, from_ink
from farthing.documents.synthetic.fonts import CAPITALS, choose_font, paste, set_line
from farthing.documents.synthetic.objects import frames, ornament
from farthing.documents.synthetic.objects.scene import Scene
from farthing.documents.synthetic.objects.subjects import choose_subject
from farthing.documents.synthetic.objects.techniques import TECHNIQUES
from farthing.documents.synthetic.strokes import Canvas, Points, curve, ellipse, points, rectangle, spiral
from farthing.documents.synthetic.textures import blur, hatching, worn

_GOLD: Colour = (205, 165, 75)
_SET_SIZE = 48.0  # pixels at which a letter is set before it is stretched to its place


def draw_plain(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """A letter of large type."""
    ink = _letter(rng, width, height, kind="heavy" if rng.random() < 0.3 else "roman")
    return from_ink(worn(rng, ink, rng.uniform(0, 0.2)), look.ink)


def draw_woodcut_block(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """A letter on a square of foliage, dots or a scene, black on white or white on black, within a rule."""
    kind = rng.integers(6)
    if kind == 0:
        ground = _scene_ground(rng, look, width, height).alpha
    elif kind == 1:
        ground = _dotted_ground(rng, width, height)
    elif kind == 5:
        ground = ornament.tangle(rng, width, height)
    else:
        ground = _foliage_ground(rng, width, height)
        if kind == 2:
            ground = np.maximum(ground, hatching(rng, np.full_like(ground, 0.3), period=rng.uniform(2, 3.5), angle=0.0))
        elif kind == 3:
            ground = 1 - ground
    inset = 0.1 * min(width, height)
    letter = np.zeros((height, width), np.float32)
    paste(letter, _letter(rng, round(width - 2 * inset), round(height - 2 * inset), kind="heavy"), inset, inset)
    is_white = kind in (1, 3) or rng.random() < 0.25
    halo = cv2.dilate(letter, np.ones((3, 3), np.uint8)).astype(np.float32, copy=False)
    ink = ground * (1 - halo)
    if not is_white:
        ink = np.maximum(ink, letter)
    if rng.random() < 0.8:
        ink = np.maximum(ink, frames.rules(rng, width, height, heavy=bool(rng.random() < 0.3)))
    strength = np.float32(rng.uniform(0.65, 1))
    return from_ink(worn(rng, ink * strength, rng.uniform(0, 0.4)), look.ink)


def draw_factotum(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """A letter of type within a square of type ornaments."""
    side = min(width, height) * rng.uniform(0.16, 0.28)
    ink = frames.ornament_band(rng, width, height, side)
    inner = int(side) + 1
    ink[inner : height - inner, inner : width - inner] = 0
    paste(ink, _letter(rng, width - 2 * inner - 2, height - 2 * inner - 2, kind="roman"), inner + 1, inner + 1)
    return from_ink(ink, look.ink)


def draw_lombard(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """A round fat letter in one colour, as rubricators painted them, now and then with a line left free inside."""
    letter = _fat_letter(rng, width, height)
    if rng.random() < 0.3:
        letter = letter * (1 - _inline(letter, max(1.0, 0.03 * height)))
    colour = _accent(rng, look) if rng.random() < 0.9 else look.ink
    return from_ink(worn(rng, letter * np.float32(rng.uniform(0.7, 1)), rng.uniform(0, 0.25)), colour)


def draw_flourished(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """A rubricated letter among fine pen lines of another colour, whose tails run up and down the margin."""
    side = min(width, round(height * rng.uniform(0.45, 0.85)))
    left, top = width - side, round((height - side) * rng.uniform(0.1, 0.7))
    pen = Canvas(width, height)
    _draw_filigree(rng, pen, (left, top, width, top + side))
    for end in (0.0, float(height)):
        stem = left + 0.06 * side
        sway = rng.uniform(-0.1, 0.1, 3) * side
        tail = points(
            (stem, top + side / 2), (stem + sway[0], 0.5 * (top + side / 2 + end)), (max(1.0, stem + sway[1]), end)
        )
        for shift in (0, 0.05 * side):
            pen.line(curve(tail) + points((shift, 0)), width=rng.uniform(0.5, 0.9))
    sheet = from_ink(pen.ink(), _accent(rng, look))
    letter = np.zeros((height, width), np.float32)
    inset = 0.12 * side
    paste(letter, _fat_letter(rng, round(side - 2 * inset), round(side - 2 * inset)), left + inset, top + inset)
    frames.ink_over(sheet, letter, _accent(rng, look))
    return sheet


def draw_cadel(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """A letter of many parallel strokes of a broad pen, with loops around it, in the ink of the text."""
    canvas = Canvas(width, height)
    nib = (0.05 * height, -0.04 * height)
    strokes = [_cadel_stroke(rng, width, height) for _ in range(int(rng.integers(2, 5)))]
    for stroke in strokes:
        canvas.pen([stroke + np.array([shift, 0]) for shift in (0, 0.1 * width)], nib=nib)
    canvas.lines([stroke + rng.normal(0, 0.04 * height, 2) for stroke in strokes], width=0.6)
    letter = _letter(rng, width, height, kind="heavy") * np.float32(rng.choice([0.0, 1.0]))
    return from_ink(np.maximum(canvas.ink(), letter), look.ink)


def draw_painted(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """A painted or gilded letter on a coloured square with tendrils or a scene inside, framed, perhaps with a tail."""
    side_x, side_y = width, height
    has_tail = height > 1.3 * width
    if has_tail:
        side_y = round(width * rng.uniform(0.9, 1.2))
    ground = _painted_ground(rng, look, side_x, side_y)
    letter = _fat_letter(rng, round(0.84 * side_x), round(0.84 * side_y))
    placed_letter = np.zeros((side_y, side_x), np.float32)
    paste(placed_letter, letter, 0.08 * side_x, 0.08 * side_y)
    rim = clipped(cv2.dilate(placed_letter, np.ones((3, 3), np.uint8)).astype(np.float32, copy=False) - placed_letter)
    frames.ink_over(ground, placed_letter, _GOLD if rng.random() < 0.35 else _accent(rng, look))
    frames.ink_over(ground, rim * np.float32(0.6), look.ink)
    if rng.random() < 0.8:
        frames.ink_over(
            ground,
            frames.rules(rng, side_x, side_y, heavy=bool(rng.random() < 0.5)),
            _GOLD if rng.random() < 0.4 else look.ink,
        )
    if not has_tail:
        return ground
    sheet = frames.empty_sheet(width, height, look.ink)
    frames.ink_over(sheet, _tail(rng, width, height), _accent(rng, look))
    frames.put(sheet, ground, 0, round((height - side_y) * rng.choice([0.0, 0.0, 0.5])))
    return sheet


def _letter(rng: np.random.Generator, width: int, height: int, *, kind: str) -> Floats:
    """f32 [height, width]: one capital that fills the box."""
    letter = set_line(CAPITALS[rng.integers(len(CAPITALS))], choose_font(rng, kind), _SET_SIZE)
    size = max(2, width), max(2, height)
    # An I would become a bar as wide as an M.
    if letter.shape[1] < 0.5 * letter.shape[0]:
        gap = np.zeros((letter.shape[0], letter.shape[1] // 2), np.float32)
        letter = np.concatenate([gap, letter, gap], axis=1)
    return clipped(cv2.resize(letter, size, interpolation=cv2.INTER_AREA).astype(np.float32, copy=False))


def _fat_letter(rng: np.random.Generator, width: int, height: int) -> Floats:
    """f32 [height, width]: a capital with swollen, rounded strokes."""
    letter = _letter(rng, width, height, kind="heavy")
    sigma = 0.035 * min(width, height)
    return clipped(
        (blur(letter, sigma) - np.float32(rng.uniform(0.22, 0.42))) * np.float32(2.5 * max(1.0, sigma))
        + np.float32(0.5)
    )


def _inline(letter: Floats, line: float) -> Floats:
    """f32 [height, width]: a thin line along the middle of the letter's strokes."""
    depth = cv2.distanceTransform((letter > 0.5).astype(np.uint8), cv2.DIST_L2, 3).astype(np.float32, copy=False)
    return clipped((depth - np.float32(0.75 * depth.max())) * np.float32(2 / line) + np.float32(0.5))


def _foliage_ground(rng: np.random.Generator, width: int, height: int) -> Floats:
    canvas = Canvas(width, height)
    for _ in range(int(rng.integers(4, 9))):
        x, y, size = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(0.14, 0.3) * min(width, height)
        canvas.fill_each(
            ornament.scroll(rng, x, y, size, start=rng.uniform(0, 2 * np.pi), turns=rng.choice([-1.2, 1.2]))
        )
    return canvas.ink()


def _dotted_ground(rng: np.random.Generator, width: int, height: int) -> Floats:
    canvas = Canvas(width, height)
    canvas.fill(rectangle(0, 0, width, height))
    for x, y in rng.uniform(0, 1, (int(rng.integers(20, 70)), 2)) * (width, height):
        canvas.fill(ellipse(x, y, 0.02 * width, 0.02 * height), value=0)
    return canvas.ink()


def _scene_ground(rng: np.random.Generator, look: Look, width: int, height: int, technique: str = "woodcut") -> Drawing:
    scene = Scene(rng, width, height)
    scene.line_width = rng.uniform(0.5, 1.0)
    choose_subject(rng, ("gathering", "landscape", "saint", "portrait", "leaves")).draw(scene)
    return TECHNIQUES[technique].render(scene, look)


def _painted_ground(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    if rng.random() < 0.3:
        return _scene_ground(rng, look, width, height, "painting")
    sheet = frames.empty_sheet(width, height, _GOLD if rng.random() < 0.35 else _accent(rng, look))
    sheet.alpha[:] = np.float32(rng.uniform(0.8, 1))
    frames.ink_over(sheet, _foliage_ground(rng, width, height), _accent(rng, look))
    return sheet


def _tail(rng: np.random.Generator, width: int, height: int) -> Floats:
    """f32 [height, width]: a bar down the left side that ends in a curl with leaves."""
    canvas = Canvas(width, height)
    x, radius = 0.12 * width, 0.25 * width
    canvas.fill(rectangle(0.5 * x, 0.04 * height, 1.5 * x, height - 1.5 * radius))
    for outline in ornament.scroll(rng, x + radius, height - 1.5 * radius, radius, start=np.pi, turns=-1.2):
        canvas.fill(outline)
    return canvas.ink()


def _draw_filigree(rng: np.random.Generator, canvas: Canvas, box: tuple[float, float, float, float]) -> None:
    """Rows of small curls and hairlines that fill the box (x0, y0, x1, y1)."""
    x0, y0, x1, y1 = box
    size = 0.5 * (x1 - x0) / rng.integers(2, 5)
    width = rng.uniform(0.5, 0.9)
    if rng.random() < 0.7:
        canvas.line(rectangle(x0 + 1, y0 + 1, x1 - 1, y1 - 1), width=width, closed=True)
    curls = [
        spiral(x, y, size * 0.95, turns=rng.choice([-1.6, 1.6]), start=rng.uniform(0, 2 * np.pi))
        for y in np.arange(y0 + size, y1, 2 * size)
        for x in np.arange(x0 + size, x1, 2 * size)
    ]
    canvas.lines(curls, width=width)


def _cadel_stroke(rng: np.random.Generator, width: int, height: int) -> Points:
    turns = rng.uniform(0.1, 0.85, (4, 2)) * (0.85 * width, height) + (0.05 * width, 0)
    return curve(turns)


def _accent(rng: np.random.Generator, look: Look) -> Colour:
    return look.accents[rng.integers(len(look.accents))]
