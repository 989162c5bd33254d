"""What every head keeps to, so that a new entry of the table is tested without a new test; how empty classes fill."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from farthing.base.errors import ConfigError
from farthing.discover.heads import HEADS
from farthing.discover.heads.head import Head, fill_empty
from farthing.discover.problem import UNLABELLED, Problem
from tests.discover.problems import long_tailed

LEARNED = ("simgcd", "bacon")  # by gradients, for seconds
SIZES = (14, 10, 7, 5)

each_head = pytest.mark.parametrize(
    "head",
    [pytest.param(head, id=name, marks=[pytest.mark.slow] * (name in LEARNED)) for name, head in HEADS.items()],
)


@each_head
@pytest.mark.parametrize("num_known", [0, 1, 2])
def test_labels_are_kept_and_every_class_has_images(head: Head, num_known: int) -> None:
    problem = long_tailed(sizes=SIZES, num_known=num_known, outliers=2).problem
    for num_classes in (max(1, num_known), 7):
        found = head(problem, num_classes, 0)
        assert found.num_classes == num_classes
        assert found.classes.dtype == np.int64
        np.testing.assert_array_equal(np.unique(found.classes), np.arange(num_classes))
        labelled = problem.labels != UNLABELLED
        np.testing.assert_array_equal(found.classes[labelled], problem.labels[labelled])


@each_head
def test_clear_classes_are_found(head: Head) -> None:
    known = long_tailed(sizes=(40, 40, 40, 40), num_known=2, noise=0.15)
    assert adjusted_rand_score(known.truth, head(known.problem, 4, 0).classes) > 0.9


@each_head
def test_the_same_seed_gives_the_same_bits(head: Head) -> None:
    problem = long_tailed(sizes=SIZES, num_known=2).problem
    first, again = (head(problem, 5, 3).classes for _ in range(2))
    assert first.tobytes() == again.tobytes()


@each_head
def test_as_many_classes_as_can_be(head: Head) -> None:
    problem = long_tailed(
        sizes=(6, 3), num_known=1, noise=1.0
    ).problem  # three labelled images of one class, six others
    np.testing.assert_array_equal(np.unique(head(problem, 7, 0).classes), np.arange(7))


@each_head
def test_all_images_labelled_stay_as_they_are(head: Head) -> None:
    problem = Problem(features=np.eye(4, dtype=np.float32), labels=np.array([0, 1, 1, 0]), num_known=2)
    np.testing.assert_array_equal(head(problem, 2, 0).classes, problem.labels)


@each_head
def test_images_that_are_the_same_are_sorted(head: Head) -> None:
    features = np.tile(np.eye(1, 5, dtype=np.float32), (6, 1))
    found = head(Problem(features=features, labels=np.full(6, UNLABELLED), num_known=0), 3, 0)
    assert set(found.classes.tolist()) <= {0, 1, 2}


@each_head
@pytest.mark.parametrize("num_classes", [1, 37])
def test_impossible_numbers_of_classes_are_refused(head: Head, num_classes: int) -> None:
    problem = long_tailed(sizes=SIZES, num_known=2).problem
    with pytest.raises(ConfigError, match=rf"num_classes must be from 2, .* to 36, the images, got {num_classes}"):
        head(problem, num_classes, 0)


@pytest.mark.parametrize(
    ("classes", "closeness", "is_free", "num_classes", "expected"),
    [
        pytest.param([0, 0, 0, 2], [0.9, 0.1, 0.5, 0.0], "1111", 4, [0, 1, 3, 2], id="worst fit first"),
        pytest.param([0, 1, 1], [0.0, 0.2, 0.1], "111", 3, [0, 1, 2], id="the last image of a class stays"),
        pytest.param([0, 0, 0], [0.0, 0.1, 0.2], "011", 2, [0, 1, 0], id="images that may not move stay"),
        pytest.param([0, 0], [0.0, 0.1], "00", 3, [0, 0], id="none may move"),
        pytest.param([1, 0, 1], [0.0, 0.1, 0.2], "111", 2, [1, 0, 1], id="no empty class"),
    ],
)
def test_empty_classes_fill(
    classes: list[int], closeness: list[float], is_free: str, num_classes: int, expected: list[int]
) -> None:
    free = np.array([letter == "1" for letter in is_free])
    found = fill_empty(np.array(classes), np.array(closeness, np.float32), num_classes, is_free=free)
    assert found.classes.tolist() == expected
    assert found.num_classes == num_classes
