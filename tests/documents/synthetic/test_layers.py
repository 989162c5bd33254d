"""Layers of ink and the objects on them."""

from __future__ import annotations

import numpy as np
import pytest

from farthing.documents.synthetic.drawing import from_ink
from farthing.documents.synthetic.layers import Layers, Rect, stamp_ink


@pytest.mark.parametrize(
    ("x", "y", "wanted"),
    [(2, 3, 6), (-1, 0, 4), (0, -2, 0), (8, 8, 4), (9, 9, 1), (10, 0, 0), (-3, 0, 0)],
)
def test_ink_outside_the_layer_is_lost(x: float, y: float, wanted: int) -> None:
    plane = np.zeros((10, 10), np.uint8)
    stamp_ink(plane, np.full((2, 3), 200, np.uint8), x, y)
    assert np.count_nonzero(plane) == wanted


def test_the_darker_ink_wins_and_strength_lightens() -> None:
    plane = np.full((4, 4), 120, np.uint8)
    stamp_ink(plane, np.array([[100, 200]], np.uint8), 0, 0)
    stamp_ink(plane, np.array([[250, 250]], np.uint8), 2, 0, strength=0.8)
    assert plane[0].tolist() == [120, 200, 200, 200]


def test_free_places_are_those_without_objects() -> None:
    layers = Layers.blank(100, 80)
    layers.put(from_ink(np.ones((10, 20), np.float32), (0, 0, 0)), 30, 40, "stamp")
    assert (layers.width, layers.height) == (100, 80)
    assert layers.objects[0].rect == Rect(30, 40, 50, 50)
    assert not layers.is_free(Rect(49, 49, 60, 60))
    assert layers.is_free(Rect(50, 50, 60, 60))
    assert not layers.is_free(Rect(50, 50, 60, 60), gap=2)
