"""How one page looks, drawn at random: its size, paper, inks, type and the way it was captured.

The ranges are wide on purpose: real collections differ from each other more than pages of one collection do, and a
detector that has met all of this takes the next collection for one more page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from farthing.documents.synthetic.config import SynthesisConfig
from farthing.documents.synthetic.drawing import Colour, Era, Look
from farthing.documents.synthetic.layers import Rect
from farthing.documents.synthetic.strips import NUM_HANDS, Face

Capture = Literal["colour", "grey", "bitonal", "film"]

_CAPTURES: dict[Era, tuple[float, float, float, float]] = {
    "manuscript": (0.7, 0.12, 0.12, 0.06),
    "print": (0.48, 0.17, 0.29, 0.06),
    "typescript": (0.7, 0.18, 0.09, 0.03),
}
CAPTURES: tuple[Capture, ...] = ("colour", "grey", "bitonal", "film")

_FACES: dict[Era, tuple[tuple[str, float], ...]] = {
    "manuscript": (("textura", 0.5), ("bastarda", 0.27), ("cursive", 0.23)),
    "print": (("roman", 0.58), ("italic", 0.16), ("textura", 0.1), ("bastarda", 0.06), ("sans", 0.05), ("heavy", 0.05)),
    "typescript": (("typewriter", 0.9), ("cursive", 0.1)),
}
# Share of pages with 1, 2 and 3 columns.
_COLUMNS: dict[Era, tuple[float, float, float]] = {
    "manuscript": (0.52, 0.45, 0.03),
    "print": (0.72, 0.22, 0.06),
    "typescript": (0.86, 0.12, 0.02),
}
_MIN_PITCH = 5.5
_LIGHTEST_INK = 0.6  # of the paper's light


@dataclass(frozen=True, kw_only=True, slots=True)
class PageStyle:
    """All choices about a page but what stands on it.

    Attributes:
        look: what objects are told.
        capture: how it became an image.
        width: of the sheet, in page pixels.
        height: of the sheet.
        area: where the text stands.
        columns: side by side.
        gutter: between columns, in pixels.
        pitch: from line to line, in pixels.
        face: of the text.
        heading_face: of headings.
        stretch: width of letters against the face's.
        weight: of the ink's spread, about -1 to 1.
        strength: of the ink, in (0, 1].
        is_justified: whether lines end at the right edge.
        indent: of the first line, in body sizes; negative hangs.
        paragraph_gap: between paragraphs, in pitches.
        paragraph_lines: of a paragraph, on average.
        heading_share: of the paragraphs, with a heading above.
        rubric_share: of the headings and first lines, in the second colour.
        unsteadiness: of the base lines, in pitches.
    """

    look: Look
    capture: Capture
    width: int
    height: int
    area: Rect
    columns: int
    gutter: float
    pitch: float
    face: Face
    heading_face: Face
    stretch: float
    weight: float
    strength: float
    is_justified: bool
    indent: float
    paragraph_gap: float
    paragraph_lines: float
    heading_share: float
    rubric_share: float
    unsteadiness: float


def choose_era(rng: np.random.Generator, config: SynthesisConfig) -> Era:
    """How the text of a page was made."""
    draw = rng.random()
    if draw < config.manuscript_share:
        return "manuscript"
    return "typescript" if draw < config.manuscript_share + config.typescript_share else "print"


def choose_capture(rng: np.random.Generator, era: Era) -> Capture:
    """How a page became an image: photographed, scanned in grey or in black and white, or from a microfilm."""
    return CAPTURES[rng.choice(4, p=_CAPTURES[era])]


def sample_style(rng: np.random.Generator, era: Era, capture: Capture, width: int, height: int) -> PageStyle:
    """A style for a sheet of that size.

    Args:
        rng: draws it.
        era: how the text was made.
        capture: how it became an image.
        width: in page pixels.
        height: in page pixels.
    """
    area = _sample_area(rng, width, height)
    columns = 1 + int(rng.choice(3, p=_COLUMNS[era]))
    if width > 1.1 * height:
        columns = max(columns, int(rng.integers(1, 4)))
    face = _choose_face(rng, era)
    pitch = _sample_pitch(rng, era, area, columns)
    fill = rng.uniform(0.52, 0.8) if face.is_hand else rng.uniform(0.62, 0.98)
    if era == "typescript":
        fill = rng.choice([rng.uniform(0.42, 0.6), rng.uniform(0.65, 0.95)])
    is_poor = capture in ("bitonal", "film")
    return PageStyle(
        look=_sample_look(rng, era, capture, body_px=fill * pitch),
        capture=capture,
        width=width,
        height=height,
        area=area,
        columns=columns,
        gutter=area.width * rng.uniform(0.025, 0.09),
        pitch=pitch,
        face=face,
        heading_face=_choose_heading(rng, face),
        stretch=float(np.exp(rng.normal(0, 0.09))),
        weight=rng.normal(0.55, 0.4) + 0.2 * is_poor,
        strength=rng.uniform(0.88, 1.0) if rng.random() < 0.8 else rng.uniform(0.4, 0.88),
        is_justified=rng.random() < {"manuscript": 0.55, "print": 0.9, "typescript": 0.1}[era],
        indent=float(rng.choice([0.0, rng.uniform(0.8, 2.5), rng.uniform(3, 8), -1.5], p=[0.25, 0.5, 0.15, 0.1])),
        paragraph_gap=float(rng.choice([0.0, 0.5, 1.0], p=[0.65, 0.15, 0.2])),
        paragraph_lines=float(np.exp(rng.uniform(np.log(2.5), np.log(40)))),
        heading_share=float(rng.choice([0.0, rng.uniform(0.02, 0.5)])),
        rubric_share=rng.uniform(0.05, 0.9) if rng.random() < {"manuscript": 0.5}.get(era, 0.06) else 0.0,
        unsteadiness=abs(rng.normal(0, 0.06)) if face.is_hand else abs(rng.normal(0, 0.012)),
    )


def _sample_area(rng: np.random.Generator, width: int, height: int) -> Rect:
    left, right = (0.03 + 0.19 * rng.beta(1.5, 2.5, 2)) * width
    top, bottom = rng.uniform(0.03, 0.15) * height, rng.uniform(0.04, 0.22) * height
    return Rect(left, top, width - right, height - bottom)


def _sample_pitch(rng: np.random.Generator, era: Era, area: Rect, columns: int) -> float:
    """Many lines stand on a large page with several columns, few on a small one."""
    low, high = {"manuscript": (17, 58), "print": (16, 58), "typescript": (22, 60)}[era]
    lines = np.exp(rng.uniform(np.log(low), np.log(high))) * (1.25 if columns > 1 else 1.0)
    # A landscape sheet has fewer lines of the same size.
    lines *= min(1.0, 0.75 * area.height / max(area.width, 1.0) + 0.1)
    return max(_MIN_PITCH, area.height / max(6.0, float(lines)))


def _choose_face(rng: np.random.Generator, era: Era) -> Face:
    kinds, shares = zip(*_FACES[era], strict=True)
    return Face(kind=str(rng.choice(kinds, p=shares)), index=int(rng.integers(NUM_HANDS)))


def _choose_heading(rng: np.random.Generator, face: Face) -> Face:
    if face.is_hand or face.kind == "typewriter":
        return face
    return Face(kind=str(rng.choice(["roman", "heavy", "italic", face.kind])), index=int(rng.integers(NUM_HANDS)))


def _sample_look(rng: np.random.Generator, era: Era, capture: Capture, *, body_px: float) -> Look:
    paper, ink = sample_paper(rng, era), _sample_ink(rng, era)
    if sum(ink) > _LIGHTEST_INK * sum(paper):
        red, green, blue = (part * _LIGHTEST_INK * sum(paper) / sum(ink) for part in ink)
        ink = _colour(red, green, blue)
    return Look(
        paper=paper,
        ink=ink,
        accents=tuple(_sample_accent(rng) for _ in range(3)),
        era=era,
        is_bitonal=capture == "bitonal",
        body_px=body_px,
    )


def sample_paper(rng: np.random.Generator, era: Era) -> Colour:
    """RGB of bare paper or parchment."""
    light = 255 * (1 - rng.beta(1.2, 6.5))
    warmth = rng.beta(1.6, 3.0) * (80 if era != "typescript" else 60)
    red, green, blue = light, light - 0.32 * warmth, light - warmth
    if era == "typescript" and rng.random() < 0.14:  # carbon copies came on thin coloured paper
        tint = rng.uniform(0.76, 1.0) * rng.uniform(0.86, 1.0, 3)
        red, green, blue = light * tint[0], light * tint[1], light * tint[2]
    return _colour(max(red, 110), max(green, 100), max(blue, 80))


def _sample_ink(rng: np.random.Generator, era: Era) -> Colour:
    if era == "manuscript":
        dark = rng.uniform(8, 60)
        return _colour(dark + rng.uniform(0, 45), dark + rng.uniform(-5, 18), dark - rng.uniform(0, 12))
    if era == "typescript" and rng.random() < 0.25:
        return _colour(rng.uniform(20, 90), rng.uniform(20, 60), rng.uniform(70, 160))
    dark = rng.uniform(3, 50)
    return _colour(dark + rng.uniform(0, 18), dark + rng.uniform(0, 8), dark)


def _sample_accent(rng: np.random.Generator) -> Colour:
    kinds = np.array([[175, 45, 35], [45, 70, 150], [50, 105, 65], [95, 45, 115], [190, 145, 50], [60, 50, 45]])
    base = kinds[rng.choice(6, p=[0.42, 0.25, 0.1, 0.08, 0.1, 0.05])]
    return _colour(*(base + rng.normal(0, 18, 3)))


def _colour(red: float, green: float, blue: float) -> Colour:
    return (int(np.clip(red, 0, 255)), int(np.clip(green, 0, 255)), int(np.clip(blue, 0, 255)))
