"""What holds for every object and distractor, looped over the tables: a new entry is tested without a new test."""

from __future__ import annotations

import numpy as np
import pytest

from farthing.documents.classes import CLASSES
from farthing.documents.synthetic.drawing import ObjectClass
from farthing.documents.synthetic.objects.catalogue import DISTRACTORS, OBJECTS
from tests.documents.synthetic.objects.looks import look_of

_EVERYTHING = {**OBJECTS, **DISTRACTORS}
_PAGE = (420, 600)
_COLUMN = 300


def _size(drawn: ObjectClass, seed: int) -> tuple[int, int]:
    return drawn.sample_size(np.random.default_rng(seed), *_PAGE, _COLUMN)


@pytest.mark.parametrize("key", _EVERYTHING)
def test_a_drawing_has_the_size_asked_for_and_a_valid_mask(key: str) -> None:
    drawn = _EVERYTHING[key]
    for seed in range(3):
        width, height = _size(drawn, seed)
        look = look_of(drawn.eras[seed % len(drawn.eras)], is_bitonal=seed == 2)
        drawing = drawn.draw(np.random.default_rng(seed), look, width, height)
        assert drawing.alpha.shape == (height, width)
        assert drawing.color.shape == (height, width, 3)
        assert drawing.alpha.dtype == np.float32
        assert drawing.color.dtype == np.uint8
        assert np.isfinite(drawing.alpha).all()
        assert drawing.alpha.min() >= 0
        assert drawing.alpha.max() <= 1.0001


@pytest.mark.parametrize("key", _EVERYTHING)
@pytest.mark.parametrize(("width", "height"), [(4, 4), (5, 31), (64, 6)])
def test_tiny_and_narrow_drawings_are_drawn_too(key: str, width: int, height: int) -> None:
    drawn = _EVERYTHING[key]
    for seed in range(4):
        drawing = drawn.draw(np.random.default_rng(seed), look_of(drawn.eras[0]), width, height)
        assert drawing.alpha.shape == (height, width)
        assert np.isfinite(drawing.alpha).all()


@pytest.mark.parametrize("key", OBJECTS)
def test_an_object_can_be_seen_and_fills_its_place(key: str) -> None:
    drawn = OBJECTS[key]
    shares = []
    for seed in range(10):
        width, height = _size(drawn, seed)
        drawing = drawn.draw(np.random.default_rng(seed), look_of(drawn.eras[seed % len(drawn.eras)]), width, height)
        bounds = drawing.bounds()
        assert bounds is not None, f"seed {seed} drew nothing that can be seen"
        x0, y0, x1, y1 = bounds
        shares.append((x1 - x0) * (y1 - y0) / (width * height))
    # A page lays its text around the whole drawing, and labels what can be seen of it.
    assert np.median(shares) > 0.35


@pytest.mark.parametrize("key", _EVERYTHING)
def test_the_same_seed_draws_the_same_and_another_something_else(key: str) -> None:
    drawn = _EVERYTHING[key]
    width, height = _size(drawn, 0)
    look = look_of(drawn.eras[0])
    first, again = (drawn.draw(np.random.default_rng(4), look, width, height) for _ in range(2))
    np.testing.assert_array_equal(first.alpha, again.alpha)
    np.testing.assert_array_equal(first.color, again.color)
    others = [drawn.draw(np.random.default_rng(seed), look, width, height) for seed in (5, 6, 7)]
    assert any(
        not np.array_equal(other.alpha, first.alpha) or not np.array_equal(other.color, first.color) for other in others
    )


@pytest.mark.parametrize("key", _EVERYTHING)
def test_sizes_fit_the_page(key: str) -> None:
    for seed in range(40):
        width, height = _size(_EVERYTHING[key], seed)
        assert 4 <= width <= _PAGE[0]
        assert 4 <= height <= _PAGE[1]


def test_every_class_is_drawn_and_no_distractor_bears_a_classes_name() -> None:
    assert {drawn.name for drawn in OBJECTS.values()} == set(CLASSES)
    assert not {drawn.name for drawn in DISTRACTORS.values()} & set(CLASSES)


def test_every_era_has_illustrations_and_distractors_on_the_page() -> None:
    for era in ("manuscript", "print", "typescript"):
        assert any(era in drawn.eras for drawn in OBJECTS.values() if drawn.name == "illustration")
        assert any(era in drawn.eras and drawn.placement == "block" for drawn in OBJECTS.values())
        assert any(era in drawn.eras for drawn in DISTRACTORS.values())
