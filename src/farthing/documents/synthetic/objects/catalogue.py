"""Every object that synthetic pages show: those with labels, and the distractors without.

A key names one way to draw and place; `ObjectClass.name` is the label, which several keys may share.
"""

from __future__ import annotations

from farthing.documents.synthetic.drawing import ObjectClass
from farthing.documents.synthetic.objects.decoration import draw_headpiece
from farthing.documents.synthetic.objects.display import draw_display_type
from farthing.documents.synthetic.objects.drop_capital import draw_plain
from farthing.documents.synthetic.objects.illustration import draw_illustration
from farthing.documents.synthetic.objects.sizes import of_column, of_height, of_page

OBJECTS: dict[str, ObjectClass] = {
    "illustration_block": ObjectClass(
        name="illustration", draw=draw_illustration, sample_size=of_column((0.4, 1.0), (0.5, 1.5)), placement="block"
    ),
    "illustration_full_page": ObjectClass(
        name="illustration",
        draw=draw_illustration,
        sample_size=of_page((0.6, 0.95), (0.6, 0.95)),
        placement="full_page",
    ),
    "headpiece": ObjectClass(
        name="decoration", draw=draw_headpiece, sample_size=of_column((0.7, 1.0), (0.08, 0.35)), placement="block"
    ),
    "drop_capital_plain": ObjectClass(
        name="drop_capital",
        draw=draw_plain,
        sample_size=of_height((0.03, 0.1), (0.7, 1.1)),
        placement="inline_initial",
    ),
}

DISTRACTORS: dict[str, ObjectClass] = {
    "display_type": ObjectClass(
        name="display_type", draw=draw_display_type, sample_size=of_column((0.6, 1.0), (0.06, 0.15)), placement="block"
    ),
}
