"""Every object that synthetic pages show: those with labels, and the distractors without.

A key names one way to draw and place; `ObjectClass.name` is the label, which several keys may share.
"""

from __future__ import annotations

from farthing.documents.synthetic.drawing import Draw, Era, ObjectClass, Placement, SampleSize
from farthing.documents.synthetic.objects import (
    damage,
    decoration,
    display,
    drop_capital,
    furniture,
    illustration,
    maps,
    music,
    seal,
    signature,
    stamp,
    table,
)
from farthing.documents.synthetic.objects.sizes import of_column, of_height, of_page

_MANUSCRIPT: tuple[Era, ...] = ("manuscript",)
_PRINT: tuple[Era, ...] = ("print",)
_BOOK: tuple[Era, ...] = ("manuscript", "print")
_MODERN: tuple[Era, ...] = ("print", "typescript")
_ALL: tuple[Era, ...] = ("manuscript", "print", "typescript")


def _entry(
    name: str, draw: Draw, sample_size: SampleSize, placement: Placement, eras: tuple[Era, ...], weight: float
) -> ObjectClass:
    return ObjectClass(name=name, draw=draw, sample_size=sample_size, placement=placement, eras=eras, weight=weight)


OBJECTS: dict[str, ObjectClass] = {
    "illustration_block": _entry(
        "illustration", illustration.draw_illustration, of_column((0.35, 1.0), (0.35, 1.6)), "block", _ALL, 3.0
    ),
    "illustration_full_page": _entry(
        "illustration", illustration.draw_illustration, of_page((0.55, 0.97), (0.55, 0.97)), "full_page", _ALL, 1.5
    ),
    "illustration_vignette": _entry(
        "illustration", illustration.draw_vignette, of_column((0.2, 0.65), (0.6, 1.4)), "block", _PRINT, 1.2
    ),
    "illustration_miniature": _entry(
        "illustration", illustration.draw_miniature, of_column((0.5, 1.0), (0.4, 1.4)), "block", _MANUSCRIPT, 2.0
    ),
    "illustration_marginal": _entry(
        "illustration", illustration.draw_marginal, of_page((0.06, 0.18), (0.04, 0.2)), "margin", _BOOK, 0.8
    ),
    "illustration_foot": _entry(
        "illustration", illustration.draw_marginal, of_page((0.15, 0.7), (0.06, 0.18)), "foot", _BOOK, 0.4
    ),
    "headpiece": _entry(
        "decoration", decoration.draw_headpiece, of_column((0.6, 1.0), (0.06, 0.35)), "block", _PRINT, 2.5
    ),
    "tailpiece": _entry(
        "decoration", decoration.draw_tailpiece, of_column((0.12, 0.6), (0.4, 1.2)), "block", _PRINT, 2.5
    ),
    "ornament_row": _entry(
        "decoration", decoration.draw_ornament_row, of_column((0.35, 1.0), (0.02, 0.06)), "block", _PRINT, 1.0
    ),
    "fleuron": _entry(
        "decoration", decoration.draw_fleuron, of_height((0.018, 0.06), (0.8, 1.4)), "block", _PRINT, 0.6
    ),
    "printed_border": _entry(
        "decoration", decoration.draw_printed_border, of_page((0.7, 0.9), (0.7, 0.9)), "overlay", _PRINT, 0.4
    ),
    "line_filler": _entry(
        "decoration",
        decoration.draw_line_filler,
        of_column((0.1, 0.6), (0.05, 0.14), max_height=0.025),
        "block",
        _MANUSCRIPT,
        0.8,
    ),
    "bar_border": _entry(
        "decoration", decoration.draw_bar_border, of_page((0.04, 0.1), (0.3, 0.9)), "margin", _MANUSCRIPT, 1.5
    ),
    "painted_strip": _entry(
        "decoration", decoration.draw_painted_strip, of_page((0.02, 0.09), (0.3, 0.85)), "margin", _BOOK, 0.6
    ),
    "painted_frame": _entry(
        "decoration", decoration.draw_painted_frame, of_page((0.75, 0.95), (0.75, 0.95)), "overlay", _MANUSCRIPT, 0.3
    ),
    "foliate_border": _entry(
        "decoration", decoration.draw_foliate_border, of_page((0.75, 0.95), (0.75, 0.95)), "overlay", _MANUSCRIPT, 0.7
    ),
    "drop_capital_plain": _entry(
        "drop_capital", drop_capital.draw_plain, of_height((0.025, 0.075), (0.7, 1.1)), "inline_initial", _PRINT, 1.5
    ),
    "drop_capital_woodcut": _entry(
        "drop_capital",
        drop_capital.draw_woodcut_block,
        of_height((0.035, 0.13), (0.85, 1.15)),
        "inline_initial",
        _PRINT,
        2.5,
    ),
    "drop_capital_factotum": _entry(
        "drop_capital", drop_capital.draw_factotum, of_height((0.05, 0.1), (0.9, 1.1)), "inline_initial", _PRINT, 0.5
    ),
    "drop_capital_lombard": _entry(
        "drop_capital", drop_capital.draw_lombard, of_height((0.02, 0.07), (0.7, 1.2)), "inline_initial", _BOOK, 2.0
    ),
    "drop_capital_flourished": _entry(
        "drop_capital",
        drop_capital.draw_flourished,
        of_height((0.05, 0.22), (0.35, 0.8)),
        "inline_initial",
        _MANUSCRIPT,
        1.5,
    ),
    "drop_capital_cadel": _entry(
        "drop_capital", drop_capital.draw_cadel, of_height((0.03, 0.1), (0.8, 1.3)), "inline_initial", _BOOK, 0.7
    ),
    "drop_capital_painted": _entry(
        "drop_capital",
        drop_capital.draw_painted,
        of_height((0.04, 0.16), (0.6, 1.15)),
        "inline_initial",
        _MANUSCRIPT,
        2.0,
    ),
    "drop_capital_small_painted": _entry(
        "drop_capital", drop_capital.draw_painted, of_height((0.02, 0.05), (0.8, 1.1)), "inline_initial", _BOOK, 1.0
    ),
    "stamp_round": _entry("stamp", stamp.draw_round, of_height((0.025, 0.13), (0.85, 1.5)), "overlay", _ALL, 4.0),
    "stamp_box": _entry("stamp", stamp.draw_box, of_height((0.018, 0.08), (1.3, 4.5)), "overlay", _ALL, 1.5),
    "stamp_device": _entry("stamp", stamp.draw_shield, of_height((0.025, 0.09), (0.7, 1.1)), "overlay", _ALL, 1.0),
    "seal_wax": _entry("seal", seal.draw_wax, of_height((0.05, 0.25), (0.7, 1.1)), "overlay", _ALL, 1.5),
    "seal_paper": _entry("seal", seal.draw_paper_seal, of_height((0.06, 0.16), (0.95, 1.1)), "overlay", _ALL, 0.7),
    "seal_pendant": _entry("seal", seal.draw_pendant, of_height((0.1, 0.3), (0.45, 0.7)), "foot", _MANUSCRIPT, 0.7),
    "signature_name": _entry(
        "signature", signature.draw_name, of_column((0.18, 0.6), (0.2, 0.5), max_height=0.12), "foot", _ALL, 2.0
    ),
    "signature_scrawl": _entry(
        "signature", signature.draw_scrawl, of_height((0.025, 0.08), (1.0, 3.0)), "overlay", _ALL, 0.7
    ),
    "table_ruled": _entry("table", table.draw_ruled, of_column((0.6, 1.0), (0.2, 1.4)), "block", _ALL, 1.5),
    "table_open": _entry("table", table.draw_open, of_column((0.6, 1.0), (0.2, 1.4)), "block", _MODERN, 1.0),
    "table_form": _entry("table", table.draw_form, of_column((0.7, 1.0), (0.3, 1.4)), "block", _ALL, 0.7),
    "table_numbers": _entry("table", table.draw_numbers, of_column((0.5, 1.0), (0.3, 1.4)), "block", _PRINT, 0.7),
    "music_chant": _entry("music", music.draw_chant, of_column((0.8, 1.0), (0.15, 1.5)), "block", _BOOK, 1.5),
    "music_mensural": _entry("music", music.draw_mensural, of_column((0.8, 1.0), (0.12, 1.2)), "block", _BOOK, 0.8),
    "music_score": _entry("music", music.draw_score, of_column((0.8, 1.0), (0.12, 1.4)), "block", _MODERN, 1.5),
    "music_tablature": _entry("music", music.draw_tablature, of_column((0.8, 1.0), (0.15, 1.2)), "block", _BOOK, 0.4),
    "map_coast": _entry("map", maps.draw_coast, of_page((0.5, 0.97), (0.4, 0.97)), "full_page", _ALL, 1.2),
    "map_block": _entry("map", maps.draw_coast, of_column((0.5, 1.0), (0.5, 1.3)), "block", _ALL, 0.8),
    "map_town": _entry("map", maps.draw_town_plan, of_column((0.6, 1.0), (0.6, 1.4)), "block", _MODERN, 0.7),
    "map_survey": _entry("map", maps.draw_survey, of_page((0.5, 0.97), (0.4, 0.97)), "full_page", _MODERN, 0.7),
    "map_globe": _entry("map", maps.draw_globe, of_column((0.6, 1.0), (0.5, 1.1)), "block", _BOOK, 0.6),
}

