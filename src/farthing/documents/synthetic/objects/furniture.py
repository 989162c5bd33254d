"""Distractors around the text: rules, numbers, notes in the margin, marks of owners."""

from __future__ import annotations

import numpy as np

from farthing.documents.synthetic.drawing import Colour, Drawing, Floats, Look, from_ink
from farthing.documents.synthetic.fonts import choose_font, kinds_of, make_word, make_words, paste, set_line
from farthing.documents.synthetic.objects import frames
from farthing.documents.synthetic.pens import SCRIPTS, make_hand, write_line
from farthing.documents.synthetic.strokes import Canvas, curve, ellipse, points, rectangle, sweep
from farthing.documents.synthetic.textures import worn

_PENCIL: Colour = (110, 110, 115)
_ROMAN = ("i", "ii", "iij", "iv", "v", "vj", "vij", "ix", "x", "xj", "xvj", "xx", "xlij")


def draw_rule(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """A straight line across: single, double, thick and thin, dashed, or swelled in the middle."""
    canvas = Canvas(width, height)
    y, reach = height / 2, rng.uniform(0.1, 0.5) * width if rng.random() < 0.5 else 0.49 * width
    left, right = width / 2 - reach, width / 2 + reach
    kind = rng.integers(5)
    if kind == 0:
        place = np.linspace(0, np.pi, 24)
        path = np.stack([left + (right - left) * place / np.pi, np.full(24, y)], axis=1)
        canvas.fill(sweep(path, 0.5 + min(0.7 * height, 5) * np.sin(place)))
        if rng.random() < 0.5:
            canvas.fill(ellipse(width / 2, y, 0.3 * height, 0.3 * height))
    elif kind == 1:
        for shift, line in ((-0.2, rng.uniform(0.6, 2)), (0.2, 0.6)):
            canvas.line(points((left, y + shift * height), (right, y + shift * height)), width=line)
    elif kind == 2:
        canvas.lines([points((x, y), (x + 2.5, y)) for x in np.arange(left, right, 5)], width=1.0)
    else:
        canvas.line(points((left, y), (right, y)), width=rng.uniform(0.5, 2.5))
    return from_ink(canvas.ink(), look.ink)


def draw_page_number(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """A number of a page, leaf or sheet, with dashes, brackets or without; printed or written."""
    number = _ROMAN[rng.integers(len(_ROMAN))] if rng.random() < 0.15 else str(rng.integers(1, 900))
    text = ("{}", "{}", "- {} -", "({})", "{}.", "[{}]", "Fol. {}")[rng.integers(7)].format(number)
    return _at_middle(set_line(text, choose_font(rng, kinds_of(look.era)[0]), 0.9 * height), look.ink, width, height)


def draw_shelf_mark(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """A few figures or words in pencil or ink by a librarian's hand."""
    hand = make_hand(rng, "cursive")
    line = write_line(rng, hand, width, 0.3 * height, fill=rng.uniform(0.4, 1)) * np.float32(rng.uniform(0.4, 1))
    return _at_middle(line, _PENCIL if rng.random() < 0.5 else look.ink, width, height)


def draw_marginal_note(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """Lines of small handwriting or type beside the text, perhaps with a bracket."""
    sheet = np.zeros((height, width), np.float32)
    size = max(4.0, look.body_px * rng.uniform(0.5, 0.85))
    is_penned = look.era != "print" or rng.random() < 0.5
    hand, font = make_hand(rng, SCRIPTS[rng.integers(1, 3)]), choose_font(rng, "italic")
    strength = np.float32(rng.uniform(0.4, 1))
    for y in np.arange(0, height - size, size * rng.uniform(1.1, 1.7)):
        if is_penned:
            line = write_line(rng, hand, width, 0.4 * size, fill=rng.uniform(0.6, 1))
        else:
            line = set_line(make_words(rng, int(2 * width / size)), font, size)[:, :width]
        paste(sheet, line * strength, 0, y)
    if rng.random() < 0.3:
        canvas = Canvas(width, height)
        canvas.line(
            curve(points((4, 1), (1, height / 4), (3, height / 2), (1, 0.75 * height), (4, height - 1))), width=0.8
        )
        np.maximum(sheet, canvas.ink(), out=sheet)
    return from_ink(sheet, look.ink if rng.random() < 0.8 else look.accents[0])


def draw_brace(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """A curly bracket, a pointing hand's cuff, a line beside the text, or crossed strokes."""
    canvas = Canvas(width, height)
    kind = rng.integers(3)
    if kind == 0:
        path = points(
            (width - 1, 0.02 * height),
            (0.5 * width, 0.2 * height),
            (1, height / 2),
            (0.5 * width, 0.8 * height),
            (width - 1, 0.98 * height),
        )
        canvas.line(curve(path), width=rng.uniform(0.7, 1.8))
    elif kind == 1:
        canvas.lines(
            [
                points((x, 1), (x + rng.normal(0, 1), height - 1))
                for x in (0.3 * width, 0.7 * width)[: int(rng.integers(1, 3))]
            ],
            width=0.9,
        )
    else:
        canvas.lines(
            [rng.uniform(0.05, 0.95, (2, 2)) * (width, height) for _ in range(int(rng.integers(2, 6)))],
            width=rng.uniform(0.7, 1.6),
        )
    return from_ink(canvas.ink(), look.ink if rng.random() < 0.7 else look.accents[0])


def draw_asterism(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """Stars, a paragraph sign or a small leaf between texts, no larger than a letter of the text."""
    text = ("* * *", "***", "*", "\u00b6", "\u00a7", "\u2767", "\u2766", "~", "\u2020", "-o-")[rng.integers(10)]
    return _at_middle(set_line(text, choose_font(rng, "sans"), 0.9 * height), look.ink, width, height)


def draw_credit(rng: np.random.Generator, _look: Look, width: int, height: int) -> Drawing:
    """A line of small grey sans-serif type that a library adds to its scans."""
    text = f"{make_words(rng, 14, first='title')} / {make_words(rng, 22, first='title')}"
    line = set_line(text, choose_font(rng, "sans"), 0.8 * height)
    return _at_middle(line[:, :width] * np.float32(rng.uniform(0.5, 1)), (130, 130, 130), width, height)


def draw_underlining(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """A reader's lines under or through words."""
    canvas = Canvas(width, height)
    for y in np.arange(0.5 * look.body_px, height, look.body_px * rng.uniform(1.2, 3)):
        left, right = np.sort(rng.uniform(0, width, 2))
        canvas.line(
            curve(points((left, y), (0.5 * (left + right), y + rng.normal(0, 1)), (right, y))),
            width=rng.uniform(0.6, 1.6),
        )
    colour = (look.ink, _PENCIL, look.accents[0])[rng.integers(3)]
    return from_ink(canvas.ink() * np.float32(rng.uniform(0.4, 1)), colour)


def draw_correction(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """What a writer's pen did to a text: words struck out or in a loop, a scribble, a line that leads elsewhere."""
    canvas, y = Canvas(width, height), height / 2
    kind, pen = rng.integers(4), rng.uniform(0.6, 1.8)
    if kind == 0:
        for _ in range(int(rng.integers(1, 4))):
            ends = points((0, y + rng.normal(0, 0.1) * height), (width, y + rng.normal(0, 0.1) * height))
            canvas.line(ends, width=pen)
    elif kind == 1:
        loop = ellipse(width / 2, y, 0.45 * width, 0.4 * height, end=rng.uniform(1.8, 2.2) * np.pi)
        canvas.line(loop + rng.normal(0, 0.03 * height, loop.shape), width=pen)
    elif kind == 2:
        steps = np.arange(int(rng.integers(6, 25)))
        knots = np.stack([np.linspace(0.02, 0.98, len(steps)) * width, y + (-1.0) ** steps * 0.4 * height], axis=1)
        canvas.line(curve(knots + rng.normal(0, 0.08 * height, knots.shape)), width=pen)
    else:
        canvas.line(curve(rng.uniform(0.05, 0.95, (int(rng.integers(4, 9)), 2)) * (width, height)), width=pen)
    colour = (look.ink, _PENCIL, look.accents[0])[rng.integers(3)]
    return from_ink(canvas.ink() * np.float32(rng.uniform(0.4, 1)), colour)


def draw_pilcrows(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """A column of small coloured paragraph signs or stroked initials, one to a verse."""
    sheet = frames.empty_sheet(width, height, look.ink)
    font, size = choose_font(rng, "heavy"), max(4.0, min(look.body_px, 0.9 * width))
    pair = [look.accents[rng.integers(len(look.accents))] for _ in range(2)]
    for index, y in enumerate(np.arange(0, height - size, size * rng.uniform(1.2, 4))):
        ink = np.zeros((height, width), np.float32)
        letter = "\u00b6" if rng.random() < 0.3 else make_word(rng, 1, first="upper")
        paste(ink, set_line(letter, font, size), 0, y)
        frames.ink_over(sheet, ink, pair[index % 2])
    return sheet


def draw_label(rng: np.random.Generator, _look: Look, width: int, height: int) -> Drawing:
    """A paper label with a number, a bar code or a line of writing, glued on."""
    sheet = frames.empty_sheet(width, height, (240, 238, 230) if rng.random() < 0.6 else (215, 200, 165))
    sheet.alpha[:] = 1
    canvas = Canvas(width, height)
    canvas.line(
        rectangle(1.5, 1.5, width - 1.5, height - 1.5),
        width=rng.uniform(0.5, 1.5),
        closed=True,
        value=rng.uniform(0.2, 1),
    )
    if rng.random() < 0.35:
        bars = np.cumsum(rng.integers(1, 4, max(2, width // 4)))
        canvas.fill_each(
            rectangle(x, 0.2 * height, x + 1, 0.7 * height) for x in bars[::2] + 0.1 * width if x < 0.9 * width
        )
    ink = canvas.ink()
    text = f"{make_word(rng, 3, first='upper')} {rng.integers(1, 9999)}"
    line = set_line(text, choose_font(rng, "sans"), 0.3 * height)[:, : max(1, int(0.9 * width))]
    paste(ink, line, 0.5 * (width - line.shape[1]), 0.55 * height)
    frames.ink_over(sheet, worn(rng, ink, 0.1), (40, 40, 60))
    return sheet


def _at_middle(line: Floats, colour: Colour, width: int, height: int) -> Drawing:
    sheet = np.zeros((height, width), np.float32)
    paste(sheet, line, 0.5 * (width - line.shape[1]), 0.5 * (height - line.shape[0]))
    return from_ink(sheet, colour)
