"""The whole of a discovery: plain classes are found, whatever is labelled; bad requests are refused."""

from __future__ import annotations

import numpy as np
import pytest

from farthing.base.errors import ConfigError, DataError
from farthing.discover.config import DiscoverConfig, FoldConfig
from farthing.discover.discovery import Discovery, discover
from farthing.discover.folds import matched
from farthing.discover.problem import UNLABELLED, UNSORTED, Problem
from tests.discover.problems import Known, long_tailed

CONFIG = DiscoverConfig(heads=("robust", "kmeans"), shrinkages=(0.3,), folds=FoldConfig(num_folds=2))


def accuracy(known: Known, found: Discovery) -> float:
    judged = (known.truth >= 0) & (known.problem.labels == UNLABELLED)
    return float(matched(known.truth[judged], found.assignment.classes[judged]).mean())


@pytest.mark.parametrize("num_known", [0, 1, 2, 4, 8])
@pytest.mark.parametrize("num_classes", [8, None])
def test_plain_classes_are_found(num_known: int, num_classes: int | None) -> None:
    known = long_tailed(num_known=num_known, noise=0.3, outliers=4)
    found = discover(known.problem, CONFIG, num_classes=num_classes)
    assert accuracy(known, found) > 0.9
    assert found.interval.low <= found.assignment.num_classes <= found.interval.high
    assert (found.calibration is None) == (num_known < 2)
    if num_classes is not None:
        assert found.assignment.num_classes == num_classes
        assert (found.assignment.classes != UNSORTED).all()


def test_known_classes_go_by_their_name_and_new_ones_are_novel() -> None:
    known = long_tailed(noise=0.3)
    found = discover(known.problem, CONFIG, num_classes=8)
    old = known.truth < 4
    assert (found.assignment.classes[old] == known.truth[old]).mean() > 0.95
    assert found.prediction.novelty[~old].mean() > found.prediction.novelty[old].mean() + 0.5
    assert found.novelty_auroc is not None
    assert found.novelty_auroc > 0.9


def test_outliers_stay_unsorted_where_the_number_is_open() -> None:
    known = long_tailed(noise=0.2, outliers=5, seed=2)
    classes = discover(known.problem, CONFIG).assignment.classes
    assert (classes[known.truth < 0] == UNSORTED).sum() >= 3
    assert (classes[known.truth >= 0] == UNSORTED).mean() < 0.02


def test_the_same_seed_gives_the_same_bits() -> None:
    problem = long_tailed().problem
    one, other = (discover(problem, CONFIG, seed=3) for _ in range(2))
    np.testing.assert_array_equal(one.assignment.classes, other.assignment.classes)
    np.testing.assert_array_equal(one.prediction.probability, other.prediction.probability)
    assert one.choice == other.choice


def test_new_images_are_sorted_as_those_like_them_were() -> None:
    known = long_tailed(noise=0.3)
    found = discover(known.problem, CONFIG, num_classes=8)
    prediction = found.classifier.predict(known.problem.features)
    assert (prediction.classes == found.assignment.classes).mean() > 0.95


def test_what_cannot_be_told_is_said() -> None:
    known = long_tailed(num_known=1)
    assert any("a guess" in warning for warning in discover(known.problem, CONFIG).warnings)
    assert any("too few to hide" in warning for warning in discover(known.problem, CONFIG).warnings)
    labelled = Problem(features=known.problem.features, labels=known.truth, num_known=8)
    assert any("every image has a label" in warning for warning in discover(labelled, CONFIG).warnings)


def test_progress_is_told() -> None:
    stages: list[str] = []
    discover(long_tailed().problem, CONFIG, progress=stages.append)
    assert stages[-1] == "calibrating the probabilities"
    assert "counting the classes" in stages


@pytest.mark.parametrize("num_classes", [0, 3, 10_000])
def test_a_number_of_classes_that_cannot_be(num_classes: int) -> None:
    with pytest.raises(ConfigError, match=rf"num_classes must be from 4, .* got {num_classes}"):
        discover(long_tailed().problem, CONFIG, num_classes=num_classes)


def test_no_image() -> None:
    nothing = Problem(features=np.zeros((0, 4), np.float32), labels=np.zeros(0, np.int64), num_known=0)
    with pytest.raises(DataError, match="one image or more, got none"):
        discover(nothing, CONFIG)
