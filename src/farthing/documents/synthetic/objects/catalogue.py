"""Every object that synthetic pages show: those with labels, and the distractors without.

A key names one way to draw and place; `ObjectClass.name` is the label, which several keys may share.
"""

from __future__ import annotations

from farthing.documents.synthetic.drawing import ObjectClass
from farthing.documents.synthetic.objects import decoration, display, drop_capital, illustration
from farthing.documents.synthetic.objects.sizes import of_column, of_height, of_page

OBJECTS: dict[str, ObjectClass] = {
    "illustration_block": ObjectClass(
        name="illustration",
        draw=illustration.draw_illustration,
        sample_size=of_column((0.4, 1.0), (0.5, 1.6)),
        placement="block",
        weight=3.0,
    ),
    "illustration_full_page": ObjectClass(
        name="illustration",
        draw=illustration.draw_illustration,
        sample_size=of_page((0.55, 0.97), (0.55, 0.97)),
        placement="full_page",
        weight=1.6,
    ),
    "illustration_vignette": ObjectClass(
        name="illustration",
        draw=illustration.draw_vignette,
        sample_size=of_column((0.2, 0.65), (0.6, 1.4)),
        placement="block",
        eras=("print",),
        weight=1.2,
    ),
    "illustration_miniature": ObjectClass(
        name="illustration",
        draw=illustration.draw_miniature,
        sample_size=of_column((0.5, 1.0), (0.4, 1.4)),
        placement="block",
        eras=("manuscript",),
        weight=2.0,
    ),
    "illustration_marginal": ObjectClass(
        name="illustration",
        draw=illustration.draw_marginal,
        sample_size=of_page((0.06, 0.18), (0.04, 0.2)),
        placement="margin",
        weight=0.8,
    ),
    "illustration_foot": ObjectClass(
        name="illustration",
        draw=illustration.draw_marginal,
        sample_size=of_page((0.15, 0.7), (0.06, 0.18)),
        placement="foot",
        eras=("manuscript", "print"),
        weight=0.4,
    ),
    "headpiece": ObjectClass(
        name="decoration",
        draw=decoration.draw_headpiece,
        sample_size=of_column((0.6, 1.0), (0.06, 0.35)),
        placement="block",
        eras=("print",),
        weight=2.5,
    ),
    "tailpiece": ObjectClass(
        name="decoration",
        draw=decoration.draw_tailpiece,
        sample_size=of_column((0.12, 0.6), (0.4, 1.2)),
        placement="block",
        eras=("print",),
        weight=2.5,
    ),
    "ornament_row": ObjectClass(
        name="decoration",
        draw=decoration.draw_ornament_row,
        sample_size=of_column((0.35, 1.0), (0.02, 0.06)),
        placement="block",
        eras=("print",),
        weight=1.0,
    ),
    "fleuron": ObjectClass(
        name="decoration",
        draw=decoration.draw_fleuron,
        sample_size=of_height((0.018, 0.06), (0.8, 1.4)),
        placement="block",
        eras=("print",),
        weight=0.6,
    ),
    "printed_border": ObjectClass(
        name="decoration",
        draw=decoration.draw_printed_border,
        sample_size=of_page((0.7, 0.9), (0.7, 0.9)),
        placement="overlay",
        eras=("print",),
        weight=0.4,
    ),
    "line_filler": ObjectClass(
        name="decoration",
        draw=decoration.draw_line_filler,
        sample_size=of_column((0.1, 0.6), (0.05, 0.14), max_height=0.025),
        placement="block",
        eras=("manuscript",),
        weight=0.8,
    ),
    "bar_border": ObjectClass(
        name="decoration",
        draw=decoration.draw_bar_border,
        sample_size=of_page((0.04, 0.1), (0.3, 0.9)),
        placement="margin",
        eras=("manuscript",),
        weight=1.5,
    ),
    "foliate_border": ObjectClass(
        name="decoration",
        draw=decoration.draw_foliate_border,
        sample_size=of_page((0.75, 0.95), (0.75, 0.95)),
        placement="overlay",
        eras=("manuscript",),
        weight=0.7,
    ),
    "drop_capital_plain": ObjectClass(
        name="drop_capital",
        draw=drop_capital.draw_plain,
        sample_size=of_height((0.03, 0.1), (0.7, 1.1)),
        placement="inline_initial",
    ),
}

DISTRACTORS: dict[str, ObjectClass] = {
    "display_type": ObjectClass(
        name="display_type",
        draw=display.draw_display_type,
        sample_size=of_column((0.6, 1.0), (0.06, 0.15)),
        placement="block",
    ),
}
