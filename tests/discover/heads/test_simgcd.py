"""SimGCD's head on fixed features."""

from __future__ import annotations

import numpy as np

from farthing.discover.folds import matched
from farthing.discover.heads.prototypes import PrototypeConfig
from farthing.discover.heads.simgcd import sort_by_prototypes, sort_by_simgcd
from farthing.discover.problem import UNLABELLED, Problem
from farthing.discover.trials import whiten
from tests.discover.problems import long_tailed


def test_images_go_to_the_nearest_prototype_and_labelled_ones_to_their_class() -> None:
    features = np.array([[1, 0], [0.8, 0.6], [0, 1], [1, 0], [1, 0]], np.float32)
    problem = Problem(features=features, labels=np.array([UNLABELLED] * 3 + [0, 1]), num_known=2)
    assert sort_by_prototypes(problem, np.eye(2, dtype=np.float32)).classes.tolist() == [0, 0, 1, 0, 1]


def test_an_unused_prototype_takes_up_the_image_that_fits_worst() -> None:
    features = np.array([[1, 0, 0], [0.8, 0.6, 0], [0.6, 0.8, 0]], np.float32)
    problem = Problem(features=features, labels=np.full(3, UNLABELLED), num_known=0)
    prototypes = np.array([[1, 0, 0], [0, 0, 1]], np.float32)
    found = sort_by_prototypes(problem, prototypes)
    assert found.classes.tolist() == [0, 0, 1]
    assert found.num_classes == 2


def test_even_classes_are_found() -> None:
    known = long_tailed(sizes=(40, 40, 40, 40), num_known=2, noise=0.2)
    problem = whiten(known.problem, 0.3).problem
    judged = problem.labels == UNLABELLED
    found = sort_by_simgcd(problem, 4, 0, config=PrototypeConfig(num_steps=150, batch_size=128))
    assert matched(known.truth[judged], found.classes[judged]).mean() >= 0.95
