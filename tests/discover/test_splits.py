"""Benchmark splits: sizes, shares, repeatability."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from farthing.base.errors import ConfigError, DataError
from farthing.discover.splits import SplitConfig, draw_split

LABELS = np.repeat(np.arange(6), [40, 30, 20, 12, 8, 3])


def test_natural_sizes_every_second_class_known_from_the_largest() -> None:
    split = draw_split(LABELS, SplitConfig(), seed=0)
    classes = LABELS[split.images]
    assert sorted(split.images) == list(range(110))  # the class of 3 is left out
    assert set(classes[split.known]) == {0, 2, 4}
    assert np.bincount(classes[split.labelled]).tolist() == [20, 0, 10, 0, 4]
    assert set(LABELS[draw_split(LABELS, SplitConfig(), seed=1).images[:]]) == {0, 1, 2, 3, 4}


def test_an_odd_seed_knows_the_other_classes() -> None:
    split = draw_split(LABELS, SplitConfig(), seed=1)
    assert set(LABELS[split.images][split.known]) == {1, 3}


def test_a_long_tail_has_the_sizes_of_its_profile() -> None:
    labels = np.repeat(np.arange(5), 200)
    split = draw_split(labels, SplitConfig(imbalance=100, largest=150), seed=3)
    sizes = sorted(np.bincount(labels[split.images]), reverse=True)
    assert sizes == [150, 47, 15, 5, 2]  # 150 * 100 ** (-r / 4), the last raised to 2
    assert len(set(split.images.tolist())) == len(split.images)


@given(st.floats(0, 1), st.integers(0, 50), st.integers(1, 40))
def test_the_share_of_known_classes(share: float, seed: int, num_classes: int) -> None:
    labels = np.repeat(np.arange(num_classes), 5)
    split = draw_split(labels, SplitConfig(known=share), seed=seed)
    num_known = len(set(labels[split.images][split.known]))
    assert abs(num_known - share * num_classes) <= 1
    assert not split.labelled[~split.known].any()


def test_every_known_class_has_a_label() -> None:
    split = draw_split(LABELS, SplitConfig(labelled=0.001, known=1), seed=0)
    assert set(LABELS[split.images][split.labelled]) == {0, 1, 2, 3, 4}
    assert split.labelled.sum() == 5


def test_the_same_seed_gives_the_same_split() -> None:
    config = SplitConfig(imbalance=10, largest=30, least=3)
    first, again, other = (draw_split(LABELS, config, seed=seed) for seed in (5, 5, 6))
    assert np.array_equal(first.images, again.images)
    assert np.array_equal(first.labelled, again.labelled)
    assert not np.array_equal(first.images, other.images)


def test_one_class_of_one_image_can_be_split() -> None:
    assert draw_split(np.zeros(1, np.int64), SplitConfig(least=1, imbalance=2), seed=0).images.tolist() == [0]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"known": 1.5}, "known must be a share from 0 to 1, got 1.5"),
        ({"labelled": 0.0}, "labelled must be a share above 0"),
        ({"imbalance": 0.5}, "imbalance must be a number >= 1, got 0.5"),
        ({"least": 0}, "least must be >= 1"),
    ],
)
def test_settings_that_make_no_sense(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        SplitConfig(**settings)  # type: ignore[arg-type]


def test_no_class_large_enough() -> None:
    with pytest.raises(DataError, match="no class has 50 images; the largest has 40"):
        draw_split(LABELS, SplitConfig(least=50), seed=0)
