"""Music: staves with chant, old printed notes, modern notes or letters of a tablature, and words between them."""

from __future__ import annotations

import numpy as np

from farthing.documents.synthetic.drawing import Colour, Drawing, Floats, Look, from_ink
from farthing.documents.synthetic.fonts import choose_font, make_words, paste, set_line
from farthing.documents.synthetic.objects import frames
from farthing.documents.synthetic.pens import Hand, make_hand, write_line
from farthing.documents.synthetic.strokes import Canvas, curve, ellipse, placed, points, rectangle, turned

_RED: Colour = (175, 50, 40)


def draw_chant(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """Square or lozenge neumes on three to five lines, often red, with the words below."""
    return _on_staves(rng, look, (width, height), num_lines=int(rng.choice([3, 4, 4, 4, 5])), kind="chant")


def draw_mensural(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """Lozenge notes with stems, as printed or written from the fifteenth to the seventeenth century."""
    return _on_staves(rng, look, (width, height), num_lines=5, kind="mensural")


def draw_score(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """Round notes with stems, beams and bar lines."""
    return _on_staves(rng, look, (width, height), num_lines=5, kind="score")


def draw_tablature(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """Letters on six lines, with flags above, for the lute."""
    return _on_staves(rng, look, (width, height), num_lines=6, kind="tablature")


def _on_staves(rng: np.random.Generator, look: Look, size: tuple[int, int], *, num_lines: int, kind: str) -> Drawing:
    width, height = size
    has_words = kind != "tablature" and rng.random() < 0.75
    gap = float(np.clip(look.body_px * rng.uniform(0.3, 0.55), 2.2, 9))
    system = gap * (num_lines - 1) + gap * rng.uniform(3, 5) + (1.3 * look.body_px if has_words else 0)
    num_systems = max(1, int(height / system))
    step = height / num_systems
    lines, notes = Canvas(width, height), Canvas(width, height)
    words = np.zeros((height, width), np.float32)
    hand = make_hand(rng, "textura")
    is_framed = rng.random() < 0.3
    for index in range(num_systems):
        top = index * step + min(1.8 * gap, 0.3 * step)
        staff = top + gap * np.arange(num_lines)
        lines.lines([points((1, y), (width - 1, y)) for y in staff], width=rng.uniform(0.5, 1.0))
        if is_framed:
            lines.lines([points((x, staff[0]), (x, staff[-1])) for x in (1, width - 1)], width=1.0)
        _NOTES[kind](rng, notes, width, float(staff[-1]), gap)
        if has_words:
            room = (index + 1) * step - staff[-1] - gap
            line = _words(rng, look, width, min(look.body_px, 0.8 * room), hand)
            paste(words, line, 0.02 * width, staff[-1] + gap + 0.1 * room)
    is_red = kind == "chant" and rng.random() < 0.65
    sheet = from_ink(lines.ink() * np.float32(rng.uniform(0.6, 1)), _RED if is_red else look.ink)
    frames.ink_over(sheet, np.maximum(notes.ink(), words), look.ink)
    return sheet


def _words(rng: np.random.Generator, look: Look, width: int, size: float, hand: Hand) -> Floats:
    if look.era == "manuscript":
        return write_line(rng, hand, width, max(2.0, 0.5 * size))
    return set_line(make_words(rng, int(1.7 * width / max(4.0, size))), choose_font(rng, "roman"), max(4.0, size))[
        :, : int(0.96 * width)
    ]


def _draw_neumes(rng: np.random.Generator, canvas: Canvas, width: int, low: float, gap: float) -> None:
    """Groups of square notes; `low` is the lowest line's height on the sheet."""
    half = gap * rng.uniform(0.35, 0.55)
    slanted = rng.random() < 0.3
    x, pitch = 3 * gap, 3.0
    while x < width - 2 * gap:
        for _ in range(int(rng.integers(1, 5))):
            pitch = float(np.clip(pitch + rng.integers(-2, 3), -1, 7))
            y = low - 0.5 * gap * pitch
            note = (
                points((0, -half), (half, 0), (0, half), (-half, 0)) if slanted else rectangle(-half, -half, half, half)
            )
            canvas.fill(placed(note, x, y, 1))
            if rng.random() < 0.25:
                canvas.line(points((x + half, y), (x + half, y + 2.5 * gap)), width=0.7)
            x += 2.1 * half
        x += gap * rng.uniform(0.8, 3)
    canvas.lines(
        [points((x, low - 3 * gap), (x, low)) for x in rng.uniform(5 * gap, max(6 * gap, width), 3)], width=0.8
    )


def _draw_lozenges(rng: np.random.Generator, canvas: Canvas, width: int, low: float, gap: float) -> None:
    pitch = 4.0
    head = turned(rectangle(-0.42, -0.42, 0.42, 0.42), np.pi / 4) * gap
    for x in np.arange(4 * gap, width - gap, gap * rng.uniform(1.4, 2.6)) + rng.normal(0, 0.3 * gap):
        pitch = float(np.clip(pitch + rng.integers(-2, 3), -1, 9))
        y = low - 0.5 * gap * pitch
        if rng.random() < 0.5:
            canvas.fill(placed(head, x, y, 1))
        else:
            canvas.line(placed(head, x, y, 1), width=0.8, closed=True)
        if rng.random() < 0.85:
            canvas.line(points((x, y), (x, y + (-3 if pitch < 5 else 3) * gap)), width=0.8)
    _draw_clef(canvas, low, gap)


def _draw_round(rng: np.random.Generator, canvas: Canvas, width: int, low: float, gap: float) -> None:
    pitch, last = 4.0, None
    for x in np.arange(5 * gap, width - gap, gap * rng.uniform(1.6, 3.2)):
        pitch = float(np.clip(pitch + rng.integers(-2, 3), -2, 10))
        y = low - 0.5 * gap * pitch
        head = placed(turned(ellipse(0, 0, 0.62, 0.45), -0.35), x, y, gap)
        if rng.random() < 0.2:
            canvas.line(head, width=0.8, closed=True)
        else:
            canvas.fill(head)
        tip = (x + 0.55 * gap, y - 3.2 * gap)
        canvas.line(points((x + 0.55 * gap, y), tip), width=0.7)
        if last is not None and rng.random() < 0.45:
            canvas.line(points(last, tip), width=0.5 * gap)
        last = tip
    canvas.lines(
        [points((x, low - 4 * gap), (x, low)) for x in np.linspace(0, width - 1, int(rng.integers(2, 7)))], width=0.9
    )
    _draw_clef(canvas, low, gap)


def _draw_clef(canvas: Canvas, low: float, gap: float) -> None:
    path = points(
        (0.9, 0.3), (0.3, -0.6), (1.4, -1.6), (1.9, -0.2), (0.9, 0.2), (1.2, -3), (1.7, -4.4), (1.0, -4.2), (1.4, 1)
    )
    canvas.line(placed(curve(path), 0.4 * gap, low, gap), width=0.3 * gap)


def _draw_letters(rng: np.random.Generator, canvas: Canvas, width: int, low: float, gap: float) -> None:
    size = 0.4 * gap
    for x in np.arange(2 * gap, width - gap, gap * rng.uniform(1.3, 2.4)):
        for line in rng.choice(6, int(rng.integers(1, 4)), replace=False):
            canvas.line(ellipse(x, low - gap * line, size, 1.2 * size, start=rng.uniform(0, 2), end=6), width=0.8)
        if rng.random() < 0.5:
            canvas.line(points((x, low - 8 * gap), (x, low - 6 * gap), (x + gap, low - 6.6 * gap)), width=0.8)


_NOTES = {"chant": _draw_neumes, "mensural": _draw_lozenges, "score": _draw_round, "tablature": _draw_letters}
