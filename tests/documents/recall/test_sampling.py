from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from farthing.base.errors import ConfigError, DataError, FormatError
from farthing.documents.recall.sampling import (
    SAMPLE_FILE,
    check_collection,
    draw,
    draw_sample,
    extend_sample,
    read_sample,
    write_sample,
)

PAGES = [f"book{number % 3}/{number:03}.jpg" for number in range(50)]


def test_every_page_is_as_likely() -> None:
    counts = np.bincount(np.concatenate([draw(40, 10, seed) for seed in range(4000)]), minlength=40)
    assert abs(counts - 1000).max() < 5 * np.sqrt(1000 * 0.75)


def test_a_draw_is_frozen_and_begins_a_larger_one() -> None:
    assert draw(20, 6, 7).tolist() == [3, 8, 12, 13, 14, 16]
    assert draw(20, 12, 7)[:6].tolist() == [3, 8, 12, 13, 14, 16]
    assert len(set(draw(20, 99, 7).tolist())) == 20


def test_the_order_of_the_pages_does_not_matter() -> None:
    assert draw_sample(PAGES, 10, seed=1) == draw_sample(PAGES[::-1], 10, seed=1)


def test_rounds_double_and_end_with_all_pages(tmp_path: Path) -> None:
    first = draw_sample(PAGES, 20, seed=3)
    second = extend_sample(first, PAGES)
    third = extend_sample(second, PAGES)
    assert (first.round, second.sizes, third.sizes) == (1, (20, 40), (20, 40, 50))
    assert second.pages[:20] == first.pages
    assert sorted(third.pages) == sorted(PAGES)
    with pytest.raises(DataError, match="all 50 pages are in the sample"):
        extend_sample(third, PAGES)
    assert read_sample(tmp_path) is None
    write_sample(tmp_path, third)
    assert read_sample(tmp_path) == third


def test_another_collection_is_noticed() -> None:
    sample = draw_sample(PAGES, 20, seed=3)
    check_collection(sample, PAGES)
    with pytest.raises(DataError, match="from 50 pages, now there are 49"):
        check_collection(sample, PAGES[1:])
    with pytest.raises(DataError, match="1 drawn pages are gone"):
        check_collection(sample, [page for page in PAGES if page != sample.pages[0]] + ["new.jpg"])


def test_draws_that_are_impossible() -> None:
    with pytest.raises(ConfigError, match="at least 1 page, got 0"):
        draw(10, 0, 0)
    with pytest.raises(ConfigError, match="must not be negative, got -1"):
        draw(10, 5, -1)
    with pytest.raises(DataError, match="no page that could be read"):
        draw(0, 5, 0)


def test_a_damaged_sample(tmp_path: Path) -> None:
    (tmp_path / SAMPLE_FILE).write_text('{"seed": 1}')
    with pytest.raises(FormatError, match="not what farthing writes"):
        read_sample(tmp_path)
