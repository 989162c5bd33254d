"""Choosing by folds: what is clearly better wins, luck does not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from farthing.base.errors import ConfigError
from farthing.discover.choose import Choice, best_of, choose, evenness, prefer
from farthing.discover.config import DiscoverConfig, FoldConfig
from farthing.discover.folds import draw_folds
from farthing.discover.problem import UNLABELLED, Assignment, Problem
from farthing.discover.robust import heads_with
from farthing.discover.trials import Trials, whiten
from tests.discover.problems import long_tailed


def test_the_first_stays_unless_another_is_clearly_better() -> None:
    assert best_of([[50, 50, 50], [51, 51, 51.1]]) == 1
    assert best_of([[50, 50, 50], [40, 70, 50]]) == 0  # a better mean, by luck
    assert best_of([[50, 50, 50], [50, 50, 50]]) == 0
    assert best_of([[50], [99]]) == 0  # one fold tells nothing


def test_of_several_better_ones_the_surest_wins() -> None:
    assert best_of([[50, 50, 50], [51, 51, 51.1], [60, 60.5, 61]]) == 2


def useless(problem: Problem, num_classes: int, seed: int) -> Assignment:
    classes = np.where(problem.labels < 0, np.arange(len(problem.labels)) % num_classes, problem.labels)
    return Assignment(classes=classes, num_classes=num_classes)


def trials(num_known: int = 4) -> Trials:
    problem = long_tailed(num_known=num_known).problem
    folds = draw_folds(problem, FoldConfig(num_folds=4), seed=0)
    return Trials(problem, folds, {"useless": useless, **heads_with(2)}, seed=0)


def silent(stage: str) -> None:
    """Nobody listens."""


def choose_in_order(on: Trials, config: DiscoverConfig) -> Choice:
    return choose(on, config, config.heads, 8, silent)


def test_a_head_that_finds_nothing_is_not_chosen() -> None:
    choice = choose_in_order(trials(), DiscoverConfig(heads=("useless", "robust"), shrinkages=(0.3,)))
    assert choice.head == "robust"
    assert choice.scores["robust, shrinkage 0.3"] > choice.scores["useless, shrinkage 0.3"] + 20
    assert "clearly better than useless" in choice.why


def test_without_folds_the_settings_decide() -> None:
    choice = choose_in_order(trials(1), DiscoverConfig(heads=("kmeans", "robust"), shrinkages=(0.6, 0.3)))
    assert (choice.head, choice.shrinkage, choice.scores) == ("kmeans", 0.6, {})


def test_each_candidate_is_run_once_per_fold() -> None:
    calls = []

    def counting(problem: Problem, num_classes: int, seed: int) -> Assignment:
        calls.append(num_classes)
        return useless(problem, num_classes, seed)

    problem = long_tailed().problem
    folds = draw_folds(problem, FoldConfig(num_folds=3), seed=0)
    heads: dict[str, Callable[[Problem, int, int], Assignment]] = {"counting": counting}
    choose_in_order(Trials(problem, folds, heads, seed=0), DiscoverConfig(heads=("counting",), shrinkages=(0.3,)))
    assert calls == [8, 8, 8]


def test_of_shrinkages_that_recover_alike_the_one_that_sorts_the_rest_alike_is_taken() -> None:
    """A head that recovers everything, and at one shrinkage sorts the images without a label at random."""
    known = long_tailed()
    folds = draw_folds(known.problem, FoldConfig(num_folds=3), seed=0)
    rng = np.random.default_rng(0)
    unsteady = whiten(known.problem, 0.3).problem.features[0]

    def head(problem: Problem, num_classes: int, seed: int) -> Assignment:
        classes = known.truth.copy()
        if np.allclose(problem.features[0], unsteady, atol=0.1):
            free = known.problem.labels == UNLABELLED
            classes[free] = rng.integers(0, num_classes, free.sum())
        return Assignment(classes=classes, num_classes=num_classes)

    on = Trials(known.problem, folds, {"head": head}, seed=0)
    assert choose_in_order(on, DiscoverConfig(heads=("head",), shrinkages=(0.3, 1.0))).shrinkage == 1.0


def test_an_unknown_head() -> None:
    with pytest.raises(ConfigError, match=r"heads must be among .*robust.*, got 'nope'"):
        choose_in_order(trials(), DiscoverConfig(heads=("nope",)))


def test_evenness_by_hand() -> None:
    assert evenness(np.array([7, 7, 7])) == pytest.approx(1)
    assert evenness(np.array([1, 3])) == pytest.approx((4 * 3**-0.75) / 2)  # exp(-1/4 log 1/4 - 3/4 log 3/4) / 2


@pytest.mark.parametrize(
    ("sizes", "first"), [((20, 20, 20, 20), "simgcd+kmeans"), ((80, 20, 20, 4), "robust"), ((20,), "robust")]
)
def test_prototypes_come_first_where_known_classes_are_even(sizes: tuple[int, ...], first: str) -> None:
    problem = long_tailed(sizes=sizes, num_known=len(sizes)).problem
    heads = prefer(DiscoverConfig(), problem)
    assert heads[0] == first
    assert sorted(heads) == sorted(DiscoverConfig().heads)


def test_a_preferred_head_that_may_not_be_chosen_changes_nothing() -> None:
    config = DiscoverConfig(heads=("robust", "kmeans"))
    assert prefer(config, long_tailed(sizes=(20, 20), num_known=2).problem) == config.heads
    unlabelled = long_tailed(num_known=0).problem
    assert (unlabelled.labels == UNLABELLED).all()
    assert prefer(DiscoverConfig(), unlabelled) == DiscoverConfig().heads
