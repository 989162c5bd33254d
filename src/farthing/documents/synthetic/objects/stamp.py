"""Stamps of libraries, archives and offices: an outline, words, perhaps a device, in unevenly taken coloured ink."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from farthing.documents.synthetic.drawing import Colour, Drawing, Floats, Look, from_ink
from farthing.documents.synthetic.fonts import choose_font, make_word, make_words, paste, set_line
from farthing.documents.synthetic.objects.emblems import draw_arms
from farthing.documents.synthetic.objects.people import draw_bird
from farthing.documents.synthetic.objects.scene import Scene
from farthing.documents.synthetic.strokes import Canvas, ellipse, points, rectangle
from farthing.documents.synthetic.textures import blur, grain, smooth_noise

_INKS: tuple[Colour, ...] = (
    (175, 35, 40),
    (200, 60, 50),
    (40, 55, 140),
    (70, 50, 130),
    (30, 30, 35),
    (40, 110, 80),
    (90, 90, 95),
)
_MIN_RING_TEXT = 22  # pixels across below which letters on a ring are drawn as dashes


def draw_round(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """One to three rings or ovals with words between them and a device, a word or a date inside."""
    canvas = Canvas(width, height)
    x, y = width / 2, height / 2
    line = max(0.7, min(width, height) * rng.uniform(0.012, 0.035))
    reach = 1 - line / min(width, height)
    inner = rng.uniform(0.5, 0.72)
    if rng.random() < 0.9:
        canvas.line(ellipse(x, y, x * reach, y * reach), width=line * rng.uniform(0.8, 1.8))
    if rng.random() < 0.4:
        canvas.line(ellipse(x, y, x * reach * 0.92, y * reach * 0.92), width=0.6 * line)
    if rng.random() < 0.65:
        canvas.line(ellipse(x, y, x * inner, y * inner), width=line)
    if rng.random() < 0.12:
        canvas.fill(ellipse(x, y, x * inner, y * inner), value=rng.uniform(0.4, 1))
    ink = canvas.ink()
    ring = 0.5 * (inner + 0.9 * reach)
    _set_on_ring(rng, ink, ring, letter=(0.82 * reach - inner) * 0.5 * min(width, height))
    np.maximum(ink, _device(rng, width, height, 0.85 * inner), out=ink)
    return _pressed(rng, look, ink)


def draw_box(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """A straight-sided one: one to four lines of words or a date, framed or not, slightly turned."""
    ink = np.zeros((height, width), np.float32)
    canvas = Canvas(width, height)
    inset = 0.05 * min(width, height) + 1
    if rng.random() < 0.75:
        for shrink in (1.0, 2.2)[: int(rng.integers(1, 3))]:
            side = inset * shrink
            canvas.line(rectangle(side, side, width - side, height - side), width=rng.uniform(0.6, 2), closed=True)
    num = int(rng.integers(1, 5)) if height > 22 else int(rng.integers(1, 3))
    high = (height - 5 * inset) / num
    font = choose_font(rng, ("sans", "heavy", "roman", "typewriter")[rng.integers(4)])
    for index in range(num):
        text = make_words(rng, int(rng.integers(4, 18)), first="upper") if rng.random() < 0.6 else _date(rng)
        _set_within(
            ink,
            text,
            font,
            (2.5 * inset, 2.5 * inset + index * high, width - 2.5 * inset, 2.5 * inset + (index + 0.85) * high),
        )
    np.maximum(ink, canvas.ink(), out=ink)
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), rng.normal(0, 3), 0.93)
    turned_ink = cv2.warpAffine(ink, turn, (width, height), flags=cv2.INTER_LINEAR).astype(np.float32, copy=False)
    return _pressed(rng, look, turned_ink)


def draw_shield(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
    """A device without a ring: crowned letters, arms, an eagle, a lozenge, with a word below."""
    ink = _device(rng, width, round(0.8 * height), 0.95)
    ink = np.concatenate([ink, np.zeros((height - len(ink), width), np.float32)])
    canvas = Canvas(width, height)
    if rng.random() < 0.6:
        canvas.line(
            points((width / 2, 1), (width - 1, height / 2), (width / 2, height - 1), (1, height / 2)),
            width=1.2,
            closed=True,
        )
    np.maximum(ink, canvas.ink(), out=ink)
    _set_within(
        ink,
        make_word(rng, int(rng.integers(3, 9)), first="upper"),
        choose_font(rng, "heavy"),
        (0.1 * width, 0.82 * height, 0.9 * width, height - 1),
    )
    return _pressed(rng, look, ink)


def _pressed(rng: np.random.Generator, look: Look, ink: Floats) -> Drawing:
    """The ink as it came off: more on one side, specks, a soft edge, one of the usual colours."""
    height, width = ink.shape
    side = min(width, height)
    took = smooth_noise(rng, width, height, max(6.0, rng.uniform(0.3, 0.9) * side))
    took = np.clip(took * np.float32(rng.uniform(1.2, 3)) + np.float32(rng.uniform(-0.3, 0.6)), 0.12, 1)
    took *= 1 - np.float32(rng.uniform(0, 0.5)) * grain(rng, width, height)
    strength = rng.uniform(0.7, 1) if look.is_bitonal else rng.uniform(0.2, 0.95)
    colour = _INKS[rng.integers(len(_INKS))]
    smeared = blur(ink, rng.uniform(0, 0.7)) * took.astype(np.float32, copy=False) * np.float32(strength)
    return from_ink(smeared * np.float32(max(1.0, 0.25 / max(0.05, float(smeared.max())))), colour)


def _set_on_ring(rng: np.random.Generator, ink: Floats, ring: float, *, letter: float) -> None:
    """Adds words along an oval at the share `ring` of the sheet, letters `letter` pixels high, in place."""
    height, width = ink.shape
    x, y = width / 2, height / 2
    if letter < 3 or min(width, height) < _MIN_RING_TEXT:
        canvas = Canvas(width, height)
        for start in np.arange(0, 2 * np.pi, 0.35):
            arc = ellipse(x, y, x * ring, y * ring, start=start, end=start + rng.uniform(0.1, 0.3))
            canvas.line(arc, width=max(0.6, letter), value=0.6)
        np.maximum(ink, canvas.ink(), out=ink)
        return
    strip = set_line(
        make_words(rng, 60, first="upper"), choose_font(rng, "heavy" if rng.random() < 0.5 else "sans"), letter * 1.3
    )
    length = int(np.pi * ring * (width + height) / 2 * rng.uniform(0.75, 0.97))
    strip = cv2.resize(strip[:, :length], (min(length, strip.shape[1]), max(3, round(letter)))).astype(
        np.float32, copy=False
    )
    rows, columns = np.arange(height, dtype=np.float32)[:, None] + 0.5, np.arange(width, dtype=np.float32)[None] + 0.5
    u, v = (columns - x) / np.float32(x), (rows - y) / np.float32(y)
    along = (np.arctan2(v, u) / np.float32(2 * np.pi) + np.float32(rng.random() + 1)) % 1 * length
    across = (ring - np.sqrt(u * u + v * v)) * 0.5 * min(width, height) + len(strip) / 2
    warped = cv2.remap(strip, along.astype(np.float32), across.astype(np.float32), cv2.INTER_LINEAR, borderValue=0)
    np.maximum(ink, warped.astype(np.float32, copy=False), out=ink)


def _device(rng: np.random.Generator, width: int, height: int, share: float) -> Floats:
    """f32 [height, width]: what stands in the middle, within `share` of the sheet."""
    kind = rng.integers(6)
    size = share * min(width, height)
    if kind < 2:
        scene = Scene(rng, width, height)
        scene.line_width = max(0.6, 0.015 * size)
        (draw_arms if kind else draw_bird)(scene, width / 2, height / 2 + 0.45 * size, 0.9 * size)
        drawn: Floats = np.maximum(scene.outlines.ink(), np.float32(0.6) * scene.tones())
        return drawn
    ink = np.zeros((height, width), np.float32)
    if kind == 5:
        return ink
    font = choose_font(rng, "heavy" if rng.random() < 0.6 else "sans")
    texts = {
        2: [make_word(rng, 2, first="upper")],
        3: [_date(rng)],
        4: [make_word(rng, 4, first="upper"), _date(rng), make_word(rng, 5, first="upper")],
    }[int(kind)]
    high = 0.7 * size / max(2, len(texts))
    for index, text in enumerate(texts):
        y = height / 2 + (index - 0.5 * len(texts)) * high
        _set_within(ink, text, font, (width / 2 - 0.42 * size, y, width / 2 + 0.42 * size, y + 0.85 * high))
    return ink


def _set_within(ink: Floats, text: str, font: Path, box: tuple[float, float, float, float]) -> None:
    """Adds a line of type as large as the box (x0, y0, x1, y1) takes, in its middle, in place."""
    x0, y0, x1, y1 = box
    line = set_line(text, font, max(4.0, 1.2 * (y1 - y0)))
    scale = min((x1 - x0) / line.shape[1], (y1 - y0) / line.shape[0])
    if scale <= 0:
        return
    size = max(1, round(line.shape[1] * scale)), max(1, round(line.shape[0] * scale))
    small = cv2.resize(line, size, interpolation=cv2.INTER_AREA).astype(np.float32, copy=False)
    paste(ink, small, 0.5 * (x0 + x1 - size[0]), 0.5 * (y0 + y1 - size[1]))


def _date(rng: np.random.Generator) -> str:
    kind = rng.integers(3)
    year = int(rng.integers(1790, 1995))
    if kind == 0:
        return str(year)
    if kind == 1:
        return f"{rng.integers(1, 31)} {make_word(rng, 3, first='upper')} {year}"
    return f"No {rng.integers(1, 99999)}"