DISTRACTORS: dict[str, ObjectClass] = {
    "heading": _entry("heading", display.draw_heading, of_column((0.4, 1.0), (0.04, 0.18)), "block", _MODERN, 3.0),
    "title_page": _entry(
        "title_page", display.draw_title_page, of_page((0.5, 0.8), (0.4, 0.85)), "full_page", _PRINT, 1.5
    ),
    "penned_heading": _entry(
        "penned_heading", display.draw_penned_heading, of_column((0.5, 1.0), (0.05, 0.15)), "block", _MANUSCRIPT, 1.5
    ),
    "capitals": _entry("capitals", display.draw_capitals, of_column((0.3, 1.0), (0.03, 0.07)), "block", _MODERN, 1.5),
    "newspaper_head": _entry(
        "newspaper_head", display.draw_newspaper_head, of_column((0.6, 1.0), (0.12, 0.45)), "block", _MODERN, 0.8
    ),
    "rule": _entry("rule", furniture.draw_rule, of_column((0.3, 1.0), (0.01, 0.03)), "block", _MODERN, 1.5),
    "page_number": _entry(
        "page_number", furniture.draw_page_number, of_height((0.012, 0.025), (2.0, 4.0)), "overlay", _ALL, 1.5
    ),
    "shelf_mark": _entry(
        "shelf_mark", furniture.draw_shelf_mark, of_height((0.02, 0.06), (1.5, 4.0)), "overlay", _ALL, 1.0
    ),
    "marginal_note": _entry(
        "marginal_note", furniture.draw_marginal_note, of_page((0.06, 0.16), (0.05, 0.35)), "margin", _ALL, 1.5
    ),
    "brace": _entry("brace", furniture.draw_brace, of_page((0.015, 0.05), (0.05, 0.25)), "margin", _ALL, 0.6),
    "asterism": _entry(
        "asterism", furniture.draw_asterism, of_height((0.012, 0.022), (2.0, 5.0)), "block", _MODERN, 0.7
    ),
    "credit": _entry("credit", furniture.draw_credit, of_page((0.3, 0.6), (0.01, 0.016)), "foot", _ALL, 0.5),
    "underlining": _entry(
        "underlining", furniture.draw_underlining, of_column((0.4, 1.0), (0.1, 0.5)), "overlay", _ALL, 0.5
    ),
    "correction": _entry(
        "correction", furniture.draw_correction, of_height((0.012, 0.06), (1.0, 5.0)), "overlay", _ALL, 1.5
    ),
    "pilcrows": _entry(
        "pilcrows", furniture.draw_pilcrows, of_page((0.015, 0.03), (0.2, 0.8)), "margin", _MANUSCRIPT, 0.8
    ),
    "label": _entry("label", furniture.draw_label, of_height((0.03, 0.08), (1.0, 2.2)), "overlay", _ALL, 0.5),
    "blot": _entry("blot", damage.draw_blot, of_height((0.01, 0.08), (0.6, 1.6)), "overlay", _ALL, 0.8),
    "stain": _entry("stain", damage.draw_stain, of_height((0.06, 0.5), (0.6, 1.6)), "overlay", _ALL, 0.8),
    "hole": _entry("hole", damage.draw_hole, of_height((0.008, 0.05), (0.7, 1.4)), "overlay", _ALL, 0.6),
    "show_through": _entry(
        "show_through", damage.draw_show_through, of_page((0.5, 0.85), (0.3, 0.85)), "overlay", _BOOK, 1.0
    ),
    "colour_checker": _entry(
        "colour_checker", damage.draw_colour_checker, of_height((0.03, 0.06), (4.0, 10.0)), "overlay", _ALL, 0.4
    ),
    "ruler": _entry("ruler", damage.draw_ruler, of_height((0.02, 0.035), (8.0, 20.0)), "overlay", _ALL, 0.4),
    "book_edge": _entry("book_edge", damage.draw_book_edge, of_page((0.01, 0.05), (0.9, 1.0)), "margin", _ALL, 0.6),
    "tape": _entry("tape", damage.draw_tape, of_height((0.02, 0.05), (2.0, 8.0)), "overlay", _ALL, 0.4),
    "fold": _entry("fold", damage.draw_fold, of_height((0.3, 1.0), (0.01, 0.02)), "overlay", _ALL, 0.4),
    "dark_strip": _entry("dark_strip", damage.draw_bars, of_page((0.01, 0.04), (0.4, 1.0)), "margin", _ALL, 0.4),
}
