from __future__ import annotations

import numpy as np
import pytest

from farthing.documents.synthetic.drawing import Drawing
from farthing.documents.synthetic.objects.frames import (
    empty_sheet,
    ink_over,
    ornament_band,
    oval_rules,
    painted_bands,
    put,
    rules,
    shape_mask,
)
from tests.documents.synthetic.objects.looks import LOOK


def _rng() -> np.random.Generator:
    return np.random.default_rng(3)


@pytest.mark.parametrize("kind", ["rectangle", "oval", "arch", "fade"])
@pytest.mark.parametrize(("width", "height"), [(60, 40), (30, 90)])
def test_masks_hold_the_middle_and_leave_what_their_shape_leaves(kind: str, width: int, height: int) -> None:
    mask = shape_mask(_rng(), kind, width, height)
    assert mask.shape == (height, width)
    assert mask.min() >= 0
    assert mask.max() <= 1
    assert mask[height // 2, width // 2] == 1
    assert mask[0, 0] == (1 if kind == "rectangle" else 0)
    assert mask[-1, 0] == (1 if kind in ("rectangle", "arch") else 0)


def test_an_oval_has_the_area_of_an_ellipse() -> None:
    assert shape_mask(_rng(), "oval", 100, 60).mean() == pytest.approx(np.pi / 4, abs=0.02)


def test_putting_a_drawing_down_looks_like_laying_both_over_the_page() -> None:
    rng = _rng()

    def drawing(width: int, height: int) -> Drawing:
        color = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        return Drawing(color=color, alpha=rng.random((height, width), dtype=np.float32))

    def over(
        page: np.ndarray[tuple[int, ...], np.dtype[np.float64]], top: Drawing
    ) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        alpha = top.alpha[..., None].astype(np.float64)
        return page * (1 - alpha) + top.color * alpha

    sheet, top = drawing(12, 9), drawing(5, 4)
    page = np.full((9, 12, 3), 200.0)
    expected = over(page, sheet)
    expected[2:6, 3:8] = over(expected[2:6, 3:8], top)
    put(sheet, top, 3, 2)
    np.testing.assert_allclose(over(page, sheet), expected, atol=1.5)


def test_ink_lies_over_a_sheet_only_where_there_is_some() -> None:
    sheet = empty_sheet(3, 1, (100, 100, 100))
    sheet.alpha[:] = 0.5
    ink_over(sheet, np.array([[0, 1, 0.75]], np.float32), (0, 20, 40))
    np.testing.assert_array_equal(sheet.color[0], [[100, 100, 100], [0, 20, 40], [25, 40, 55]])
    np.testing.assert_array_equal(sheet.alpha, np.array([[0.5, 1, 0.75]], np.float32))


def test_rules_run_along_all_four_sides_and_leave_the_middle_free() -> None:
    for seed in range(5):
        rng = np.random.default_rng(seed)
        ink = rules(rng, 80, 60, heavy=bool(seed % 2))
        assert ink[30, :4].max() > 0.5
        assert ink[30, -4:].max() > 0.5
        assert ink[:4, 40].max() > 0.5
        assert ink[-4:, 40].max() > 0.5
        assert ink[20:40, 25:55].max() == 0
        assert oval_rules(rng, 80, 60)[0, 0] == 0


def test_bands_leave_room_for_the_picture() -> None:
    for seed in range(6):
        sheet = painted_bands(np.random.default_rng(seed), LOOK, 70, 90, 8)
        assert sheet.alpha[8:-8, 8:-8].max() == 0
        assert sheet.alpha[:5].min() > 0.8


def test_a_band_of_ornaments_is_the_same_on_opposite_sides() -> None:
    ink = ornament_band(np.random.default_rng(1), 120, 160, 16)
    upper, lower = ink[2:14, 20:-20], ink[-14:-2, 20:-20]
    assert np.corrcoef(upper.ravel(), lower.ravel())[0, 1] > 0.9
    assert 0.05 < upper.mean() < 0.95
