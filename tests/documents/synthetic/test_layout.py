"""Areas filled with text and objects."""

from __future__ import annotations

import numpy as np
import pytest

from farthing.documents.synthetic.drawing import Drawing, Look, ObjectClass, Placement, from_ink
from farthing.documents.synthetic.filling import fill_page
from farthing.documents.synthetic.layers import Layers, Rect
from farthing.documents.synthetic.layout import Sheet, Wish, fill_area, run_text
from farthing.documents.synthetic.lines import prose
from farthing.documents.synthetic.setting import Typesetter
from farthing.documents.synthetic.style import PageStyle
from tests.documents.synthetic.styles import AREA, plain_style


def _wish(width: int, height: int, *, placement: Placement = "block", name: str | None = "illustration") -> Wish:
    def draw(rng: np.random.Generator, look: Look, width: int, height: int) -> Drawing:
        return from_ink(np.ones((height, width), np.float32), look.ink)

    def sample_size(rng: np.random.Generator, page_w: int, page_h: int, column_w: int) -> tuple[int, int]:
        return width, height

    return Wish(
        kind=ObjectClass(name=name or "thing", draw=draw, sample_size=sample_size, placement=placement), name=name
    )


def _sheet(style: PageStyle, seed: int = 0) -> Sheet:
    rng, layers = np.random.default_rng(seed), Layers.blank(style.width, style.height)
    return Sheet(rng=rng, style=style, layers=layers, setter=Typesetter(rng, style, layers))


def test_text_fills_an_area_line_by_line() -> None:
    sheet = _sheet(plain_style())
    end = run_text(sheet, AREA, prose(sheet.rng, sheet.style, AREA.width))
    ink = sheet.layers.ink
    assert AREA.y1 - 12 <= end <= AREA.y1 + 13
    assert not ink[:49].any()
    assert not ink[352:].any()
    assert not ink[:, :39].any()
    assert not ink[:, 261:].any()
    profile = (ink[50:350] > 60).sum(axis=1)
    assert (profile[np.arange(0, 288, 12) + 6] > 40).mean() > 0.9


@pytest.mark.parametrize("columns", [1, 2, 3])
@pytest.mark.parametrize("seed", range(8))
def test_objects_stand_in_the_area_apart_from_text_and_each_other(columns: int, seed: int) -> None:
    sheet = _sheet(plain_style(columns=columns), seed)
    fill_area(sheet, AREA, prose, [_wish(60, 50), _wish(60, 30), _wish(180, 60)])
    rects = [placed.rect for placed in sheet.layers.objects]
    assert len(rects) == 3
    for place, rect in enumerate(rects):
        assert rect.x0 >= AREA.x0 - 1
        assert rect.y0 >= AREA.y0 - 1
        assert rect.x1 <= AREA.x1 + 1
        assert rect.y1 <= AREA.y1 + 1
        assert not any(rect.overlaps(other) for other in rects[:place])
        inside = sheet.layers.ink[round(rect.y0) + 2 : round(rect.y1) - 2, round(rect.x0) : round(rect.x1)]
        assert (inside > 60).mean() < 0.01


def test_an_object_that_does_not_fit_is_left_out() -> None:
    sheet = _sheet(plain_style())
    fill_area(sheet, AREA, prose, [_wish(200, 2000)])
    assert not sheet.layers.objects


@pytest.mark.parametrize("seed", range(8))
def test_lines_make_room_for_initials(seed: int) -> None:
    sheet = _sheet(plain_style(), seed)
    sheet.initials = [_wish(34, 36, placement="inline_initial", name="drop_capital") for _ in range(3)]
    fill_area(sheet, AREA, prose, [])
    assert sheet.layers.objects
    for placed in sheet.layers.objects:
        rect = placed.rect
        assert placed.name == "drop_capital"
        assert rect.height == pytest.approx(36, abs=4), "it spans three lines"
        inside = sheet.layers.ink[round(rect.y0) + 1 : round(rect.y1) - 2, max(0, round(rect.x0)) : round(rect.x1)]
        assert (inside > 60).mean() < 0.02


@pytest.mark.parametrize("seed", range(10))
def test_margins_feet_and_overlays_are_placed_on_the_sheet(seed: int) -> None:
    wishes = [
        _wish(30, 40, placement="overlay", name="stamp"),
        _wish(20, 60, placement="margin", name="decoration"),
        _wish(60, 30, placement="foot", name="signature"),
    ]
    layers = fill_page(np.random.default_rng(seed), plain_style(), wishes)
    page = Rect(0, 0, 300, 400)
    names = [placed.name for placed in layers.objects]
    assert {"stamp", "signature"} <= set(names)
    for place, placed in enumerate(layers.objects):
        rect = placed.rect
        assert page.x0 <= rect.x0 < rect.x1 <= page.x1
        assert page.y0 <= rect.y0 < rect.y1 <= page.y1
        assert not any(rect.overlaps(other.rect) for other in layers.objects[:place])


def test_a_border_surrounds_the_text() -> None:
    wish = _wish(270, 360, placement="overlay", name="decoration")
    layers = fill_page(np.random.default_rng(1), plain_style(), [wish])
    (placed,) = layers.objects
    outside = layers.ink.copy()
    outside[round(placed.rect.y0) : round(placed.rect.y1), round(placed.rect.x0) : round(placed.rect.x1)] = 0
    assert np.count_nonzero(outside > 60) < 0.15 * np.count_nonzero(layers.ink > 60)


def test_a_full_page_object_takes_the_place_of_the_text() -> None:
    wishes = [_wish(250, 330, placement="full_page", name="map")]
    layers = fill_page(np.random.default_rng(0), plain_style(), wishes)
    assert [placed.name for placed in layers.objects] == ["map"]
    assert layers.objects[0].rect.width == 250


def test_a_labelled_block_is_not_lost_to_a_title_that_fills_the_page() -> None:
    wishes = [_wish(80, 60), _wish(250, 330, placement="full_page", name=None)]
    layers = fill_page(np.random.default_rng(0), plain_style(), wishes)
    assert "illustration" in [placed.name for placed in layers.objects]
