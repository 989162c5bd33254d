from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from farthing.documents.synthetic.objects import leaves
from farthing.documents.synthetic.objects.scene import Material, Scene


def test_sizes_have_the_density_of_the_dead_leaves_model() -> None:
    radii = leaves._radii(np.random.default_rng(0), 200_000, 0.05, 0.5)
    assert radii.min() >= 0.05
    assert radii.max() <= 0.5
    # With density r^-3 between a and b, the share above r is (r^-2 - b^-2) / (a^-2 - b^-2).
    for limit in (0.07, 0.1, 0.2):
        expected = (limit**-2 - 0.5**-2) / (0.05**-2 - 0.5**-2)
        assert (radii > limit).mean() == pytest.approx(expected, abs=0.005)


def test_leaves_cover_everything_and_a_heap_leaves_paper_at_the_rim() -> None:
    covered, heaped = (Scene(np.random.default_rng(1), 120, 90) for _ in range(2))
    leaves.draw_leaves(covered)
    leaves.draw_heap(heaped)
    assert (covered.materials() != Material.EMPTY).all()
    drawn = heaped.materials() != Material.EMPTY
    assert drawn.any()
    assert not drawn.all()
    assert drawn[30:60, 40:80].mean() > drawn[:10].mean()


@pytest.mark.parametrize("draw", [leaves.draw_leaves, leaves.draw_heap])
def test_pictures_differ_between_seeds_and_repeat_with_one(draw: Callable[[Scene], None]) -> None:
    def tones(seed: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        scene = Scene(np.random.default_rng(seed), 60, 60)
        draw(scene)
        return scene.tones()

    assert (tones(1) == tones(1)).all()
    assert (tones(1) != tones(2)).any()
