"""The lines of a text, as what a compositor or scribe would be told: where each starts, how long, how large.

A texture is a way of arranging lines (prose, verse, a list); it yields paragraphs until nobody asks for more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from farthing.documents.synthetic.strips import Words
from farthing.documents.synthetic.style import PageStyle

Align = Literal["left", "centre", "right", "justify"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One line of text.

    Attributes:
        start: where it may begin, as a fraction of the column's width.
        end: where it must end, as a fraction of the column's width.
        align: within start and end.
        size: against the body's.
        advance: to the next line, in pitches.
        words: what it says.
        is_heading: set in the face of headings.
        is_rubric: in the second colour.
        is_first: of a paragraph, so that an initial may stand there.
        leader: what stands at the right edge of a list, as a fraction of the column's width; 0 nothing.
        lead: body sizes from a capital that is set apart to the rest of its line; 0 sets none apart.
        is_lead_rubric: whether that capital is in the second colour.
    """

    start: float = 0.0
    end: float = 1.0
    align: Align = "left"
    size: float = 1.0
    advance: float = 1.0
    words: Words = "prose"
    is_heading: bool = False
    is_rubric: bool = False
    is_first: bool = False
    leader: float = 0.0
    lead: float = 0.0
    is_lead_rubric: bool = False


Paragraph = list[Line]
Texture = Callable[[np.random.Generator, PageStyle, float], Iterator[Paragraph]]


def prose(rng: np.random.Generator, style: PageStyle, width: float) -> Iterator[Paragraph]:
    """Paragraphs whose lines fill the column, the last one partly."""
    indent = style.indent * style.look.body_px / max(width, 1.0)
    align: Align = "justify" if style.is_justified else "left"
    ragged = rng.uniform(0.02, 0.2)
    while True:
        if rng.random() < style.heading_share:
            yield heading(rng, style)
        count = 1 + int(rng.geometric(1 / style.paragraph_lines))
        rubric = rng.random() < style.rubric_share * 0.4
        paragraph = [
            Line(
                start=max(0.0, indent) if place == 0 else max(0.0, -indent),
                end=1.0 if style.is_justified else 1 - ragged * rng.random(),
                align=align,
                is_first=place == 0,
                is_rubric=rubric and place < 2,
            )
            for place in range(count)
        ]
        last = paragraph[-1]
        paragraph[-1] = replace(
            last,
            end=last.start + (1 - last.start) * rng.uniform(0.15, 1.0),
            align="left",
            advance=1 + style.paragraph_gap,
        )
        yield paragraph


def verse(rng: np.random.Generator, style: PageStyle, width: float) -> Iterator[Paragraph]:
    """Stanzas of lines of some length, with a gap between."""
    del width
    start, length = rng.uniform(0, 0.25), rng.uniform(0.45, 0.8)
    stanza, step = int(rng.integers(2, 15)), float(rng.choice([0.0, 0.0, 0.05, 0.1]))
    gap = rng.choice([0.0, 0.5, 1.0])
    lead = rng.uniform(0.9, 2.5) if style.face.is_hand and rng.random() < 0.5 else 0.0
    lead_rubric = rng.random() < style.rubric_share
    while True:
        if rng.random() < style.heading_share * 0.5:
            yield heading(rng, style)
        starts = start + step * (np.arange(stanza) % 2)
        ends = np.minimum(starts + length * rng.uniform(0.72, 1.05, stanza), 1.0)
        yield [
            Line(
                start=starts[place],
                end=ends[place],
                is_first=place == 0,
                is_rubric=place == 0 and not lead and rng.random() < style.rubric_share * 0.4,
                lead=lead,
                is_lead_rubric=lead_rubric,
                advance=1 + gap * (place == stanza - 1),
            )
            for place in range(stanza)
        ]


