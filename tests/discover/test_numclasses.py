"""The number of classes: found where classes are plain, an interval around it, a guess without labels."""

from __future__ import annotations

import pytest

from farthing.discover.config import FoldConfig
from farthing.discover.folds import draw_folds
from farthing.discover.heads import HEADS
from farthing.discover.heads.linkage import build_dendrogram
from farthing.discover.numclasses import Interval, count_classes
from farthing.discover.robust import Cut, smallest_class
from farthing.discover.trials import Trials, whiten
from tests.discover.problems import long_tailed


def count(num_known: int, seed: int) -> Interval:
    problem = long_tailed(num_known=num_known, noise=0.3, outliers=6, seed=seed).problem
    whitened = whiten(problem, 0.3).problem
    trials = Trials(problem, draw_folds(problem, FoldConfig(num_folds=4), seed=seed), HEADS, seed=seed)
    tree = build_dendrogram(whitened, seed=seed)
    return count_classes(whitened, tree, trials, shrinkage=0.3, least=smallest_class(problem))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("num_known", [0, 1, 4])
def test_plain_classes_are_counted(num_known: int, seed: int) -> None:
    interval = count(num_known, seed)
    assert abs(interval.best.num_classes - 8) <= 2
    assert interval.low <= interval.best.num_classes <= interval.high


def test_a_number_that_was_given_is_its_own_interval() -> None:
    assert Interval.of(5) == Interval(low=5, best=Cut(num_groups=5, num_classes=5), high=5)


def test_repeats_with_the_seed() -> None:
    assert count(4, 0) == count(4, 0)
