"""Styles that are the same in every test."""

from __future__ import annotations

from farthing.documents.synthetic.drawing import Era, Look
from farthing.documents.synthetic.layers import Rect
from farthing.documents.synthetic.strips import Face
from farthing.documents.synthetic.style import PageStyle

AREA = Rect(40, 50, 260, 350)


def plain_style(*, columns: int = 1, era: Era = "print") -> PageStyle:
    """A page of 300 x 400 with lines 12 pixels apart, nothing at random."""
    look = Look(
        paper=(230, 220, 200),
        ink=(30, 25, 20),
        accents=((170, 40, 30), (40, 60, 150), (50, 100, 60)),
        era=era,
        is_bitonal=False,
        body_px=10.0,
    )
    return PageStyle(
        look=look,
        capture="colour",
        width=300,
        height=400,
        area=AREA,
        columns=columns,
        gutter=16.0,
        pitch=12.0,
        face=Face(kind="roman", index=0),
        heading_face=Face(kind="heavy", index=0),
        stretch=1.0,
        weight=0.0,
        strength=1.0,
        is_justified=True,
        indent=1.0,
        paragraph_gap=0.0,
        paragraph_lines=6.0,
        heading_share=0.0,
        rubric_share=0.0,
        unsteadiness=0.0,
    )
