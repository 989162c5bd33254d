from __future__ import annotations

import numpy as np
import pytest

from farthing.documents.synthetic.objects.sizes import of_column, of_height, of_page

_RNG = np.random.default_rng(0)


def test_sizes_of_the_page_are_fractions_of_its_sides() -> None:
    sizes = np.array([of_page((0.2, 0.4), (0.6, 0.8))(_RNG, 500, 1000, 50) for _ in range(200)])
    assert sizes[:, 0].min() >= 100
    assert sizes[:, 0].max() <= 200
    assert sizes[:, 1].min() >= 600
    assert sizes[:, 1].max() <= 800


def test_sizes_of_the_column_keep_their_aspect_and_their_limit() -> None:
    sizes = np.array([of_column((0.5, 1.0), (0.5, 2.0))(_RNG, 500, 1000, 200) for _ in range(200)])
    assert sizes[:, 0].min() >= 100
    assert sizes[:, 0].max() <= 200
    assert ((sizes[:, 1] / sizes[:, 0] > 0.49) & (sizes[:, 1] / sizes[:, 0] < 2.02)).all()
    assert np.median(sizes[:, 1] / sizes[:, 0]) == pytest.approx(1, abs=0.15)
    assert of_column((1.0, 1.0), (50.0, 50.0), max_height=0.3)(_RNG, 500, 1000, 200) == (200, 300)


def test_sizes_by_height_never_pass_the_page() -> None:
    assert of_height((0.5, 0.5), (9.0, 9.0))(_RNG, 500, 1000, 200) == (475, 500)
    assert of_height((0.1, 0.1), (0.5, 0.5))(_RNG, 500, 1000, 200) == (50, 100)


def test_no_side_is_lost() -> None:
    assert of_page((0.001, 0.001), (0.001, 0.001))(_RNG, 100, 100, 50) == (8, 8)
