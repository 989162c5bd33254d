"""Strips of words and the lines that are cut from them."""

from __future__ import annotations

import numpy as np
import pytest

from farthing.documents.synthetic.strips import Face, Words, cut_line, full_strip, scaled_strip

ROMAN = Face(kind="roman", index=0)
FACES = (ROMAN, Face(kind="typewriter", index=1), Face(kind="textura", index=2), Face(kind="cursive", index=0))


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("words", ["prose", "capitals", "numbers"])
def test_words_lie_side_by_side_with_paper_between(face: Face, words: Words) -> None:
    strip = full_strip(face, words)
    assert len(strip.starts) > 8
    assert (strip.ends > strip.starts).all()
    assert (strip.starts[1:] > strip.ends[:-1]).all()
    third = strip.ink.shape[0] // 3
    band = strip.ink[third : 2 * third] if face.is_hand else strip.ink
    gaps = [band[:, end:start] for end, start in zip(strip.ends[:-1], strip.starts[1:], strict=True)]
    assert max(int(gap.max()) for gap in gaps) <= 40
    assert strip.ink.max() > 200


def test_a_strip_depends_on_its_key_alone() -> None:
    first = full_strip(ROMAN, "prose").ink.copy()
    full_strip.cache_clear()
    full_strip(Face(kind="italic", index=1), "prose")
    assert np.array_equal(full_strip(ROMAN, "prose").ink, first)


@pytest.mark.parametrize("size", [4.0, 9.5, 30.0])
def test_strips_are_scaled_to_the_size_asked(size: float) -> None:
    strip = scaled_strip(ROMAN, "prose", size)
    assert strip.ink.shape[0] == max(3, round(size))
    assert strip.ends[-1] <= strip.ink.shape[1]


def test_weight_darkens_and_lightens() -> None:
    means = [scaled_strip(ROMAN, "prose", 8.0, weight=weight).ink.mean() for weight in (-0.8, 0.0, 0.8)]
    assert means[0] < means[1] < means[2]


@pytest.mark.parametrize("width", [5.0, 60.0, 333.3])
def test_lines_fit_and_broken_ones_fill_the_width(width: float) -> None:
    strip = scaled_strip(ROMAN, "prose", 9.0)
    rng = np.random.default_rng(0)
    for _ in range(20):
        assert 0 < cut_line(rng, strip, width).shape[1] <= int(width)
        assert cut_line(rng, strip, width, breaks=True).shape[1] == int(width)


def test_a_line_longer_than_the_strip_is_the_strip() -> None:
    strip = scaled_strip(ROMAN, "numbers", 5.0)
    assert 0 < cut_line(np.random.default_rng(0), strip, 1e6, breaks=True).shape[1] <= strip.ink.shape[1]
