from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.base.errors import DataError
from farthing.documents.query.planting import LARGEST_SHARE, PlantConfig, cut_out, plant_page

STEADY = PlantConfig(most=1, bare=0.0, scale=1.0, turn=0.0, fade=1.0)


def square(side: int = 20, ink: int = 50, paper: int = 200) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    crop = np.full((side, side), paper, np.uint8)
    crop[4:-4, 4:-4] = ink
    return crop


def test_paper_lets_all_light_through_and_ink_its_share() -> None:
    cutout = cut_out(square(), page_side=200)
    assert cutout.transmission[0, 0] == 1
    assert cutout.transmission[10, 10] == pytest.approx(50 / 200)
    assert cutout.size == (0.1, 0.1)


def test_paper_of_another_tone_gives_the_same_object() -> None:
    light, dark = (cut_out(square(ink=paper // 4, paper=paper), page_side=200) for paper in (240, 120))
    np.testing.assert_allclose(light.transmission, dark.transmission, atol=1e-6)


@pytest.mark.parametrize(
    ("crop", "message"),
    [(np.zeros((3, 9), np.uint8), "at least 4 x 4"), (np.full((9, 9), 200, np.uint8), "nothing but paper")],
)
def test_crops_that_show_nothing(crop: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], message: str) -> None:
    with pytest.raises(DataError, match=message):
        cut_out(crop, page_side=100)


def test_a_planted_object_darkens_its_box_and_nothing_else() -> None:
    page = np.full((100, 80), 180, np.uint8)
    planted, labels = plant_page(
        page, [cut_out(square(), page_side=100)], STEADY, np.random.default_rng(0), page="p", name="seal"
    )
    assert (page == 180).all()
    assert labels.labels == ("seal",)
    assert (labels.page, labels.width, labels.height) == ("p", 80, 100)
    x0, y0, x1, y1 = labels.boxes[0].astype(int)
    assert planted[y0:y1, x0:x1].min() == pytest.approx(180 / 4, abs=12)  # a stretch of up to a tenth blurs it
    outside = planted.copy()
    outside[y0:y1, x0:x1] = 180
    assert (outside == 180).all()


@given(
    height=st.integers(8, 120),
    width=st.integers(8, 120),
    side=st.integers(5, 60),
    most=st.integers(1, 3),
    seed=st.integers(0, 99),
)
def test_boxes_lie_inside_the_page_and_apart(height: int, width: int, side: int, most: int, seed: int) -> None:
    crop = np.full((side, side), 220, np.uint8)
    crop[1:-1, 1:-1] = 30
    config = PlantConfig(most=most, bare=0.2)
    page = np.full((height, width), 200, np.uint8)
    cutout = cut_out(crop, page_side=max(height, width))
    assert max(cutout.size) <= LARGEST_SHARE + 1e-6
    _, labels = plant_page(page, [cutout], config, np.random.default_rng(seed), page="", name="x")
    assert len(labels.boxes) == len(labels.labels) <= most
    for index, box in enumerate(labels.boxes):
        assert 0 <= box[0] < box[2] <= width
        assert 0 <= box[1] < box[3] <= height
        for other in labels.boxes[:index]:
            assert box[0] >= other[2] or box[2] <= other[0] or box[1] >= other[3] or box[3] <= other[1]


def test_the_share_of_bare_pages() -> None:
    cutout = cut_out(square(), page_side=200)
    page, config = np.full((90, 70), 200, np.uint8), PlantConfig(bare=0.4)
    drawn = [
        len(plant_page(page, [cutout], config, np.random.default_rng(seed), page="", name="x")[1].boxes)
        for seed in range(400)
    ]
    assert np.mean(np.array(drawn) == 0) == pytest.approx(0.4, abs=0.08)


def test_decoys_are_planted_like_objects_and_not_told_of() -> None:
    page = np.full((100, 80), 180, np.uint8)
    cutout = cut_out(square(), page_side=100)
    config = PlantConfig(most=1, bare=0.5, decoys=(2, 2), turn=0.0)
    changed, told = [], []
    for seed in range(40):
        planted, labels = plant_page(
            page, [cutout], config, np.random.default_rng(seed), page="", name="x", decoys=[cutout]
        )
        changed.append(int((planted < 140).sum()) > 0)
        told.append(len(labels.boxes))
    assert all(changed)
    assert 0 < sum(told) < 40
