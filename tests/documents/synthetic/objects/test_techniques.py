from __future__ import annotations

import numpy as np
import pytest

from farthing.documents.synthetic.drawing import Drawing
from farthing.documents.synthetic.objects.scene import Material, Scene
from farthing.documents.synthetic.objects.techniques import TECHNIQUES
from farthing.documents.synthetic.strokes import rectangle
from tests.documents.synthetic.objects.looks import LOOK


def _greys(name: str, seed: int, *, covered: bool = True) -> tuple[float, float, float]:
    """Mean grey on the page of a light shape, a dark one and the ground, rendered in that technique."""
    scene = Scene(np.random.default_rng(seed), 120, 80)
    if covered:
        scene.fill(rectangle(0, 0, 120, 80), Material.STONE, 0.3, shade=0)
    scene.shape(rectangle(10, 10, 50, 70), Material.ROBE, 0.0, shade=0)
    scene.shape(rectangle(70, 10, 110, 70), Material.ROBE, 0.9, shade=0)
    drawing = TECHNIQUES[name].render(scene, LOOK)
    page = _on_paper(drawing)
    return float(page[20:60, 20:40].mean()), float(page[20:60, 80:100].mean()), float(page[:, :6].mean())


def _on_paper(drawing: Drawing) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    alpha = drawing.alpha[..., None].astype(np.float64)
    mixed: np.ndarray[tuple[int, ...], np.dtype[np.float64]] = (
        np.array(LOOK.paper) * (1 - alpha) + drawing.color * alpha
    ).mean(axis=2)
    return mixed


@pytest.mark.parametrize("name", [name for name in TECHNIQUES if name != "pen"])
def test_what_is_dark_in_the_scene_is_dark_on_the_page(name: str) -> None:
    differences = [light - dark for light, dark, _ in (_greys(name, seed) for seed in range(8))]
    assert np.median(differences) > 15


@pytest.mark.parametrize("name", ["woodcut", "engraving", "pen", "wash", "crayon", "white_line", "painting"])
def test_bare_paper_stays_bare(name: str) -> None:
    paper = float(np.mean(LOOK.paper))
    for seed in range(6):
        assert _greys(name, seed, covered=False)[2] > paper - 3


def test_pen_drawings_are_the_lightest() -> None:
    means = {name: np.mean([_greys(name, seed) for seed in range(8)]) for name in TECHNIQUES}
    assert max(means, key=lambda name: means[name]) == "pen"


@pytest.mark.parametrize("name", TECHNIQUES)
def test_renderings_of_one_scene_vary(name: str) -> None:
    assert len({_greys(name, seed) for seed in range(5)}) == 5
