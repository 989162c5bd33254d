"""A page while it is filled: layers of ink in page pixels, and the objects laid on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from farthing.documents.synthetic.drawing import Drawing, Pixels


class Rect(NamedTuple):
    """A place on the page in pixels, x1 and y1 exclusive."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def width(self) -> float:
        """In pixels; negative where the sides are swapped."""
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        """In pixels."""
        return self.y1 - self.y0

    def overlaps(self, other: Rect, *, gap: float = 0.0) -> bool:
        """Whether the two share a pixel, or come nearer than `gap` to each other."""
        return (
            self.x0 < other.x1 + gap
            and other.x0 < self.x1 + gap
            and self.y0 < other.y1 + gap
            and other.y0 < self.y1 + gap
        )


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class Placed:
    """A drawing on the page.

    Attributes:
        drawing: what it looks like.
        x: left side.
        y: upper side.
        name: its class; None for a distractor.
    """

    drawing: Drawing
    x: int
    y: int
    name: str | None

    @property
    def rect(self) -> Rect:
        """Where the whole drawing lies."""
        height, width = self.drawing.alpha.shape
        return Rect(self.x, self.y, self.x + width, self.y + height)


@dataclass(eq=False, kw_only=True, slots=True)
class Layers:
    """What is on the page.

    Attributes:
        ink: u8 [height, width], how much of the text's ink covers the paper.
        accent: u8 [height, width], the same of the second colour: rubrics, red type.
        objects: in the order in which they cover each other.
    """

    ink: Pixels
    accent: Pixels
    objects: list[Placed] = field(default_factory=list)

    @staticmethod
    def blank(width: int, height: int) -> Layers:
        """Nothing yet."""
        return Layers(ink=np.zeros((height, width), np.uint8), accent=np.zeros((height, width), np.uint8))

    @property
    def width(self) -> int:
        """In pixels."""
        return int(self.ink.shape[1])

    @property
    def height(self) -> int:
        """In pixels."""
        return int(self.ink.shape[0])

    def is_free(self, rect: Rect, *, gap: float = 0.0) -> bool:
        """Whether no object is there."""
        return not any(rect.overlaps(placed.rect, gap=gap) for placed in self.objects)

    def put(self, drawing: Drawing, x: float, y: float, name: str | None) -> None:
        """Lays a drawing on the page; what hangs over the edge is lost later."""
        self.objects.append(Placed(drawing=drawing, x=round(x), y=round(y), name=name))


def stamp_ink(plane: Pixels, ink: Pixels, x: float, y: float, *, strength: float = 1.0) -> None:
    """Adds ink to a layer, in place, the darker of the two winning; what falls outside is lost.

    Args:
        plane: u8 [height, width].
        ink: u8 [h, w].
        x: left side on the layer.
        y: upper side.
        strength: of the ink, in (0, 1].
    """
    x0, y0 = round(x), round(y)
    left, top = max(0, -x0), max(0, -y0)
    right, bottom = min(ink.shape[1], plane.shape[1] - x0), min(ink.shape[0], plane.shape[0] - y0)
    if right <= left or bottom <= top:
        return
    window = plane[y0 + top : y0 + bottom, x0 + left : x0 + right]
    part = ink[top:bottom, left:right]
    if strength < 1:
        part = (part * np.float32(strength)).astype(np.uint8)
    np.maximum(window, part, out=window)
