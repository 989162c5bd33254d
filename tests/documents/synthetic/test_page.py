"""Whole synthetic pages."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from farthing.documents.classes import CLASSES
from farthing.documents.synthetic.config import SynthesisConfig
from farthing.documents.synthetic.page import SyntheticPage, synthesize_page
from farthing.documents.synthetic.write import make_page

SMALL = SynthesisConfig(min_side=256, max_side=320)


def _digest(page: SyntheticPage) -> str:
    return hashlib.sha256(page.page.pixels.tobytes() + page.labels.boxes.tobytes()).hexdigest()


@pytest.mark.parametrize("seed", range(4))
def test_the_same_seed_gives_the_same_bytes_whatever_was_made_before(seed: int) -> None:
    first = _digest(synthesize_page(seed, SMALL))
    synthesize_page(seed + 100, SMALL)
    assert _digest(synthesize_page(seed, SMALL)) == first
    assert _digest(synthesize_page(seed + 1, SMALL)) != first


@pytest.mark.slow
def test_pages_keep_what_they_promise() -> None:
    config = SynthesisConfig(min_side=300, max_side=400)
    pages = [make_page(1, number, config) for number in range(150)]
    seen: set[str] = set()
    for made in pages:
        height, width = made.page.pixels.shape[:2]
        assert (made.page.width, made.page.height) == (width, height) == (made.labels.width, made.labels.height)
        assert 300 <= max(height, width) <= 400
        boxes = made.labels.boxes
        assert boxes.shape == (len(made.labels.labels), 4)
        assert boxes.dtype == np.float32
        assert (boxes >= 0).all()
        assert (boxes[:, [0, 2]] <= width).all()
        assert (boxes[:, [1, 3]] <= height).all()
        assert (boxes[:, 2:] - boxes[:, :2] >= 5).all()
        seen.update(made.labels.labels)
    assert seen == set(CLASSES)
    bare = np.mean([not made.labels.labels for made in pages])
    assert 0.25 < bare < 0.55


def test_only_classes_that_are_asked_for_are_drawn() -> None:
    config = SynthesisConfig(min_side=256, max_side=300, classes=("stamp", "music"), bare_share=0.0)
    names = {name for number in range(12) for name in make_page(2, number, config).labels.labels}
    assert names == {"stamp", "music"}


def test_bare_pages_have_no_labels() -> None:
    config = SynthesisConfig(min_side=256, max_side=300, bare_share=1.0)
    assert not any(make_page(3, number, config).labels.labels for number in range(8))


def test_boxes_hold_something_darker_or_lighter_than_paper() -> None:
    config = SynthesisConfig(min_side=300, max_side=340, bare_share=0.0)
    for number in range(12):
        made = make_page(4, number, config)
        for box in made.labels.boxes.astype(int):
            crop = made.page.pixels[box[1] : box[3], box[0] : box[2], 1]
            assert np.ptp(crop) >= 14
