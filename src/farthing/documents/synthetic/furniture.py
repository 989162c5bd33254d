"""What surrounds the text: running heads, page numbers, catchwords, notes in the margins."""

from __future__ import annotations

import numpy as np

from farthing.documents.synthetic.layers import Rect
from farthing.documents.synthetic.layout import Sheet, run_text
from farthing.documents.synthetic.lines import Line, prose


def add_furniture(sheet: Sheet, area: Rect) -> None:
    """Adds what a page of its era usually has.

    Args:
        sheet: the page.
        area: where its text stands.
    """
    rng, era = sheet.rng, sheet.style.look.era
    if rng.random() < {"print": 0.7, "manuscript": 0.2, "typescript": 0.1}[era]:
        _running_head(sheet, area)
    if rng.random() < (0.55 if era != "manuscript" else 0.35):
        _page_number(sheet, area)
    if era != "typescript" and rng.random() < 0.35:
        _catchword(sheet, area)
    if rng.random() < {"print": 0.22, "manuscript": 0.3, "typescript": 0.08}[era]:
        _marginalia(sheet, area)
    if era == "print" and rng.random() < 0.12:
        _footnotes(sheet, area)


def _running_head(sheet: Sheet, area: Rect) -> None:
    rng, pitch = sheet.rng, sheet.style.pitch
    y = area.y0 - pitch * rng.uniform(1.15, 2.0)
    if y < 0:
        return
    half = rng.uniform(0.1, 0.42)
    line = Line(
        start=0.5 - half,
        end=0.5 + half,
        align="centre",
        words="capitals" if rng.random() < 0.4 else "prose",
        size=rng.uniform(0.8, 1.15),
        is_heading=rng.random() < 0.5,
        is_rubric=rng.random() < sheet.style.rubric_share,
    )
    sheet.setter.set_line(line, area, y)


def _page_number(sheet: Sheet, area: Rect) -> None:
    rng, pitch = sheet.rng, sheet.style.pitch
    is_below = rng.random() < 0.3
    y = area.y1 + pitch * rng.uniform(0.4, 1.5) if is_below else area.y0 - pitch * rng.uniform(1.1, 2.2)
    if not 0 <= y < sheet.style.height - pitch:
        return
    middle = float(rng.choice([0.03, 0.5, 0.97]))
    width = 1.8 * sheet.style.look.body_px / max(area.width, 1.0)
    line = Line(start=middle - width, end=middle + width, align="centre", words="numbers", size=rng.uniform(0.8, 1.2))
    sheet.setter.set_line(line, area, y, strength=rng.uniform(0.5, 1.0))


def _catchword(sheet: Sheet, area: Rect) -> None:
    y = area.y1 + sheet.style.pitch * sheet.rng.uniform(0.05, 0.6)
    start = sheet.rng.uniform(0.6, 0.9)
    if y + sheet.style.pitch < sheet.style.height:
        line = Line(start=start, end=min(1.0, start + 0.12), align="right")
        sheet.setter.set_line(line, area, y)


def _marginalia(sheet: Sheet, area: Rect) -> None:
    """Blocks of small lines beside the text, printed or by a later hand, dark or faint."""
    rng, style = sheet.rng, sheet.style
    left, right = Rect(0, area.y0, area.x0, area.y1), Rect(area.x1, area.y0, style.width, area.y1)
    side = left if rng.random() < 0.5 else right
    margin = Rect(side.x0 + 0.12 * side.width, side.y0, side.x1 - 0.1 * side.width, side.y1)
    if margin.width < 2.5 * style.look.body_px:
        return
    size, strength = rng.uniform(0.55, 0.85), rng.uniform(0.3, 1.0)
    for _ in range(int(rng.integers(1, 8))):
        y = rng.uniform(margin.y0, margin.y1)
        for place in range(int(rng.integers(1, 9))):
            start = y + place * style.pitch * size
            if start + style.pitch < style.height:
                end = rng.uniform(0.5, 1.0)
                sheet.setter.set_line(Line(end=end, size=size), margin, start, strength=strength)


def _footnotes(sheet: Sheet, area: Rect) -> None:
    """Small lines below the text."""
    rng, style = sheet.rng, sheet.style
    bottom = style.height - 0.02 * style.height
    y = area.y1 + style.pitch
    size = rng.uniform(0.6, 0.8)
    for _ in range(int(rng.integers(1, 6))):
        if y + style.pitch * size > bottom:
            return
        sheet.setter.set_line(Line(end=rng.uniform(0.6, 1.0), size=size, align="justify"), area, y)
        y += style.pitch * size


def add_second_hand(sheet: Sheet, area: Rect) -> None:
    """A few lines of the page's own hand below its text: a subscription, an address, a date."""
    rng, pitch = sheet.rng, sheet.style.pitch
    room = Rect(area.x0 + area.width * rng.uniform(0, 0.6), area.y1 + pitch, area.x1, sheet.style.height - pitch)
    if room.height > 2 * pitch and room.width > 4 * pitch:
        lines = min(int(rng.integers(1, 6)), int(room.height / pitch))
        run_text(sheet, room._replace(y1=room.y0 + lines * pitch), prose(rng, sheet.style, room.width))


def short_end(rng: np.random.Generator) -> float:
    """The share of the text area that is used: most pages are full, chapters end anywhere."""
    return float(rng.uniform(0.12, 0.95)) if rng.random() < 0.27 else 1.0
