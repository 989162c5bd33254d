"""Tables: cells of words and figures in columns, with or without rules."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from farthing.documents.synthetic.drawing import Drawing, Floats, Look, from_ink
from farthing.documents.synthetic.fonts import choose_font, kinds_of, make_word, make_words, paste, set_line
from farthing.documents.synthetic.pens import SCRIPTS, make_hand, write_line
from farthing.documents.synthetic.strokes import Canvas, points, rectangle

Lines = npt.NDArray[np.float64]

_MAX_CELLS = 160
_DITTO = ('"', "-", "id.", "")


def draw_ruled(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """Words and figures between rules: all of them, only upright ones, or only around head and foot."""
    columns, rows = _grid(rng, look, width, height)
    ink = _cells(rng, look, columns, rows, has_head=bool(rng.random() < 0.8))
    np.maximum(ink, _rules(rng, columns, rows), out=ink)
    return from_ink(ink, look.ink)


def draw_open(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """Columns without any rule: lists with figures at the right, registers, leaders of dots."""
    columns, rows = _grid(rng, look, width, height)
    ink = _cells(rng, look, columns, rows, has_head=bool(rng.random() < 0.4))
    if rng.random() < 0.35:
        leaders = Canvas(width, height)
        for y in rows[1:]:
            leaders.lines(
                [points((x, y - 3), (x + 0.8, y - 3)) for x in np.arange(columns[0] + 0.3 * columns[1], columns[-2], 5)]
            )
        np.maximum(ink, leaders.ink(), out=ink)
    return from_ink(ink, look.ink)


def draw_form(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """A ruled sheet that is mostly empty, filled in by hand."""
    columns, rows = _grid(rng, look, width, height)
    ink = _rules(rng, columns, rows)
    hand = make_hand(rng, SCRIPTS[rng.integers(1, len(SCRIPTS))])
    for row in range(len(rows) - 1):
        if rng.random() < 0.6:
            x_height = min(0.32 * (rows[row + 1] - rows[row]), 0.6 * look.body_px)
            line = write_line(rng, hand, width, max(2.0, x_height), fill=rng.uniform(0.2, 0.95))
            gaps = [int(x) for x in columns[1:-1]]
            for x in gaps:
                line[:, max(0, x - 3) : x + 3] = 0
            paste(ink, line, 3, rows[row + 1] - line.shape[0] + 0.5 * x_height)
    return from_ink(ink, look.ink)


def draw_numbers(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """Figures close together, as in tables of logarithms or of the moon."""
    size = max(5.0, 0.75 * look.body_px)
    rows = np.linspace(1, height - 2, max(3, int(height / (1.25 * size))) + 1)
    columns = np.linspace(1, width - 2, max(2, int(width / (size * rng.uniform(2.5, 5)))) + 1)
    font, digits = choose_font(rng, "roman"), int(rng.integers(2, 7))
    ink = np.zeros((height, width), np.float32)
    strips = [set_line("".join(rng.choice(list("0123456789"), digits)), font, size) for _ in range(12)]
    for y in rows[:-1]:
        for right in columns[1:]:
            strip = strips[rng.integers(len(strips))]
            paste(ink, strip, right - strip.shape[1] - 2, y + 2)
    np.maximum(ink, _rules(rng, columns, rows), out=ink)
    return from_ink(ink, look.ink)


def _grid(rng: np.random.Generator, look: Look, width: int, height: int) -> tuple[Lines, Lines]:
    """Edges of columns (uneven) and rows (even), in pixels."""
    step = max(6.0, look.body_px * rng.uniform(1.1, 2.4))
    num_rows = max(3, min(60, int(height / step)))
    num_columns = max(2, min(int(rng.integers(2, 9)), int(width / (3 * look.body_px)), _MAX_CELLS // num_rows))
    shares = rng.uniform(0.4, 1.6, num_columns)
    if rng.random() < 0.5:
        shares[rng.integers(num_columns)] += rng.uniform(1, 3)
    columns = np.concatenate([[0], np.cumsum(shares) / shares.sum()]) * (width - 3) + 1
    return columns, np.linspace(1, height - 2, num_rows + 1)


def _cells(rng: np.random.Generator, look: Look, columns: Lines, rows: Lines, *, has_head: bool) -> Floats:
    """f32 [height, width]: what stands in the cells, one kind to a column."""
    ink = np.zeros((round(rows[-1]) + 2, round(columns[-1]) + 2), np.float32)
    kinds = kinds_of(look.era)
    font = choose_font(rng, kinds[rng.integers(len(kinds))])
    size = min(look.body_px, 0.9 * float(rows[1] - rows[0]))
    for column in range(len(columns) - 1):
        left, right = columns[column] + 3, columns[column + 1] - 3
        is_number, fill = rng.random() < 0.5, rng.uniform(0.5, 1)
        for row in range(len(rows) - 1):
            is_head = has_head and row == 0
            if not is_head and rng.random() > fill:
                continue
            text = (
                make_word(rng, int(rng.integers(3, 9)), first="title")
                if is_head
                else _entry(rng, is_number=is_number, room=(right - left) / size * 1.8)
            )
            _put(ink, text, font, size, (left, rows[row], right, rows[row + 1]), at_right=is_number)
    return ink


def _put(
    ink: Floats, text: str, font: Path, size: float, box: tuple[float, float, float, float], *, at_right: bool
) -> None:
    """Sets a line in the box (x0, y0, x1, y1), cut to its width, in place."""
    x0, y0, x1, y1 = box
    line = set_line(text, font, size)[:, : max(1, int(x1 - x0))]
    x = x1 - line.shape[1] if at_right else x0
    paste(ink, line, x, 0.5 * (y0 + y1) - 0.5 * line.shape[0])


def _entry(rng: np.random.Generator, *, is_number: bool, room: float) -> str:
    draw = rng.random()
    if draw < 0.1:
        return _DITTO[rng.integers(len(_DITTO))]
    if is_number:
        return str(int(10 ** rng.uniform(0, min(6, max(1, room - 1)))))
    return make_words(rng, int(max(2, room * rng.uniform(0.4, 1))), first="title" if draw < 0.5 else "lower")


def _rules(rng: np.random.Generator, columns: Lines, rows: Lines) -> Floats:
    """f32 [height, width]: some of upright rules, level rules, the frame and the line below the head."""
    width, height = round(columns[-1]) + 2, round(rows[-1]) + 2
    canvas = Canvas(width, height)
    line, left, top, right, bottom = rng.uniform(0.5, 1.3), columns[0], rows[0], columns[-1], rows[-1]
    has_upright, has_level = rng.random() < 0.85, rng.random() < 0.5
    if has_upright:
        canvas.lines([points((x, top), (x, bottom)) for x in columns[1:-1]], width=line)
    if has_level:
        canvas.lines([points((left, y), (right, y)) for y in rows[1:-1]], width=line)
    if rng.random() < 0.75:
        canvas.line(rectangle(left, top, right, bottom), width=line * rng.uniform(1, 2), closed=True)
    if rng.random() < 0.8 or not (has_upright or has_level):
        levels = (rows[0], rows[1], rows[-1])
        canvas.lines([points((left, y), (right, y)) for y in levels], width=line * rng.uniform(1, 2))
    return canvas.ink()
