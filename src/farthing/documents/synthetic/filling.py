"""Kinds of pages: text, title, plate, nothing; and the objects that go where the text leaves room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from farthing.documents.synthetic.drawing import Era
from farthing.documents.synthetic.furniture import add_furniture, add_second_hand, short_end
from farthing.documents.synthetic.layers import Layers, Rect
from farthing.documents.synthetic.layout import MIN_SIDE, Sheet, Wish, fill_area
from farthing.documents.synthetic.lines import TEXTURES, Texture, title
from farthing.documents.synthetic.setting import Typesetter
from farthing.documents.synthetic.style import PageStyle

_TEXTURES: dict[Era, dict[str, float]] = {
    "manuscript": {"prose": 0.72, "verse": 0.24, "listing": 0.02, "drama": 0.0, "questions": 0.02},
    "print": {"prose": 0.55, "verse": 0.17, "listing": 0.12, "drama": 0.08, "questions": 0.08},
    "typescript": {"prose": 0.56, "verse": 0.08, "listing": 0.14, "drama": 0.06, "questions": 0.16},
}
_TITLE_SHARE: dict[Era, float] = {"manuscript": 0.01, "print": 0.1, "typescript": 0.04}
_BLANK_SHARE = 0.035
_TRIES = 12
_FRAME_SHARE = 0.6  # of both sides of the page, from which on something laid over it surrounds the text


def fill_page(rng: np.random.Generator, style: PageStyle, wishes: Sequence[Wish]) -> Layers:
    """A page with text, and as many of the wished objects as find a place.

    Args:
        rng: draws everything.
        style: how it looks.
        wishes: objects and distractors, the most wanted first.
    """
    layers = Layers.blank(style.width, style.height)
    sheet = Sheet(rng=rng, style=style, layers=layers, setter=Typesetter(rng, style, layers))
    placed = {place: [wish for wish in wishes if wish.kind.placement == place] for place in _PLACEMENTS}
    sheet.initials = placed["inline_initial"]
    frames = [frame for wish in placed["overlay"] if (frame := _frame(sheet, wish))][:1]
    end = _fill(sheet, placed)
    for wish in placed["foot"]:
        _at_foot(sheet, wish, end)
    for wish in placed["margin"]:
        _in_margin(sheet, wish)
    for wish in placed["overlay"]:
        if wish not in [framing for framing, _ in frames]:
            _over(sheet, wish)
    for wish, rect in frames:
        sheet.draw(wish, rect)
    return layers


def fill_strip(rng: np.random.Generator, style: PageStyle) -> Layers:
    """A part of a facing page: text and nothing else, most of which may lie outside."""
    layers = Layers.blank(style.width, style.height)
    sheet = Sheet(rng=rng, style=style, layers=layers, setter=Typesetter(rng, style, layers))
    fill_area(sheet, style.area, _choose_texture(sheet), [])
    return layers


_PLACEMENTS = ("block", "inline_initial", "margin", "overlay", "full_page", "foot")


def _frame(sheet: Sheet, wish: Wish) -> tuple[Wish, Rect] | None:
    """The place of a border around the whole text, which then stands inside it; None for other objects."""
    style = sheet.style
    width, height = sheet.size_of(wish, style.area.width)
    if wish.name is None or min(width / style.width, height / style.height) < _FRAME_SHARE:
        return None
    x0, y0 = (
        (side - size) * sheet.rng.uniform(0.3, 0.7) for side, size in ((style.width, width), (style.height, height))
    )
    rect = Rect(x0, y0, x0 + width, y0 + height)
    inset = 0.11 * width
    inside = Rect(rect.x0 + inset, rect.y0 + inset, rect.x1 - inset, rect.y1 - inset)
    sheet.style = replace(style, area=inside)
    return wish, rect


def _fill(sheet: Sheet, placed: dict[str, list[Wish]]) -> float:
    """Fills the page by its kind; returns where its text ends."""
    rng, style = sheet.rng, sheet.style
    area, era = style.area, style.look.era
    in_text = bool(placed["block"] or placed["inline_initial"])
    wants_text = any(wish.name for wish in (*placed["block"], *placed["inline_initial"]))
    if placed["full_page"] and (placed["full_page"][0].name or not wants_text):
        return _plate(sheet, placed["full_page"][0])
    if not in_text and rng.random() < _BLANK_SHARE:
        return area.y0
    if not placed["inline_initial"] and rng.random() < _TITLE_SHARE[era]:
        return _title_page(sheet, placed["block"])
    used = short_end(rng) if len(placed["block"]) < 2 else 1.0
    if placed["foot"]:
        used = min(used, rng.uniform(0.2, 0.85))
    text = area._replace(y1=area.y0 + used * area.height)
    end = fill_area(sheet, text, _choose_texture(sheet), placed["block"])
    add_furniture(sheet, area)
    if used < 0.8 and not placed["foot"] and rng.random() < 0.3:
        add_second_hand(sheet, area._replace(y1=end))
    return end


def _choose_texture(sheet: Sheet) -> Texture:
    """A way to arrange lines; paragraphs become short where several initials want one each."""
    rng, style = sheet.rng, sheet.style
    if sheet.initials:
        lines = style.columns * style.area.height / style.pitch
        most = max(2.0, lines / (1.6 * len(sheet.initials)))
        sheet.style = replace(style, paragraph_lines=min(style.paragraph_lines, most))
    shares = {
        name: share
        for name, share in _TEXTURES[style.look.era].items()
        if not sheet.initials or name in ("prose", "verse", "drama")
    }
    weights = np.array(list(shares.values()))
    return TEXTURES[str(rng.choice(list(shares), p=weights / weights.sum()))]


def _title_page(sheet: Sheet, blocks: list[Wish]) -> float:
    """Centred lines, an ornament or picture among them, an imprint at the foot."""
    area, height = sheet.style.area, sheet.style.area.height
    middle = area._replace(y1=area.y0 + sheet.rng.uniform(0.55, 1.0) * height)
    sheet.style = replace(sheet.style, columns=1)
    return fill_area(sheet, middle, title, blocks)


def _plate(sheet: Sheet, wish: Wish) -> float:
    """An object instead of a text, perhaps with a line below it."""
    rng, style = sheet.rng, sheet.style
    width, height = sheet.size_of(wish, style.area.width)
    width, height = min(width, style.width - 2), min(height, style.height - 2)
    x0 = (style.width - width) * rng.uniform(0.3, 0.7)
    y0 = (style.height - height) * rng.uniform(0.25, 0.7)
    sheet.draw(wish, Rect(x0, y0, x0 + width, y0 + height))
    below = Rect(x0, y0 + height + 0.3 * style.pitch, x0 + width, style.height - 0.01 * style.height)
    if below.height > 1.3 * style.pitch and rng.random() < 0.6:
        lines = min(int(rng.integers(1, 4)), int(below.height / style.pitch))
        texture = title(rng, style, below.width)
        for place in range(lines):
            sheet.setter.set_line(next(texture)[0], below, below.y0 + place * style.pitch)
    return y0 + height


def _at_foot(sheet: Sheet, wish: Wish, end: float) -> None:
    rng, style = sheet.rng, sheet.style
    width, height = sheet.size_of(wish, style.area.width)
    room = style.height - end - style.pitch
    shrink = min(1.0, 0.95 * room / height, 0.95 * style.area.width / width)
    width, height = round(width * shrink), round(height * shrink)
    if shrink < 0.3 or min(width, height) < MIN_SIDE:
        return
    x0 = style.area.x0 + (style.area.width - width) * (0.5 if wish.name == "decoration" else float(rng.beta(2.0, 1.2)))
    y0 = end + style.pitch * 0.5 + (room - height) * rng.beta(1.0, 3.0)
    rect = Rect(x0, y0, x0 + width, y0 + height)
    if sheet.layers.is_free(rect):
        sheet.draw(wish, rect)


def _in_margin(sheet: Sheet, wish: Wish) -> None:
    """In the larger margins first; what does not fit is made narrower, to a third at most."""
    rng, style = sheet.rng, sheet.style
    area = style.area
    margins = [
        Rect(0, 0, area.x0, style.height),
        Rect(area.x1, 0, style.width, style.height),
        Rect(area.x0, area.y1 + style.pitch, area.x1, style.height),
    ]
    width, height = sheet.size_of(wish, area.width)
    for _ in range(_TRIES):
        margin = margins[rng.integers(3)]
        shrink = min(1.0, 0.95 * margin.width / width, 0.95 * margin.height / height)
        if shrink < 0.33:
            continue
        w, h = width * shrink, height * shrink
        x0, y0 = rng.uniform(margin.x0, margin.x1 - w), rng.uniform(margin.y0, margin.y1 - h)
        rect = Rect(x0, y0, x0 + w, y0 + h)
        if sheet.layers.is_free(rect, gap=2):
            sheet.draw(wish, rect)
            return


def _over(sheet: Sheet, wish: Wish) -> None:
    """Anywhere, over the text too; rather not over another object."""
    rng, style = sheet.rng, sheet.style
    width, height = sheet.size_of(wish, style.area.width)
    width, height = min(width, style.width - 4), min(height, style.height - 4)
    for attempt in range(_TRIES):
        x0, y0 = rng.uniform(0, style.width - width), rng.uniform(0, style.height - height)
        if rng.random() < 0.5:  # libraries and offices stamp at the edges
            x0 = float(rng.choice([x0 * 0.15, style.width - width - 0.15 * x0]))
        rect = Rect(x0, y0, x0 + width, y0 + height)
        if sheet.layers.is_free(rect) or (wish.name is None and attempt == _TRIES - 1):
            sheet.draw(wish, rect)
            return
