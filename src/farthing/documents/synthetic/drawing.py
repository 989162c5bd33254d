"""What the drawing of one object is, what it is told about its page, and what a page must know to place it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Colour = tuple[int, int, int]
Floats = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]
Era = Literal["manuscript", "print", "typescript"]
Placement = Literal["block", "inline_initial", "margin", "overlay", "full_page", "foot"]

# Fainter than this, a mark is lost in the paper and no person would draw a box around it.
VISIBLE_ALPHA = 0.15


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """What the objects of one page have in common.

    Attributes:
        paper: RGB of the bare page.
        ink: RGB of the text.
        accents: one RGB or more of rubrics, paints and inks of stamps.
        era: how the text was made.
        is_bitonal: the page will be thresholded, so that what is drawn should not live on faint greys.
        body_px: size of the text, ascender to descender, in page pixels.
    """

    paper: Colour
    ink: Colour
    accents: tuple[Colour, ...]
    era: Era
    is_bitonal: bool
    body_px: float


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class Drawing:
    """An object, ready to be laid over a page: page * (1 - alpha) + color * alpha.

    Attributes:
        color: u8 [height, width, 3] RGB.
        alpha: f32 [height, width] in [0, 1]; its visible part is the object's box.
    """

    color: Pixels
    alpha: Floats

    def bounds(self) -> tuple[int, int, int, int] | None:
        """The box (x0, y0, x1, y1) of what can be seen, x1 and y1 exclusive; None where nothing can."""
        visible = self.alpha > VISIBLE_ALPHA
        columns, rows = np.flatnonzero(visible.any(axis=0)), np.flatnonzero(visible.any(axis=1))
        if not columns.size:
            return None
        return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


Draw = Callable[[np.random.Generator, Look, int, int], Drawing]
SampleSize = Callable[[np.random.Generator, int, int, int], tuple[int, int]]


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectClass:
    """One way in which objects of a class come on pages; a class may have several.

    Attributes:
        name: the class, one of `farthing.documents.classes.CLASSES`, or the name of a distractor.
        draw: (generator, look, width, height) -> the drawing, f32 alpha [height, width]; the same generator state
            gives the same drawing. Width and height are in page pixels, at least 4.
        sample_size: (generator, page width, page height, column width) -> (width, height), all in page pixels.
        placement: where it goes: in place of text ("block"), at the start of a paragraph with text flowing around it
            ("inline_initial"), beside the text ("margin"), over whatever is there ("overlay"), instead of all text
            ("full_page"), or below the last line ("foot").
        eras: on which pages it is found.
        weight: how often, relative to the others of the same name.
    """

    name: str
    draw: Draw
    sample_size: SampleSize
    placement: Placement
    eras: tuple[Era, ...] = ("manuscript", "print", "typescript")
    weight: float = 1.0


def from_ink(ink: Floats, colour: Colour) -> Drawing:
    """A drawing in one colour.

    Args:
        ink: f32 [height, width], how much of the paper is covered; clipped to [0, 1].
        colour: of the ink.
    """
    color = np.empty((*ink.shape, 3), np.uint8)
    color[:] = colour
    return Drawing(color=color, alpha=clipped(ink))


def clipped(field: Floats) -> Floats:
    """The field with what is below 0 and above 1 set to them."""
    limited: Floats = np.clip(field, 0, 1)
    return limited
