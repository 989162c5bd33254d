"""Paper, and ink laid on it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from farthing.documents.synthetic.drawing import Drawing
from farthing.documents.synthetic.layers import Layers
from farthing.documents.synthetic.paper import compose, make_paper
from tests.documents.synthetic.styles import plain_style


def test_paper_has_about_its_tone() -> None:
    for seed in range(20):
        paper = make_paper(np.random.default_rng(seed), (230, 220, 200), 151, 203)
        assert paper.shape == (203, 151, 3)
        assert np.abs(np.median(paper.reshape(-1, 3), axis=0) - (230, 220, 200)).max() < 45


def test_ink_takes_its_colour_at_full_cover_and_leaves_the_rest() -> None:
    style, paper = plain_style(), np.full((400, 300, 3), (230, 220, 200), np.uint8)
    layers = Layers.blank(300, 400)
    layers.ink[100:120] = 255
    layers.accent[200:220] = 255
    for seed in range(20):
        page = compose(np.random.default_rng(seed), style, layers, paper.copy(), verso=None)
        assert (page[:99] == (230, 220, 200)).all()
        assert (page[100:120].max(axis=2) < 140).all()
        assert page[205, 100, 0] > page[205, 100, 2] + 20
        # Even ink is exactly its colour.
        if np.ptp(page[100:120, :, 0]) == 0:
            assert np.abs(page[110, 150].astype(int) - style.look.ink).max() <= 2


def test_half_cover_mixes_half() -> None:
    style, paper = replace(plain_style(), strength=1.0), np.full((400, 300, 3), 200, np.uint8)
    layers = Layers.blank(300, 400)
    layers.ink[:] = 128
    tones = [
        int(compose(np.random.default_rng(seed), style, layers, paper, verso=None)[200, 150, 0]) for seed in range(8)
    ]
    assert abs(min(tones) - (200 + 30) / 2) <= 3


def test_the_other_side_shines_through_mirrored() -> None:
    paper, verso = np.full((400, 300, 3), 220, np.uint8), np.zeros((400, 300), np.uint8)
    verso[:, :60] = 255
    page = compose(np.random.default_rng(0), plain_style(), Layers.blank(300, 400), paper, verso=verso)
    assert page[:, -50:].mean() < page[:, :230].mean() - 3


def test_objects_cover_each_other_and_end_at_the_edge() -> None:
    layers = Layers.blank(300, 400)
    for x, tone in ((-10, 10), (5, 90), (290, 40)):
        color = np.full((20, 30, 3), tone, np.uint8)
        layers.put(Drawing(color=color, alpha=np.ones((20, 30), np.float32)), x, 50, "stamp")
    paper = np.full((400, 300, 3), 220, np.uint8)
    page = compose(np.random.default_rng(0), plain_style(), layers, paper, verso=None)
    assert page[55, [2, 10, 34, 36, 295], 0].tolist() == [10, 90, 90, 220, 40]
    assert (paper == 220).all(), "the paper that was given is left as it was"
