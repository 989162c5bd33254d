from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from farthing.documents.synthetic.objects.ornament import (
    draw_knots,
    draw_rinceau,
    draw_sorts,
    scroll,
    sort_shapes,
    tangle,
)
from farthing.documents.synthetic.strokes import Canvas

_Box = tuple[float, float, float, float]


def _sorts(canvas: Canvas, rng: np.random.Generator, box: _Box) -> None:
    draw_sorts(canvas, rng, box, flip=False)


_DRAWS: tuple[Callable[[Canvas, np.random.Generator, _Box], None], ...] = (draw_rinceau, draw_knots, _sorts)


@pytest.mark.parametrize("draw", _DRAWS)
@pytest.mark.parametrize("box", [(10, 10, 190, 40), (10, 10, 40, 190)])
def test_ornaments_fill_their_box_lying_or_upright(
    draw: Callable[[Canvas, np.random.Generator, _Box], None], box: tuple[int, int, int, int]
) -> None:
    x0, y0, x1, y1 = box
    for seed in range(4):
        canvas = Canvas(200, 200)
        draw(canvas, np.random.default_rng(seed), box)
        ink = canvas.ink()
        assert 0.08 < ink[y0:y1, x0:x1].mean() < 0.9
        assert ink[y0:y1, x0:x1].sum() > 0.85 * ink.sum()
        along = ink[y0:y1, x0:x1].max(axis=0 if x1 - x0 > y1 - y0 else 1)
        assert (along > 0.2).mean() > 0.6


def test_foliage_is_symmetrical() -> None:
    canvas = Canvas(200, 50)
    draw_rinceau(canvas, np.random.default_rng(2), (0, 0, 200, 50))
    ink = canvas.ink()
    assert np.abs(ink - ink[:, ::-1]).mean() < 0.02


def test_every_piece_of_type_is_symmetrical_and_within_its_square() -> None:
    for seed in range(30):
        shapes = sort_shapes(np.random.default_rng(seed))
        half = len(shapes) // 2
        for left, right in zip(shapes[:half], shapes[half:], strict=True):
            np.testing.assert_allclose(left * (-1, 1), right)
        assert np.abs(np.concatenate(shapes)).max() < 0.85


def test_a_scroll_stays_around_its_eye() -> None:
    for seed in range(10):
        outlines = scroll(np.random.default_rng(seed), 50, 60, 20, start=1.0, turns=1.3)
        assert np.hypot(*(np.concatenate(outlines) - (50, 60)).T).max() < 40


@pytest.mark.parametrize("width", [60, 61])
def test_a_tangle_is_symmetrical_neither_empty_nor_full_and_new_every_time(width: int) -> None:
    shares = []
    for seed in range(6):
        ink = tangle(np.random.default_rng(seed), width, 40)
        assert ink.shape == (40, width)
        np.testing.assert_array_equal(ink, ink[:, ::-1])
        shares.append(float(ink.mean()))
    assert all(0.02 < share < 0.8 for share in shares)
    assert len(set(shares)) == len(shares)
