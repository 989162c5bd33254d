"""Distractors of type: titles and headings, which a detector takes for ornament."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from farthing.documents.synthetic.drawing import Colour, Drawing, Floats, Look, from_ink
from farthing.documents.synthetic.fonts import choose_font, kinds_of, make_word, make_words, paste, set_line
from farthing.documents.synthetic.objects import frames
from farthing.documents.synthetic.objects.furniture import draw_rule
from farthing.documents.synthetic.pens import SCRIPTS, make_hand, write_line
from farthing.documents.synthetic.textures import blur, worn

_MIN_TYPE = 4.0


def draw_heading(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """One line of large type in the middle, capitals or not, spaced or not."""
    kinds = (*kinds_of(look.era), "heavy")
    line = _large_line(rng, choose_font(rng, kinds[rng.integers(len(kinds))]), width, height)
    sheet = np.zeros((height, width), np.float32)
    paste(sheet, line, 0.5 * (width - line.shape[1]), 0.5 * (height - line.shape[0]))
    return from_ink(worn(rng, sheet, rng.uniform(0, 0.25)), _ink(rng, look, red=0.12))


def draw_title_page(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """Many centred lines of changing sizes, some of them red, with rules between: a title page without a picture."""
    sheet = frames.empty_sheet(width, height, look.ink)
    black, red = np.zeros((height, width), np.float32), np.zeros((height, width), np.float32)
    has_red = rng.random() < 0.3
    fonts = [choose_font(rng, kind) for kind in ("roman", "italic", "heavy", "roman")]
    y = height * rng.uniform(0, 0.06)
    while y < height - 2 * _MIN_TYPE:
        size = height * np.exp(rng.uniform(np.log(0.02), np.log(0.11)))
        line = _large_line(rng, fonts[rng.integers(len(fonts))], width, max(_MIN_TYPE, size))
        if y + line.shape[0] > height:
            break
        paste(red if has_red and rng.random() < 0.4 else black, line, 0.5 * (width - line.shape[1]), y)
        y += line.shape[0] * rng.uniform(1.2, 2.6)
        if rng.random() < 0.1:
            y += height * rng.uniform(0.03, 0.2)
        elif rng.random() < 0.08:
            rule = draw_rule(rng, look, width, max(4, int(0.012 * height))).alpha
            paste(black, rule, 0, y)
            y += 2.5 * rule.shape[0]
    frames.ink_over(sheet, black, look.ink)
    frames.ink_over(sheet, red, (175, 45, 40))
    return sheet


def draw_penned_heading(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """A line of large broken or round letters of a scribe, black, red or in turns red and blue."""
    hand = make_hand(rng, SCRIPTS[rng.integers(2)])
    line = write_line(rng, hand, width, height / 3, fill=rng.uniform(0.3, 1))
    line = np.pad(line, ((0, max(0, height - line.shape[0])), (0, 0)))[:height]
    sheet = from_ink(line, _ink(rng, look, red=0.5))
    if rng.random() < 0.25:
        step = max(3, round(0.8 * height))
        for x in range(0, width, 2 * step):
            sheet.color[:, x : x + step] = look.accents[rng.integers(len(look.accents))]
    return sheet


def draw_capitals(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """Widely spaced capitals or figures a little larger than the text, as of running titles and acts."""
    word = " ".join(make_word(rng, int(rng.integers(3, 10)), first="upper"))
    if rng.random() < 0.3:
        word = "".join(rng.choice(list("MDCLXVI"), int(rng.integers(3, 9))))
    line = _fitted(set_line(word, choose_font(rng, kinds_of(look.era)[0]), max(_MIN_TYPE, height)), width, height)
    sheet = np.zeros((height, width), np.float32)
    paste(sheet, line, rng.choice([0.0, 0.5, 0.5]) * (width - line.shape[1]), 0)
    return from_ink(sheet, _ink(rng, look, red=0.1))


def draw_newspaper_head(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """Fat or outlined letters in one to three lines: advertisements, posters, mastheads."""
    sheet = np.zeros((height, width), np.float32)
    num = int(rng.integers(1, 4))
    for index in range(num):
        font = choose_font(rng, "heavy" if rng.random() < 0.6 else "sans")
        line = _large_line(rng, font, width, 0.85 * height / num)
        if rng.random() < 0.25 and line.shape[0] > 16:
            line = np.abs(line - blur(line, 1.2)) * 2
        paste(sheet, line, 0.5 * (width - line.shape[1]), index * height / num)
    return from_ink(worn(rng, sheet, rng.uniform(0, 0.3)), look.ink)


def _large_line(rng: np.random.Generator, font: Path, width: int, height: float) -> Floats:
    """f32 [h, w], words at most that wide and about that high, stretched as founts of display type are."""
    first = ("lower", "title", "upper", "upper")[rng.integers(4)]
    text = make_words(rng, int(rng.integers(3, max(4, int(1.4 * width / height)))), first=first)
    if first == "upper" and rng.random() < 0.35:
        text = " ".join(text)
    return _fitted(set_line(text, font, max(_MIN_TYPE, height), stretch=rng.uniform(0.75, 1.3)), width, height)


def _fitted(line: Floats, width: int, height: float) -> Floats:
    """The line scaled down where it is wider or higher than that."""
    scale = min(width / line.shape[1], height / line.shape[0], 1.0)
    size = max(1, int(line.shape[1] * scale)), max(1, int(line.shape[0] * scale))
    return cv2.resize(line, size, interpolation=cv2.INTER_AREA).astype(np.float32, copy=False)


def _ink(rng: np.random.Generator, look: Look, *, red: float) -> Colour:
    return look.accents[0] if rng.random() < red else look.ink
