"""Decorations: ornament that shows nothing and says nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from farthing.documents.synthetic.drawing import Colour, Drawing, Floats, Look, from_ink
from farthing.documents.synthetic.objects import frames, ornament
from farthing.documents.synthetic.objects.scene import Material, Scene
from farthing.documents.synthetic.strokes import Canvas, Points, curve, ellipse, points, rectangle, spiral, sweep
from farthing.documents.synthetic.textures import hatching, worn

_FINE_SIDE = 260  # pixels up to which ornaments are drawn at twice the size


def draw_headpiece(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """A printed band above a text: foliage on black or white ground, rows of type ornaments, knots, arabesques."""
    canvas = _canvas(width, height)
    kind = rng.integers(7)
    margin = rng.uniform(0, 0.12) * min(width, height) if rng.random() < 0.7 else 0.0
    box = (margin, margin, width - margin, height - margin)
    if kind < 2:
        ornament.draw_rinceau(canvas, rng, box)
    elif kind == 2:
        _draw_rows(canvas, rng, box)
    elif kind == 3:
        ornament.draw_knots(canvas, rng, box)
    elif kind == 4:
        _draw_basket(canvas, rng, box)
    is_dark = kind != 2 and rng.random() < 0.35
    ink = canvas.ink() if kind < 5 else ornament.tangle(rng, width, height)
    if is_dark:
        ink = 1 - ink
    elif kind != 2 and rng.random() < 0.5:
        ground = np.full(ink.shape, rng.uniform(0.15, 0.5), np.float32)
        ink = np.maximum(ink, hatching(rng, ground, period=rng.uniform(1.8, 3.5), angle=0.0))
    if margin and (is_dark or rng.random() < 0.5):
        ink = np.maximum(ink, frames.rules(rng, width, height, heavy=False))
    return from_ink(worn(rng, ink * _strength(rng, look), rng.uniform(0, 0.35)), look.ink)


def draw_tailpiece(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """A printed ornament that closes a text: foliage that narrows downwards, a mask, a basket, a lozenge of sorts."""
    if rng.random() < 0.3:
        return _draw_grotesque(rng, look, width, height)
    canvas = _canvas(width, height)
    kind = rng.integers(5)
    if kind == 0:
        _draw_lozenge(canvas, rng, width, height)
    elif kind == 4:
        return _draw_tapered_tangle(rng, look, width, height)
    else:
        _draw_tapering(canvas, rng, width, height, taper=rng.uniform(0.2, 1.0), num=int(rng.integers(5, 16)))
    if kind == 1:
        wide, high = 0.3 * width, 0.3 * height
        _draw_basket(canvas, rng, (0.5 * width - wide, 0.5 * height - high, 0.5 * width + wide, 0.5 * height + high))
    ink = canvas.ink()
    if kind > 1 and rng.random() < 0.5:
        ink = np.maximum(ink * np.float32(0.75), hatching(rng, ink, period=2.2, angle=rng.uniform(0, np.pi)))
    return from_ink(worn(rng, ink * _strength(rng, look), rng.uniform(0, 0.35)), look.ink)


def draw_ornament_row(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """One thin line of type ornaments or dashes between texts."""
    canvas = _canvas(width, height)
    ornament.draw_sorts(canvas, rng, (0, 0, width, height), flip=bool(rng.random() < 0.5))
    return from_ink(worn(rng, canvas.ink() * _strength(rng, look), rng.uniform(0, 0.3)), look.ink)


def draw_fleuron(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """A single printed flower or leaf, or a few in a triangle."""
    canvas = _canvas(width, height)
    shapes = ornament.sort_shapes(rng)
    if rng.random() < 0.6:
        _draw_sort(canvas, shapes, (width / 2, height / 2), min(width, height))
    else:
        side = min(width / 2.1, height / 2)
        for x, y in ((width / 2 - side / 2, side / 2), (width / 2 + side / 2, side / 2), (width / 2, 1.5 * side)):
            _draw_sort(canvas, shapes, (x, y), side)
    return from_ink(canvas.ink() * _strength(rng, look), look.ink)


def draw_line_filler(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """What scribes put behind a short line: waves, bars in two colours, chains of circles."""
    first, second = (_accent(rng, look) for _ in range(2))
    lower, upper = _canvas(width, height), _canvas(width, height)
    step = height * rng.uniform(0.5, 1.4)
    places = np.arange(0.5 * step, width, step)
    kind = rng.integers(4)
    if kind == 0:
        zigzag = np.stack([places, height * (0.5 + 0.35 * (-1.0) ** np.arange(len(places)))], axis=1)
        if len(zigzag) > 1:
            lower.line(curve(zigzag), width=0.18 * height)
    elif kind == 1:
        lower.fill(rectangle(0, 0.15 * height, width, 0.85 * height))
        upper.fill_each(rectangle(x - 0.2 * step, 0.3 * height, x + 0.2 * step, 0.7 * height) for x in places)
    elif kind == 2:
        lower.lines([ellipse(x, height / 2, 0.4 * step, 0.35 * height) for x in places], width=0.12 * height)
        upper.fill_each(ellipse(x, height / 2, 0.12 * step, 0.12 * height) for x in places)
    else:
        ornament.draw_knots(lower, rng, (0, 0, width, height))
    sheet = from_ink(lower.ink(), first)
    frames.ink_over(sheet, upper.ink(), second)
    return sheet


def draw_printed_border(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """Ornaments on all four sides of a page of text."""
    band = min(width, height) * rng.uniform(0.025, 0.1)
    ink = frames.ornament_band(rng, width, height, band)
    inner = int(band) + 1
    ink[inner : height - inner, inner : width - inner] = 0
    return from_ink(ink * _strength(rng, look), look.ink)


def draw_bar_border(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """A painted bar along a column, gold and colour, that grows leaves at its ends and sides."""
    sheet = frames.empty_sheet(width, height, look.ink)
    bar, leaves, lines = (_canvas(width, height) for _ in range(3))
    x, half = width * rng.uniform(0.25, 0.75), max(0.7, width * rng.uniform(0.04, 0.14))
    bar.fill(rectangle(x - half, 0.04 * height, x + half, 0.96 * height))
    for y in np.arange(0.03, 0.98, rng.uniform(0.02, 0.12)) * height:
        side = rng.choice([-1, 1])
        tip = (x + side * rng.uniform(0.15, 0.45) * width, y + rng.normal(0, 0.2) * width)
        lines.line(curve(points((x, y), (0.5 * (x + tip[0]), y - 0.1 * width), tip)), width=max(0.5, 0.25 * half))
        leaves.fill(ellipse(*tip, rng.uniform(0.04, 0.14) * width, rng.uniform(0.04, 0.12) * width))
    for y, turns in ((0.05 * height, 1.3), (0.95 * height, -1.3)):
        end = spiral(x, y, min(0.4 * width, 0.1 * height), turns=turns, start=rng.uniform(0, 2 * np.pi))
        bar.fill(sweep(end, np.linspace(1.6 * half, 0.5 * half, len(end))))
    frames.ink_over(sheet, lines.ink(), look.ink)
    frames.ink_over(sheet, leaves.ink(), (205, 165, 75) if rng.random() < 0.5 else _accent(rng, look))
    frames.ink_over(sheet, bar.ink(), _accent(rng, look))
    return sheet


def draw_painted_strip(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """A painted band beside or above a text: coloured fields with one ornament repeated along it, in a frame."""
    sheet = frames.empty_sheet(width, height, _accent(rng, look))
    sheet.alpha[:] = np.float32(rng.uniform(0.75, 1))
    breadth, length = min(width, height), max(width, height)
    fields, motifs = _canvas(width, height), _canvas(width, height)
    step = breadth * rng.uniform(0.8, 3)
    for index, start in enumerate(np.arange(0, length, step)):
        if index % 2:
            side = (start, 0.0, start + step, float(breadth))
            fields.fill(rectangle(*(side if width > height else (side[1], side[0], side[3], side[2]))))
    if rng.random() < 0.5:
        ornament.draw_sorts(motifs, rng, (0, 0, width, height), flip=bool(rng.random() < 0.5))
    else:
        ornament.draw_rinceau(motifs, rng, (0, 0, width, height))
    if rng.random() < 0.6:
        frames.ink_over(sheet, fields.ink(), _accent(rng, look))
    frames.ink_over(sheet, motifs.ink(), (215, 180, 95) if rng.random() < 0.6 else _accent(rng, look))
    frames.ink_over(sheet, frames.rules(rng, width, height, heavy=False), look.ink)
    return sheet


def draw_painted_frame(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """Painted bands on all four sides of a page."""
    band = max(4, round(min(width, height) * rng.uniform(0.04, 0.12)))
    sheet = frames.empty_sheet(width, height, look.ink)
    state = int(rng.integers(1 << 32))
    for x, y, wide, high in (
        (0, 0, width, band),
        (0, height - band, width, band),
        (0, band, band, height - 2 * band),
        (width - band, band, band, height - 2 * band),
    ):
        if min(wide, high) > 0:
            frames.put(sheet, draw_painted_strip(np.random.default_rng(state), look, wide, high), x, y)
    return sheet


def draw_foliate_border(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """Painted leaves, flowers and hairlines scattered in the margins: one to four sides of a page."""
    sheet = frames.empty_sheet(width, height, look.ink)
    band = min(width, height) * rng.uniform(0.08, 0.2)
    boxes = [
        (0.0, 0.0, band, height),
        (0.0, height - band, width, height),
        (0.0, 0.0, width, band),
        (width - band, 0.0, width, height),
    ]
    chosen = [boxes[index] for index in rng.permutation(4)[: int(rng.integers(1, 5))]]
    vines = Canvas(width, height, scale=1)
    petals = {colour: Canvas(width, height, scale=1) for colour in (*look.accents[:3], (205, 165, 75))}
    for box in chosen:
        _scatter(rng, box, 0.5 * band, vines, list(petals.values()))
    if rng.random() < 0.4:
        ground = np.zeros((height, width), np.float32)
        for x0, y0, x1, y1 in chosen:
            ground[int(y0) : int(y1), int(x0) : int(x1)] = rng.uniform(0.6, 1)
        frames.ink_over(sheet, ground, (220, 190, 110) if rng.random() < 0.6 else _accent(rng, look))
    frames.ink_over(sheet, vines.ink() * np.float32(0.8), look.ink)
    for colour, canvas in petals.items():
        frames.ink_over(sheet, canvas.ink(), colour)
    return sheet


def _scatter(
    rng: np.random.Generator,
    box: tuple[float, float, float, float],
    cell: float,
    vines: Canvas,
    petals: Sequence[Canvas],
) -> None:
    """Curls with leaves, about one to each square of side `cell` in the box."""
    x0, y0, x1, y1 = box
    for x in np.arange(x0 + 0.5 * cell, x1, cell):
        for y in np.arange(y0 + 0.5 * cell, y1, cell):
            size = cell * rng.uniform(0.4, 0.7)
            vine = spiral(x, y, size, turns=rng.choice([-0.8, 0.8]), start=rng.uniform(0, 2 * np.pi), inner=0.3)
            vines.line(vine, width=0.6)
            canvas = petals[int(rng.integers(len(petals)))]
            canvas.fill_each(
                ellipse(
                    float(vine[place, 0]),
                    float(vine[place, 1]),
                    size * rng.uniform(0.1, 0.28),
                    size * rng.uniform(0.1, 0.25),
                )
                for place in (0, 5, -1)
            )


def _canvas(width: int, height: int) -> Canvas:
    return Canvas(width, height, scale=2 if min(width, height) <= _FINE_SIDE else 1)


def _strength(rng: np.random.Generator, look: Look) -> np.float32:
    return np.float32(rng.uniform(0.75, 1) if look.is_bitonal else rng.uniform(0.5, 1))


def _accent(rng: np.random.Generator, look: Look) -> Colour:
    return look.accents[rng.integers(len(look.accents))]


def _draw_rows(canvas: Canvas, rng: np.random.Generator, box: tuple[float, float, float, float]) -> None:
    x0, y0, x1, y1 = box
    num = int(rng.integers(1, 4))
    high = (y1 - y0) / num
    for row in range(num):
        ornament.draw_sorts(
            canvas, rng, (x0, y0 + row * high, x1, y0 + (row + 1) * high), flip=bool(rng.random() < 0.5)
        )


def _draw_sort(canvas: Canvas, shapes: Sequence[Points], centre: tuple[float, float], size: float) -> None:
    canvas.fill_each(shape * 0.96 * size + centre for shape in shapes)


def _draw_lozenge(canvas: Canvas, rng: np.random.Generator, width: int, height: int) -> None:
    """Sorts in rows, each row shorter than the one above."""
    num_rows = int(rng.integers(2, 6))
    shapes, side = ornament.sort_shapes(rng), min(height / num_rows, width / num_rows)
    for row in range(num_rows):
        num = num_rows - row
        for place in range(num):
            _draw_sort(canvas, shapes, (width / 2 + (place - 0.5 * (num - 1)) * side, (row + 0.5) * side), side)


def _draw_tapering(
    canvas: Canvas, rng: np.random.Generator, width: int, height: int, *, taper: float, num: int
) -> None:
    """Scrolls mirrored about the middle, over a width that shrinks downwards by `taper`."""
    for _ in range(num):
        level = rng.uniform(0.08, 0.92)
        reach = 0.5 * width * (1 - taper * level)
        size = min(reach, 0.5 * height) * rng.uniform(0.25, 0.6)
        x = rng.uniform(0, max(1.0, reach - size))
        for shape in ornament.scroll(
            rng, x, level * height, size, start=rng.uniform(0, 2 * np.pi), turns=rng.choice([-1.3, 1.3])
        ):
            canvas.fill_each(shape * (side, 1) + (width / 2, 0) for side in (-1, 1))
    canvas.fill(points((0.47 * width, 0), (0.53 * width, 0), (0.5 * width, height)))


def _draw_basket(canvas: Canvas, rng: np.random.Generator, box: tuple[float, float, float, float]) -> None:
    """A basket or mask in the middle of the box with foliage to its sides."""
    x0, y0, x1, y1 = box
    size, middle = min(y1 - y0, x1 - x0), 0.5 * (x0 + x1)
    if x1 - x0 > 2 * size:
        ornament.draw_rinceau(canvas, rng, box)
    outline = points((-0.5, -0.05), (0.5, -0.05), (0.3, 0.5), (-0.3, 0.5)) * size + (middle, 0.5 * (y0 + y1))
    canvas.fill(outline, value=0)
    canvas.line(outline, width=0.06 * size, closed=True)
    fruits = [
        ellipse(middle + rng.normal(0, 0.2) * size, y0 + rng.uniform(0.15, 0.45) * size, 0.1 * size, 0.1 * size)
        for _ in range(7)
    ]
    canvas.fill_each(fruits, value=0)
    canvas.lines(fruits, width=0.05 * size, closed=True)
    canvas.lines([outline[:2] + points((0, share * size)) for share in (0.15, 0.3)], width=0.04 * size)


def _draw_tapered_tangle(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """Arabesques within a shape that narrows downwards, mirrored left and right."""
    level = np.array([0.0, 0.25, 0.5, 0.75, 1.0])
    reach = 0.5 * (1 - level * rng.uniform(0.5, 1.0)) * rng.uniform(0.5, 1.0, len(level))
    right = np.stack([0.5 + reach, level], axis=1)
    mask = Canvas(width, height)
    mask.fill(curve(np.concatenate([right, (right * (-1, 1) + (1, 0))[::-1]]) * (width, height), closed=True))
    ink = ornament.tangle(rng, width, height) * mask.ink()
    return from_ink(worn(rng, ink * _strength(rng, look), rng.uniform(0, 0.35)), look.ink)


def _draw_grotesque(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """Shaded scrolls around a mask."""
    scene = Scene(rng, width, height)
    scene.line_width = rng.uniform(0.6, 1.3)
    size = float(min(width, height))
    for share in rng.uniform(0.5, 1.0, 2):
        ornament.draw_scrolls(scene, width / 2, height / 2, 0.5 * share * size, num=int(rng.integers(6, 12)))
    scene.shape(ellipse(width / 2, height / 2, 0.16 * size, 0.2 * size), Material.STONE, 0.1)
    for side in (-0.06, 0.06):
        scene.line(ellipse(width / 2 + side * size, 0.46 * height, 0.03 * size, 0.015 * size))
    shadow: Floats = hatching(rng, scene.tones(), period=rng.uniform(2, 3.2), angle=rng.uniform(0, np.pi), waviness=1)
    return from_ink(np.maximum(shadow, scene.outlines.ink()) * _strength(rng, look), look.ink)
