"""Ways of arranging lines."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from farthing.documents.synthetic.lines import TEXTURES, prose, title
from tests.documents.synthetic.styles import plain_style

ALL = {**TEXTURES, "title": title}


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("seed", range(5))
def test_lines_stay_in_their_column(name: str, seed: int) -> None:
    paragraphs = list(islice(ALL[name](np.random.default_rng(seed), plain_style(), 200.0), 40))
    assert all(paragraphs)
    for line in (line for paragraph in paragraphs for line in paragraph):
        assert 0 <= line.start < line.end <= 1
        assert line.end + line.leader <= 1
        assert line.advance > 0
        assert 0.3 < line.size < 6


@pytest.mark.parametrize("name", ["prose", "verse", "drama"])
def test_initials_find_the_first_lines_of_paragraphs(name: str) -> None:
    paragraphs = list(islice(TEXTURES[name](np.random.default_rng(0), plain_style(), 200.0), 20))
    firsts = [paragraph[0].is_first for paragraph in paragraphs]
    assert sum(firsts) >= 10
    assert not any(line.is_first for paragraph in paragraphs for line in paragraph[1:])


def test_prose_fills_all_lines_but_the_last() -> None:
    for paragraph in islice(prose(np.random.default_rng(1), plain_style(), 200.0), 20):
        assert paragraph[0].start == pytest.approx(10 / 200)
        assert all(line.align == "justify" and line.end == 1 for line in paragraph[:-1])
        assert paragraph[-1].align == "left"
