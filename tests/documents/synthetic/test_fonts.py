from __future__ import annotations

import numpy as np
import pytest

from farthing.documents.synthetic.fonts import (
    KINDS,
    choose_font,
    find_fonts,
    kinds_of,
    make_word,
    make_words,
    paste,
    set_line,
)


@pytest.mark.parametrize("kind", KINDS)
def test_there_is_a_font_of_each_kind_and_it_sets_letters(kind: str) -> None:
    assert find_fonts()[kind]
    for path in find_fonts()[kind]:
        ink = set_line("Hn", path, 20)
        assert 10 <= ink.shape[0] <= 24
        assert ink.max() == 1
        # Cut to its ink, but for the space that belongs to the letters.
        assert ink[0].max() > 0
        assert ink[-1].max() > 0
        assert np.ptp(np.flatnonzero(ink.max(axis=0))) >= ink.shape[1] - 4


def test_letters_differ() -> None:
    path = find_fonts()["roman"][0]
    assert not np.array_equal(set_line("I", path, 20), set_line("M", path, 20))


def test_type_is_stretched_and_small_type_is_set_all_the_same() -> None:
    path = find_fonts()["roman"][0]
    assert set_line("word", path, 24, stretch=1.5).shape[1] == pytest.approx(
        1.5 * set_line("word", path, 24).shape[1], abs=1
    )
    assert set_line("word", path, 0.1).shape == set_line("word", path, 3).shape


def test_an_empty_line_is_an_empty_pixel() -> None:
    np.testing.assert_array_equal(set_line("", find_fonts()["sans"][0], 12), np.zeros((1, 1)))


@pytest.mark.parametrize(("x", "y", "total"), [(0, 0, 6), (4, 3, 1), (-1, -1, 2), (9, 9, 0), (-9, 0, 0)])
def test_pasting_keeps_to_the_sheet(x: int, y: int, total: int) -> None:
    sheet = np.zeros((4, 5), np.float32)
    paste(sheet, np.ones((2, 3), np.float32), x, y)
    assert sheet.sum() == total


def test_pasting_never_lightens() -> None:
    sheet = np.full((2, 2), 0.7, np.float32)
    paste(sheet, np.array([[0.2, 0.9]], np.float32), 0, 0)
    np.testing.assert_array_equal(sheet, np.array([[0.7, 0.9], [0.7, 0.7]], np.float32))


def test_words_are_made_to_length_and_case() -> None:
    rng = np.random.default_rng(0)
    assert make_word(rng, 5, first="upper").isupper()
    assert make_word(rng, 5, first="title")[0].isupper()
    assert len(make_word(rng, 5)) == 5
    assert 40 <= len(make_words(rng, 40)) <= 52


def test_fonts_are_chosen_by_seed() -> None:
    assert [choose_font(np.random.default_rng(seed), "roman") for seed in range(9)] == [
        choose_font(np.random.default_rng(seed), "roman") for seed in range(9)
    ]


def test_typescripts_are_set_in_typewriter_faces() -> None:
    assert "typewriter" in kinds_of("typescript")
    assert "typewriter" not in kinds_of("print")
