"""Text, fast: long strips of words in one face or hand, made once, from which pages cut their lines.

At the size of a synthetic page a line is 4 to 20 pixels high and nobody can read it: what counts is its rhythm, its
weight and its greys. A strip is made of its key alone, so a page is the same whichever pages were made before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal
from zlib import crc32

import cv2
import numpy as np
import numpy.typing as npt

from farthing.documents.synthetic.drawing import Pixels
from farthing.documents.synthetic.fonts import find_fonts, make_word, set_line
from farthing.documents.synthetic.pens import SCRIPTS, Script, make_hand, write_line

Words = Literal["prose", "capitals", "numbers"]

NUM_HANDS = 10  # made-up writers per script
_NUM_LETTERS = {"prose": 650, "capitals": 260, "numbers": 120}
_TYPE_PX = {"prose": 24.0, "capitals": 36.0, "numbers": 24.0}
_X_HEIGHT_PX = 9.0
# A hand's line is three x-heights high, a font's about two and a bit: at one text size both show equal small letters.
X_HEIGHT = 0.48  # of small letters, of a font's ascender to descender; hands are scaled to much the same
_HAND_HEIGHT = 1.6
_FAINT = 40  # of 255, the ink of a stroke's edge


@dataclass(frozen=True, kw_only=True, slots=True)
class Face:
    """A font or a hand.

    Attributes:
        kind: "roman", "italic", "heavy", "typewriter", "sans"; or "textura", "bastarda", "cursive".
        index: which one of that kind; larger numbers begin again.
    """

    kind: str
    index: int

    @property
    def is_hand(self) -> bool:
        """Whether it is written with a pen."""
        return self.kind in SCRIPTS


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class Strip:
    """One endless line.

    Attributes:
        ink: u8 [height, length], 255 full ink.
        starts: i64 [words], first column of each word, ascending.
        ends: i64 [words], the column after each.
    """

    ink: Pixels
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]


@lru_cache(maxsize=192)
def full_strip(face: Face, words: Words) -> Strip:
    """The strip of a face at the size that it is made in.

    Args:
        face: font or hand.
        words: "prose" is mixed, "capitals" upper case (for a hand: larger), "numbers" digits.
    """
    seed = [crc32(f"{face.kind} {words}".encode()), face.index]
    rng = np.random.default_rng(seed)
    if face.is_hand:
        hand = make_hand(np.random.default_rng([crc32(face.kind.encode()), face.index % NUM_HANDS]), _script(face))
        ink = write_line(rng, hand, round(_NUM_LETTERS[words] * 0.75 * _X_HEIGHT_PX), _X_HEIGHT_PX)
        # Slanted limbs reach over the gaps between words: only the middle third, of small letters, tells them apart.
        band, gap = slice(ink.shape[0] // 3, 2 * ink.shape[0] // 3), 0.25 * _X_HEIGHT_PX
    else:
        fonts = find_fonts()[face.kind]
        ink = set_line(_wording(rng, words), fonts[face.index % len(fonts)], _TYPE_PX[words])
        band, gap = slice(None), 0.14 * _TYPE_PX[words]
    return _cut(np.asarray(np.round(ink * 255), np.uint8), band, gap)


def scaled_strip(face: Face, words: Words, size: float, *, stretch: float = 1.0, weight: float = 0.0) -> Strip:
    """The strip at the size that a page wants.

    Args:
        face: font or hand.
        words: what it says.
        size: ascender to descender, in page pixels.
        stretch: width of the letters against the face's.
        weight: above 0 ink spreads, below 0 it is starved; 1 is a lot.
    """
    full = full_strip(face, words)
    height = max(3, round(size * (_HAND_HEIGHT if face.is_hand else 1.0)))
    scale = height / full.ink.shape[0] * stretch
    width = max(8, round(full.ink.shape[1] * scale))
    ink = np.asarray(cv2.resize(full.ink, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    if weight:
        ink = np.asarray(cv2.LUT(ink, _weighing(weight)), np.uint8)
    scale = width / full.ink.shape[1]
    starts, ends = np.floor(full.starts * scale), np.ceil(full.ends * scale)
    return Strip(ink=ink, starts=starts.astype(np.int64), ends=np.minimum(ends, width).astype(np.int64))


def cut_line(rng: np.random.Generator, strip: Strip, width: float, *, breaks: bool = False) -> Pixels:
    """u8 [height, at most width]: some words in a row, as many as fit, at least a part of one.

    Args:
        rng: draws where the strip is cut.
        strip: the words.
        width: of the line, in pixels.
        breaks: whether the last word may be broken, so that the line is exactly as wide.
    """
    room = max(2, int(width))
    last = int(np.searchsorted(strip.starts, max(0, strip.ink.shape[1] - room), side="right"))
    first = int(rng.integers(max(1, last)))
    start = int(strip.starts[first])
    if breaks:
        return strip.ink[:, start : start + room]
    end = int(np.searchsorted(strip.ends, start + room, side="right"))
    stop = int(strip.ends[end - 1]) if end > first else start + room
    return strip.ink[:, start:stop]


def _script(face: Face) -> Script:
    return SCRIPTS[SCRIPTS.index(face.kind)]


def _wording(rng: np.random.Generator, words: Words) -> str:
    if words == "numbers":
        return " ".join(str(int(10 ** rng.uniform(0, 3.7))) for _ in range(_NUM_LETTERS[words] // 3))
    parts: list[str] = []
    left, begins = _NUM_LETTERS[words], True
    while left > 0:
        length = int(rng.choice([1, 2, 2, 3, 3, 4, 5, 6, 7, 8, 10]))
        first = "upper" if words == "capitals" else "title" if begins or rng.random() < 0.06 else "lower"
        begins = rng.random() < 0.07
        comma = "," if rng.random() < 0.1 else ""
        parts.append(make_word(rng, length, first=first) + ("." if begins else comma))
        left -= length + 1
    return " ".join(parts)


def _cut(ink: Pixels, band: slice, gap: float) -> Strip:
    """Finds the words: runs of columns with ink in a band of rows, less than `gap` columns without any between them."""
    columns = np.flatnonzero(ink[band].max(axis=0) > _FAINT)
    breaks = np.flatnonzero(np.diff(columns) > gap)
    starts = np.concatenate([columns[:1], columns[breaks + 1]])
    ends = np.concatenate([columns[breaks], columns[-1:]]) + 1
    return Strip(ink=ink, starts=starts.astype(np.int64), ends=ends.astype(np.int64))


@lru_cache(maxsize=64)
def _weighing(weight: float) -> Pixels:
    """u8 [256]: how grey changes; thin strokes live on their greys once a page is small."""
    grey = np.arange(256) / 255
    return np.asarray(np.round(255 * grey ** (2.0**-weight)), np.uint8)
