"""Looks of pages that drawings are tested with."""

from __future__ import annotations

from dataclasses import replace

from farthing.documents.synthetic.drawing import Era, Look

LOOK = Look(
    paper=(235, 228, 205),
    ink=(40, 34, 30),
    accents=((170, 45, 35), (45, 70, 145), (60, 110, 60)),
    era="print",
    is_bitonal=False,
    body_px=11.0,
)


def look_of(era: Era, *, is_bitonal: bool = False) -> Look:
    """The common look, of that era."""
    return replace(LOOK, era=era, is_bitonal=is_bitonal)
