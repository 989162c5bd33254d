"""Fills areas of a page with text and the objects that stand in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from farthing.documents.synthetic.drawing import ObjectClass
from farthing.documents.synthetic.layers import Layers, Rect
from farthing.documents.synthetic.lines import Line, Paragraph, Texture
from farthing.documents.synthetic.setting import Typesetter
from farthing.documents.synthetic.style import PageStyle

MIN_SIDE = 8  # pixels; nothing smaller is drawn


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """An object that the page is to show.

    Attributes:
        kind: what.
        name: its label; None for a distractor.
    """

    kind: ObjectClass
    name: str | None


@dataclass(eq=False, kw_only=True, slots=True)
class Sheet:
    """One side of a leaf while it is filled: everything that the ways of filling it share.

    Attributes:
        rng: draws everything.
        style: how it looks.
        layers: what is on it.
        setter: puts lines there.
        initials: wishes that want the start of a paragraph.
    """

    rng: np.random.Generator
    style: PageStyle
    layers: Layers
    setter: Typesetter
    initials: list[Wish] = field(default_factory=list)

    def size_of(self, wish: Wish, column_width: float) -> tuple[int, int]:
        """(width, height) that the object would like to have."""
        return wish.kind.sample_size(self.rng, self.style.width, self.style.height, max(MIN_SIDE, round(column_width)))

    def draw(self, wish: Wish, rect: Rect) -> None:
        """Draws the object into the place."""
        width, height = max(MIN_SIDE, round(rect.width)), max(MIN_SIDE, round(rect.height))
        drawing = wish.kind.draw(self.rng, self.style.look, width, height)
        self.layers.put(drawing, rect.x0, rect.y0, wish.name)


def fill_area(sheet: Sheet, area: Rect, texture: Texture, wishes: list[Wish]) -> float:
    """Fills an area with columns of text, and with objects across it and in its columns.

    Args:
        sheet: what is filled.
        area: where.
        texture: of the text.
        wishes: objects with the placement "block".

    Returns:
        Where the text ends.
    """
    rng, columns = sheet.rng, sheet.style.columns
    if columns == 1:
        return _fill_column(sheet, area, texture, wishes)
    across = [wish for wish in wishes if rng.random() < 0.4]
    inside = [wish for wish in wishes if wish not in across]
    end = area.y0
    for rect, wish in _split(sheet, area, across):
        if wish is not None:
            sheet.draw(wish, rect)
            end = rect.y1
        else:
            end = _fill_band(sheet, rect, texture, inside)
            inside = []
    return end


def _fill_band(sheet: Sheet, area: Rect, texture: Texture, wishes: list[Wish]) -> float:
    """Columns side by side, each wish in one of them."""
    style = sheet.style
    width = (area.width - (style.columns - 1) * style.gutter) / style.columns
    homes = sheet.rng.integers(style.columns, size=len(wishes))
    ends = []
    for column in range(style.columns):
        x0 = area.x0 + column * (width + style.gutter)
        own = [wish for wish, home in zip(wishes, homes, strict=True) if home == column]
        ends.append(_fill_column(sheet, Rect(x0, area.y0, x0 + width, area.y1), texture, own))
    return max(ends)


def _fill_column(sheet: Sheet, area: Rect, texture: Texture, wishes: list[Wish]) -> float:
    """Text with objects between its lines, or beside them where they are narrow."""
    paragraphs = texture(sheet.rng, sheet.style, area.width)
    end = area.y0
    for rect, wish in _split(sheet, area, wishes):
        if wish is None:
            end = run_text(sheet, rect, paragraphs)
            continue
        sheet.draw(wish, rect)
        end = rect.y1
        room = area.width - rect.width - sheet.style.look.body_px
        if room > 0.35 * area.width and sheet.rng.random() < 0.5:
            _run_beside(sheet, area, rect, paragraphs)
        elif wish.name in ("illustration", "map") and sheet.rng.random() < 0.35:
            end = _caption(sheet, rect, area)
    return end


def _split(sheet: Sheet, area: Rect, wishes: list[Wish]) -> Iterator[tuple[Rect, Wish | None]]:
    """Cuts an area from top to bottom into places for text (None) and for objects, in this order."""
    rng, pitch = sheet.rng, sheet.style.pitch
    sizes = [sheet.size_of(wish, area.width) for wish in wishes]
    room = area.height
    kept: list[tuple[Wish, float, float]] = []
    for wish, (width, height) in zip(wishes, sizes, strict=True):
        shrink = min(1.0, area.width / width, max(room - pitch, 0.0) / height)
        if shrink < 0.35 or min(width, height) * shrink < MIN_SIDE:
            continue
        kept.append((wish, width * shrink, height * shrink))
        room -= height * shrink + pitch
    shares = rng.dirichlet(np.full(len(kept) + 1, 0.7)) if kept else np.ones(1)
    if kept and rng.random() < 0.35:
        shares[0] = 0.0
    y = area.y0
    for place, (wish, width, height) in enumerate(kept):
        text = shares[place] * room
        if text >= pitch:
            yield Rect(area.x0, y, area.x1, y + text), None
            y += text
        slack = area.width - width
        x = area.x0 + slack * float(rng.choice([0.0, 0.5, 0.5, 1.0]))
        gap = pitch * rng.uniform(0.15, 0.5)
        yield Rect(x, y + gap, x + width, y + gap + height), wish
        y += height + pitch
    if area.y1 - y >= pitch:
        yield Rect(area.x0, y, area.x1, area.y1), None


def run_text(sheet: Sheet, area: Rect, paragraphs: Iterator[Paragraph]) -> float:
    """Sets paragraphs until the area is full; returns where the last line ends."""
    y, pitch = area.y0, sheet.style.pitch
    while y + pitch <= area.y1 + 1:
        paragraph = next(paragraphs)
        if paragraph[0].is_first and sheet.initials and sheet.rng.random() < 0.75:
            y = _run_with_initial(sheet, Rect(area.x0, y, area.x1, area.y1), paragraph)
            continue
        for line in paragraph:
            if y + line.size * sheet.style.look.body_px > area.y1 + 1:
                return y
            sheet.setter.set_line(line, area, y)
            y += line.advance * pitch
    return y


def _run_with_initial(sheet: Sheet, area: Rect, paragraph: Paragraph) -> float:
    """A paragraph that begins with an initial; its first lines make room for it."""
    rng, pitch = sheet.rng, sheet.style.pitch
    wish = sheet.initials.pop()
    width, height = sheet.size_of(wish, area.width)
    # An initial spans whole lines, unless it hangs in the margin or rises above its line.
    count = max(1, round(height / pitch))
    shrink = min(count * pitch * rng.uniform(0.88, 1.0) / height, 0.7 * area.width / width)
    width, height = round(width * shrink), round(height * shrink)
    if min(width, height) < 5 or area.y0 + height > area.y1:
        return area.y0 + pitch
    hangs = rng.random() < (0.3 if sheet.style.look.era == "manuscript" else 0.06)
    x0 = area.x0 - width * rng.uniform(0.5, 1.1) if hangs else area.x0
    sheet.draw(wish, Rect(x0, area.y0, x0 + width, area.y0 + height))
    inset = max(0.0, x0 + width - area.x0 + sheet.style.look.body_px * rng.uniform(0.1, 0.45))
    missing = max(0, count - len(paragraph))
    body = [*paragraph[:-1], *[replace(paragraph[0], is_first=False, end=1.0) for _ in range(missing)], paragraph[-1]]
    y = area.y0
    for place, line in enumerate(body):
        if y + sheet.style.look.body_px > area.y1 + 1:
            return y
        sheet.setter.set_line(_after_initial(line, place), area, y, inset=inset if place < count else 0.0)
        y += line.advance * pitch
    return y


def _after_initial(line: Line, place: int) -> Line:
    return replace(
        line, start=0.0, words="capitals" if line.end > 0.9 and place == 0 and line.size == 1 else line.words
    )


def _run_beside(sheet: Sheet, area: Rect, rect: Rect, paragraphs: Iterator[Paragraph]) -> None:
    """Text at that side of an object where there is more room."""
    gap = sheet.style.look.body_px * 0.8
    right = Rect(rect.x1 + gap, rect.y0, area.x1, rect.y1)
    left = Rect(area.x0, rect.y0, rect.x0 - gap, rect.y1)
    run_text(sheet, max(left, right, key=lambda side: side.width), paragraphs)


def _caption(sheet: Sheet, rect: Rect, area: Rect) -> float:
    """One or two small lines below a picture; they may run into the gap that follows it."""
    y = rect.y1 + 0.15 * sheet.style.pitch
    half = sheet.rng.uniform(0.2, 0.5) * rect.width / area.width
    middle = ((rect.x0 + rect.x1) / 2 - area.x0) / area.width
    line = Line(
        start=max(0.0, middle - half), end=min(1.0, middle + half), align="centre", size=sheet.rng.uniform(0.7, 0.9)
    )
    if y + line.size * sheet.style.look.body_px < area.y1:
        sheet.setter.set_line(line, area, y)
    return y + sheet.style.pitch
