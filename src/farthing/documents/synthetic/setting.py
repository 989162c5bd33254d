"""Sets lines of text on a page."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from farthing.documents.synthetic.drawing import Pixels
from farthing.documents.synthetic.layers import Layers, Rect, stamp_ink
from farthing.documents.synthetic.lines import Line
from farthing.documents.synthetic.strips import Face, Strip, Words, cut_line, scaled_strip
from farthing.documents.synthetic.style import PageStyle

_SIZES_PER_OCTAVE = 6


class Typesetter:
    """Puts lines into the layers of one page; keeps the strips in the sizes that the page uses."""

    def __init__(self, rng: np.random.Generator, style: PageStyle, layers: Layers) -> None:
        """A typesetter.

        Args:
            rng: draws the words.
            style: of the page.
            layers: of the page.
        """
        self._rng, self._style, self._layers = rng, style, layers
        self._strips: dict[tuple[Face, Words, float], Strip] = {}

    def set_line(self, line: Line, area: Rect, y: float, *, inset: float = 0.0, strength: float = 1.0) -> None:
        """Sets one line.

        Args:
            line: what.
            area: the column.
            y: upper side of the line.
            inset: pixels at the left side that something else takes.
            strength: of the ink against the page's.
        """
        start, end = area.x0 + max(line.start * area.width, inset), area.x0 + line.end * area.width
        if end - start < 3:
            return
        strip = self._strip(self._face(line), line.words, line.size * self._style.look.body_px)
        if line.lead:
            start = self._set_lead(line, start, y)
        ink = cut_line(self._rng, strip, end - start, breaks=line.align == "justify")
        room = end - start - ink.shape[1]
        x = start + {"left": 0.0, "justify": 0.0, "centre": 0.5, "right": 1.0}[line.align] * room
        self._put(ink, x, y, is_rubric=line.is_rubric, strength=strength)
        if line.leader:
            self._set_leader(line, area, y)

    def _set_lead(self, line: Line, x: float, y: float) -> float:
        """Sets a capital apart from its word, as verse was written; returns where the rest begins."""
        size = self._style.look.body_px
        letter = cut_line(self._rng, self._strip(self._style.face, "capitals", size), 0.75 * size, breaks=True)
        self._put(letter, x, y, is_rubric=line.is_lead_rubric, strength=1.0)
        return x + line.lead * size

    def _set_leader(self, line: Line, area: Rect, y: float) -> None:
        strip = self._strip(self._style.face, "numbers", self._style.look.body_px)
        figure = cut_line(self._rng, strip, line.leader * area.width)
        self._put(figure, area.x1 - figure.shape[1], y, is_rubric=False, strength=1.0)

    def _put(self, ink: Pixels, x: float, y: float, *, is_rubric: bool, strength: float) -> None:
        layer = self._layers.accent if is_rubric else self._layers.ink
        drift = self._style.unsteadiness * self._style.pitch
        pieces = 1 if drift < 0.35 else max(1, ink.shape[1] // max(24, ink.shape[0] * 8))
        edges = np.linspace(0, ink.shape[1], pieces + 1).astype(int)
        for start, end in pairwise(edges.tolist()):
            y += drift * self._rng.normal() if drift else 0.0
            stamp_ink(layer, ink[:, start:end], x + start, y, strength=strength)

    def _face(self, line: Line) -> Face:
        return self._style.heading_face if line.is_heading else self._style.face

    def _strip(self, face: Face, words: Words, size: float) -> Strip:
        step = 2.0 ** (round(np.log2(size / self._style.look.body_px) * _SIZES_PER_OCTAVE) / _SIZES_PER_OCTAVE)
        key = face, words, step
        if key not in self._strips:
            size = step * self._style.look.body_px
            if face.is_hand and words == "capitals":
                size *= 1.3
            weight = self._style.weight * 0.8
            self._strips[key] = scaled_strip(face, words, size, stretch=self._style.stretch, weight=weight)
        return self._strips[key]
