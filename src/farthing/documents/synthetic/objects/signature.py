"""Signatures: a name in a running hand with a flourish, larger and looser than the text around it."""

from __future__ import annotations

import numpy as np

from farthing.documents.synthetic.drawing import Colour, Drawing, Look, from_ink
from farthing.documents.synthetic.pens import draw_strokes, make_hand
from farthing.documents.synthetic.strokes import Canvas, Points, curve
from farthing.documents.synthetic.textures import worn

_INKS: tuple[Colour, ...] = ((30, 40, 110), (35, 55, 140), (25, 25, 30), (60, 45, 35), (90, 60, 40), (120, 40, 40))


def draw_name(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """One to three words that begin with large letters, with or without a line below."""
    return _signed(rng, look, width, height, num_words=int(rng.integers(1, 4)), num_loops=int(rng.integers(0, 3)))


def draw_scrawl(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """Initials and loops that nobody can read."""
    return _signed(rng, look, width, height, num_words=1, num_loops=int(rng.integers(2, 6)))


def _signed(
    rng: np.random.Generator, look: Look, width: int, height: int, *, num_words: int, num_loops: int
) -> Drawing:
    canvas = Canvas(width, height)
    hand = make_hand(rng, "cursive")
    x_height = height * rng.uniform(0.16, 0.3)
    strokes, advance = _words(rng, num_words, [hand.glyphs[index] for index in range(8)], hand.advances[:8])
    fit = min(1.4, 0.9 * width / (x_height * advance))
    squeezed = [stroke * (fit, 1) for stroke in strokes]
    draw_strokes(rng, canvas, squeezed, hand, x_height=x_height, origin=(0.04 * width, 0.45 * height))
    for _ in range(num_loops):
        canvas.line(_loop(rng, width, height), width=max(0.6, x_height * rng.uniform(0.05, 0.14)))
    own_ink = look.era == "typescript" or rng.random() < 0.4
    colour = _INKS[rng.integers(len(_INKS))] if own_ink else look.ink
    return from_ink(worn(rng, canvas.ink() * np.float32(rng.uniform(0.6, 1)), rng.uniform(0, 0.2)), colour)


def _words(
    rng: np.random.Generator, num_words: int, glyphs: list[tuple[Points, ...]], advances: tuple[float, ...]
) -> tuple[list[Points], float]:
    """Strokes of words with a large first letter that flatten out, in x-heights, and how far they reach."""
    strokes: list[Points] = []
    x = 0.0
    for _ in range(num_words):
        capital = rng.uniform(-1, 1, (5, 2)) * (0.8, 1.1) + (x + 0.6, 0.2)
        strokes.append(curve(capital))
        x += 1.3
        for place in range(int(rng.integers(2, 8))):
            index = int(rng.integers(len(glyphs)))
            flat = max(0.3, 1 - 0.12 * place)
            strokes += [stroke * (1.2, flat) + (x, 1 - flat) for stroke in glyphs[index]]
            x += 1.2 * advances[index]
        x += 0.6
    return strokes, x


def _loop(rng: np.random.Generator, width: int, height: int) -> Points:
    num = int(rng.integers(3, 7))
    x = np.sort(rng.uniform(0.05, 0.95, num)) * width
    if rng.random() < 0.5:
        x = rng.permutation(x)
    return curve(np.stack([x, rng.uniform(0.3, 0.97, num) * height], axis=1))
