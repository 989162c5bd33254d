from __future__ import annotations

import numpy as np
import pytest

from farthing.documents.synthetic.objects.scene import Material, Scene, Spot
from farthing.documents.synthetic.objects.subjects import SUBJECTS, choose_subject
from farthing.documents.synthetic.strokes import points, rectangle


def _scene(width: int = 80, height: int = 60, seed: int = 0) -> Scene:
    return Scene(np.random.default_rng(seed), width, height)


def test_a_shape_covers_what_is_behind_it_outlines_and_all() -> None:
    scene = _scene()
    scene.shape(rectangle(10, 10, 70, 50), Material.STONE, 0.5, shade=0)
    scene.line(points((0, 30), (80, 30)))
    scene.shape(rectangle(30, 20, 50, 40), Material.GOLD, 0.9, shade=0)
    materials, ink = scene.materials(), scene.outlines.ink()
    assert materials[30, 40] == Material.GOLD
    assert materials[30, 15] == Material.STONE
    assert materials[2, 2] == Material.EMPTY
    assert ink[30, 15] > 0.5
    assert ink[28:32, 34:46].max() == 0
    assert ink[20, 40] > 0.4


def test_the_side_away_from_the_light_is_darker() -> None:
    scene = _scene()
    scene.fill(rectangle(10, 5, 70, 55), Material.STONE, 0.3, shade=0.4)
    row = scene.tones()[30, 10:70]
    assert len({round(float(value), 2) for value in row}) == 2
    assert abs(int(np.argmin(row)) - 30) > 0
    assert row.max() - row.min() == pytest.approx(0.4, abs=0.01)


def test_fill_draws_no_contour() -> None:
    scene = _scene()
    scene.fill(rectangle(10, 5, 70, 55), Material.STONE, 0.3)
    assert scene.outlines.ink().max() == 0


def test_a_spot_scales_and_mirrors_about_its_foot() -> None:
    spot = Spot(x=50, y=40, size=10, is_mirrored=True)
    assert spot.point(1, -2) == (40, 20)
    np.testing.assert_array_equal(spot.path((1, -2)), [[40, 20]])


@pytest.mark.parametrize("name", SUBJECTS)
def test_a_subject_that_covers_the_ground_leaves_no_paper_bare(name: str) -> None:
    bare = []
    for seed in range(3):
        scene = _scene(120, 90, seed)
        SUBJECTS[name].draw(scene)
        bare.append(float((scene.materials() == Material.EMPTY).mean()))
        assert scene.outlines.ink().max() > 0.5
    assert (max(bare) < 0.02) if SUBJECTS[name].is_ground_covered else (max(bare) > 0.05)


def test_subjects_are_chosen_from_those_named() -> None:
    rng = np.random.default_rng(0)
    assert {id(choose_subject(rng, ("coat", "mark"))) for _ in range(30)} == {
        id(SUBJECTS["coat"]),
        id(SUBJECTS["mark"]),
    }
