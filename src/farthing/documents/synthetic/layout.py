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

MIN_SIDE = 8  # pixels; no smaller object is drawn
MIN_INITIAL = 6


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
    is_across = rng.random(len(wishes)) < 0.4
    across = [wish for wish, wide in zip(wishes, is_across, strict=True) if wide]
    inside = [wish for wish, wide in zip(wishes, is_across, strict=True) if not wide]
    parts = list(_split(sheet, area, across))
    tallest = max((rect.height for rect, wish in parts if wish is None), default=0.0)
    end = area.y0
    for rect, wish in parts:
        if wish is not None:
            sheet.draw(wish, rect)
            end = rect.y1
        else:
            end = _fill_band(sheet, rect, texture, inside if rect.height == tallest else [])
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
    kept = _shrunk(sheet, area, wishes)
    room = area.height - sum(height + pitch for _, _, height in kept)
    closes = bool(kept) and _closes(*kept[-1]) and rng.random() < 0.75
    shares = _text_shares(rng, len(kept) + 1, closes=closes)
    y = area.y0
    for place, (wish, width, height) in enumerate(kept):
        text = shares[place] * room
        if text >= pitch:
            yield Rect(area.x0, y, area.x1, y + text), None
            y += text
        slack = area.width - width
        x = area.x0 + slack * float(rng.choice([0.0, 0.5, 0.5, 0.5, 1.0]))
        gap = pitch * rng.uniform(0.15, 0.5)
        yield Rect(x, y + gap, x + width, y + gap + height), wish
        y += height + pitch
    if area.y1 - y >= pitch and not closes:
        yield Rect(area.x0, y, area.x1, area.y1), None


def _shrunk(sheet: Sheet, area: Rect, wishes: list[Wish]) -> list[tuple[Wish, float, float]]:
    """The objects that fit one above the other, with their sizes; what ends a text is last."""
    room = area.height
    kept: list[tuple[Wish, float, float]] = []
    for wish in wishes:
        width, height = sheet.size_of(wish, area.width)
        shrink = min(1.0, area.width / width, max(room - sheet.style.pitch, 0.0) / height)
        if shrink >= 0.3 and min(width, height) * shrink >= MIN_SIDE:
            kept.append((wish, width * shrink, height * shrink))
            room -= height * shrink + sheet.style.pitch
    return sorted(kept, key=lambda sized: _closes(*sized))


def _closes(wish: Wish, width: float, height: float) -> bool:
    """Whether it is an ornament that stands below the last line: more square than those above the first."""
    return wish.name == "decoration" and height > 0.38 * width


def _text_shares(rng: np.random.Generator, count: int, *, closes: bool) -> list[float]:
    """How the text is dealt out above, between and below the objects; the last share is nobody's if one closes it."""
    shares = rng.dirichlet(np.full(count, 0.7))
    if count > 1 and rng.random() < 0.4:
        shares[0] = 0.0 if not closes or count > 2 else shares[0]
    if closes:
        shares[-1] = 0.0
        shares *= rng.uniform(0.25, 0.95) / max(float(shares.sum()), 1e-9)
    return [float(share) for share in shares]


def run_text(sheet: Sheet, area: Rect, paragraphs: Iterator[Paragraph]) -> float:
    """Sets paragraphs until the area is full; returns where the last line ends."""
    y, pitch = area.y0, sheet.style.pitch
    while y + pitch <= area.y1 + 1:
        paragraph = next(paragraphs)
        rest = Rect(area.x0, y, area.x1, area.y1)
        if paragraph[0].is_first and sheet.initials and sheet.rng.random() < 0.85:
            place = _place_initial(sheet, rest, sheet.initials[-1])
            if place is not None:
                sheet.draw(sheet.initials.pop(), place)
                y = _set_beside(sheet, rest, paragraph, place)
                continue
        y = _set(sheet, rest, paragraph)
    return y


def _set(sheet: Sheet, area: Rect, paragraph: Paragraph) -> float:
    """Sets a paragraph, or what fits of it; returns where the next one begins, below the area if it is full."""
    y = area.y0
    for line in paragraph:
        if y + line.size * sheet.style.look.body_px > area.y1 + 1:
            return area.y1 + sheet.style.pitch
        sheet.setter.set_line(line, area, y)
        y += line.advance * sheet.style.pitch
    return y


def _place_initial(sheet: Sheet, area: Rect, wish: Wish) -> Rect | None:
    """Where an initial stands at the first line of the area; None if it does not fit."""
    rng, style = sheet.rng, sheet.style
    width, height = sheet.size_of(wish, area.width)
    # An initial spans whole lines, unless it hangs in the margin or rises above its line.
    lines = max(1, round(height / style.pitch))
    shrink = min(lines * style.pitch * rng.uniform(0.88, 1.02) / height, 0.7 * area.width / width)
    width, height = round(width * shrink), round(height * shrink)
    rise = style.pitch * rng.uniform(0, 1.2) if rng.random() < 0.12 else 0.0
    if min(width, height) < MIN_INITIAL or area.y0 + height - rise > area.y1:
        return None
    hangs = rng.random() < (0.3 if style.look.era == "manuscript" else 0.06)
    x0 = max(1.0, area.x0 - width * rng.uniform(0.5, 1.15)) if hangs else area.x0
    rect = Rect(x0, max(1.0, area.y0 - rise), x0 + width, area.y0 - rise + height)
    return rect if sheet.layers.is_free(rect) else None


def _set_beside(sheet: Sheet, area: Rect, paragraph: Paragraph, initial: Rect) -> float:
    """A paragraph whose first lines make room for an initial; short ones get more lines."""
    style = sheet.style
    inset = max(0.0, initial.x1 - area.x0 + style.look.body_px * sheet.rng.uniform(0.1, 0.45))
    count = max(1, int(np.ceil((initial.y1 - area.y0 - 0.3 * style.pitch) / style.pitch)))
    more = [replace(paragraph[0], is_first=False)] * max(0, count - len(paragraph))
    begins_large = sheet.rng.random() < 0.5
    y = area.y0
    first = replace(paragraph[0], start=0.0, words="capitals" if begins_large else paragraph[0].words)
    for place, line in enumerate([first, *paragraph[1:-1], *more, *paragraph[1:][-1:]]):
        if y + style.look.body_px > area.y1 + 1:
            return area.y1 + style.pitch
        sheet.setter.set_line(line, area, y, inset=inset if place < count else 0.0)
        y += line.advance * style.pitch
    return y


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
