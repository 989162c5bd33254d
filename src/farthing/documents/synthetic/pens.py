"""Handwriting without a font: a made-up alphabet per hand, and lines and signatures written with it.

A glyph is a few strokes in units of the x-height (y down, 0 on the top of small letters, 1 on the base line).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from farthing.documents.synthetic.drawing import Floats
from farthing.documents.synthetic.strokes import Canvas, Points, curve, points

Script = Literal["textura", "bastarda", "cursive"]
SCRIPTS: tuple[Script, ...] = ("textura", "bastarda", "cursive")

_NUM_GLYPHS = 22


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class Hand:
    """One writer.

    Attributes:
        glyphs: per letter, its strokes, in x-heights.
        advances: per letter, the way to the next one, in x-heights.
        nib: (x, y) of the pen's edge, in x-heights.
        slant: x per y, to the right where positive.
        gap: between words, in x-heights.
        unsteadiness: of the points, in x-heights.
    """

    glyphs: tuple[tuple[Points, ...], ...]
    advances: tuple[float, ...]
    nib: tuple[float, float]
    slant: float
    gap: float
    unsteadiness: float


def make_hand(rng: np.random.Generator, script: Script) -> Hand:
    """A writer of that script, whose letters are made up.

    Args:
        rng: draws the letters and habits.
        script: "textura" has upright broken strokes, "bastarda" rounder and slanted ones, "cursive" joins its letters.
    """
    glyphs, advances = zip(*(_glyph(rng, script) for _ in range(_NUM_GLYPHS)), strict=True)
    weight = {"textura": (0.16, 0.34), "bastarda": (0.12, 0.26), "cursive": (0.04, 0.12)}[script]
    width, angle = rng.uniform(*weight), rng.uniform(0.5, 0.9)
    return Hand(
        glyphs=glyphs,
        advances=advances,
        nib=(width * np.cos(angle), -width * np.sin(angle)),
        slant={"textura": rng.uniform(-0.03, 0.05), "bastarda": rng.uniform(0.05, 0.3)}.get(
            script, rng.uniform(0.1, 0.8)
        ),
        gap=rng.uniform(0.35, 0.9),
        unsteadiness=rng.uniform(0.01, 0.05),
    )


def write_line(rng: np.random.Generator, hand: Hand, width: int, x_height: float, *, fill: float = 1.0) -> Floats:
    """f32 [height, width] in [0, 1], a line of made-up words that fills the width; height is 3 x-heights.

    Args:
        rng: draws the words.
        hand: the writer.
        width: in page pixels.
        x_height: of small letters, in page pixels; they stand on two thirds of the height.
        fill: share of the width that is written on.
    """
    height = max(3, round(3 * x_height))
    canvas = Canvas(width, height)
    strokes: list[Points] = []
    x, margin = 0.3, 0.5
    limit = fill * width / x_height - margin
    while x < limit:
        for _ in range(int(rng.integers(1, 10))):
            letter = int(rng.integers(len(hand.glyphs)))
            if x + hand.advances[letter] > limit:
                break
            strokes += [stroke + np.array([x, 0]) for stroke in hand.glyphs[letter]]
            x += hand.advances[letter] * rng.uniform(0.92, 1.08)
        x += hand.gap * rng.uniform(0.8, 1.3)
    draw_strokes(rng, canvas, strokes, hand, x_height=x_height, origin=(0.0, height - 2 * x_height))
    return canvas.ink()


def draw_strokes(
    rng: np.random.Generator,
    canvas: Canvas,
    strokes: list[Points],
    hand: Hand,
    *,
    x_height: float,
    origin: tuple[float, float],
) -> None:
    """Draws strokes in x-heights from `origin`, slanted about the base line, with the hand's pen."""
    if not strokes:
        return
    lengths = np.cumsum([len(stroke) for stroke in strokes])[:-1]
    together = np.concatenate(strokes)
    together = together + rng.normal(0, hand.unsteadiness, together.shape)
    together[:, 0] += hand.slant * (1 - together[:, 1])
    paths = np.split(together * x_height + np.asarray(origin), lengths)
    canvas.pen(paths, nib=(hand.nib[0] * x_height, hand.nib[1] * x_height))


def _glyph(rng: np.random.Generator, script: Script) -> tuple[tuple[Points, ...], float]:
    """The strokes of one letter and its advance: one to three bodies, perhaps a limb above or below."""
    if script == "cursive":
        return _cursive_glyph(rng)
    num_minims = int(rng.choice([1, 2, 2, 2, 3]))
    step = rng.uniform(0.42, 0.62) if script == "textura" else rng.uniform(0.5, 0.75)
    strokes = [_minim(rng, index * step, script) for index in range(num_minims)]
    top = rng.uniform(-0.9, -0.5)
    if rng.random() < 0.25:
        strokes.append(points((0.0, top), (0.0, 0.5)))
    elif rng.random() < 0.12:
        strokes.append(points((0.0, 0.5), (0.0, rng.uniform(1.4, 1.8))))
    if num_minims > 1 and rng.random() < 0.7:
        y = rng.choice([0.02, 0.5, 0.98])
        strokes.append(points((0.0, y), ((num_minims - 1) * step, y + rng.uniform(-0.1, 0.1))))
    return tuple(strokes), num_minims * step + rng.uniform(0.05, 0.15)


def _minim(rng: np.random.Generator, x: float, script: Script) -> Points:
    foot = rng.uniform(0.08, 0.18)
    if script == "textura":
        return points((x - foot, 0.08), (x, 0.2), (x, 0.82), (x + foot, 0.95))
    bulge = rng.uniform(-0.25, 0.25)
    return curve(points((x, 0.05), (x + bulge, 0.5), (x + foot, 0.98)))


def _cursive_glyph(rng: np.random.Generator) -> tuple[tuple[Points, ...], float]:
    advance = rng.uniform(0.5, 1.2)
    kind = rng.random()
    top = rng.uniform(-1.2, -0.7) if kind < 0.22 else rng.uniform(-0.05, 0.2)
    bottom = rng.uniform(1.6, 2.0) if 0.22 <= kind < 0.36 else rng.uniform(0.9, 1.05)
    lean = rng.uniform(0.2, 0.6) * advance
    loop = rng.uniform(-0.15, 0.25) * advance
    way = points((0, 0.95), (lean + 0.1, 0.5), (lean, top), (lean - loop, 0.5), (lean, bottom), (advance, 0.9))
    return (curve(way),), advance