def listing(rng: np.random.Generator, style: PageStyle, width: float) -> Iterator[Paragraph]:
    """A catalogue: numbered entries, often a figure at the right edge, names as headings between."""
    del style, width
    inner = rng.uniform(0.03, 0.12)
    has_figures, centred = rng.random() < 0.6, rng.random() < 0.6
    share, gap = rng.uniform(0.15, 0.7), rng.choice([0.0, 0.2, 0.5])
    while True:
        if rng.random() < share:
            start = 0.15 if centred else 0.0
            end = rng.uniform(0.55, 0.85) if centred else rng.uniform(0.3, 0.7)
            yield [Line(start=start, end=end, align="centre" if centred else "left", is_heading=True, advance=1.1)]
        count = 1 + int(rng.random() < 0.15)
        yield [
            Line(
                start=inner if place else 0.0,
                end=rng.uniform(0.3, 0.82),
                leader=rng.uniform(0.04, 0.1) if has_figures and place == 0 else 0.0,
                advance=1 + gap * (place == count - 1),
            )
            for place in range(count)
        ]


def drama(rng: np.random.Generator, style: PageStyle, width: float) -> Iterator[Paragraph]:
    """Speeches: a centred name, then some lines."""
    del width
    while True:
        yield [Line(start=0.25, end=0.75, align="centre", words=_case(rng), is_heading=True, size=rng.uniform(0.8, 1))]
        count = 1 + int(rng.geometric(0.25))
        paragraph = [
            Line(end=1.0, align="justify" if style.is_justified else "left", is_first=place == 0)
            for place in range(count)
        ]
        paragraph[-1] = replace(paragraph[-1], end=rng.uniform(0.3, 1), align="left", advance=rng.choice([1.0, 1.5]))
        yield paragraph


def questions(rng: np.random.Generator, style: PageStyle, width: float) -> Iterator[Paragraph]:
    """Short entries that hang from a key word: dictionaries, dialogues, minutes."""
    del width
    hang = rng.uniform(0.04, 0.25)
    while True:
        count = 1 + int(rng.geometric(0.35))
        paragraph = [Line(start=0.0, end=1.0, is_rubric=rng.random() < style.rubric_share * 0.3)]
        paragraph += [Line(start=hang, end=1.0, align="justify" if style.is_justified else "left")] * (count - 1)
        paragraph[-1] = replace(paragraph[-1], end=rng.uniform(0.4, 1), align="left", advance=1 + style.paragraph_gap)
        yield paragraph


def heading(rng: np.random.Generator, style: PageStyle) -> Paragraph:
    """One to three centred lines, larger or in capitals."""
    count = int(rng.choice([1, 2, 3], p=[0.7, 0.22, 0.08]))
    size = rng.uniform(0.9, 1.6) if style.look.era != "typescript" else 1.0
    words = _case(rng)
    is_rubric = rng.random() < style.rubric_share
    half = rng.uniform(0.15, 0.48)
    lines = [
        Line(
            start=0.5 - half * shrink,
            end=0.5 + half * shrink,
            align="centre",
            size=size,
            advance=max(1.0, size),
            words=words,
            is_heading=True,
            is_rubric=is_rubric,
        )
        for shrink in rng.uniform(0.5, 1.0, count)
    ]
    return [*lines[:-1], replace(lines[-1], advance=lines[-1].advance + rng.uniform(0.2, 0.8))]


def title(rng: np.random.Generator, style: PageStyle, width: float) -> Iterator[Paragraph]:
    """A title page: centred lines of many sizes with wide gaps."""
    del width
    base = rng.uniform(1.0, 2.2)
    while True:
        size = base * float(rng.choice([0.6, 0.8, 1.0, 1.5, 2.2], p=[0.2, 0.25, 0.3, 0.17, 0.08]))
        half = rng.uniform(0.1, 0.5)
        words: Words = "capitals" if rng.random() < 0.55 else "prose"
        yield [
            Line(
                start=0.5 - half,
                end=0.5 + half,
                align="centre",
                size=size,
                words=words,
                is_heading=True,
                is_rubric=rng.random() < style.rubric_share,
                advance=size * rng.uniform(1.0, 1.3) + float(rng.choice([0.0, 0.0, rng.uniform(0.3, 3)])),
            )
        ]


TEXTURES: dict[str, Texture] = {
    "prose": prose,
    "verse": verse,
    "listing": listing,
    "drama": drama,
    "questions": questions,
}


def _case(rng: np.random.Generator) -> Words:
    return "capitals" if rng.random() < 0.5 else "prose"
