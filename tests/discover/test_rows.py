"""From the classes of a discovery to the rows of its table."""

from __future__ import annotations

import numpy as np

from farthing.discover.probability import Prediction
from farthing.discover.problem import UNLABELLED, UNSORTED
from farthing.discover.rows import Given, sorted_rows

NAMES = ("cat", "dog", "new-01")
GIVEN = Given(
    images=("a", "b", "c", "d", "e", "f"),
    labels={"b": "dog", "f": "cat"},
    not_in={"c": "new-01", "d": "cat"},
    extra={"a": {"page": "1"}},
)
READABLE = ("a", "b", "c", "d")
PREDICTION = Prediction(
    classes=np.array([2, 2, 2, UNSORTED]),
    probability=np.array([0.7, 0.9, 0.6, 0], np.float32),
    second=np.array([0, 1, 1, -1]),
    second_probability=np.array([0.2, 0.05, 0.3, 0], np.float32),
    novelty=np.array([0.7, 0.9, 0.6, 0.5], np.float32),
)
ROWS = {row.image: row for row in sorted_rows(GIVEN, READABLE, PREDICTION, NAMES, num_known=2)}


def test_every_image_has_a_row_in_the_order_of_the_collection() -> None:
    assert list(ROWS) == list(GIVEN.images)


def test_an_image_of_a_new_class() -> None:
    row = ROWS["a"]
    assert (row.label, row.is_new, row.second_label, row.extra) == ("new-01", True, "cat", {"page": "1"})
    assert np.allclose([row.probability, row.novelty, row.second_probability], [0.7, 0.7, 0.2])


def test_a_labelled_image_keeps_its_label_readable_or_not() -> None:
    for image, label in GIVEN.labels.items():
        assert (ROWS[image].label, ROWS[image].is_new, ROWS[image].probability) == (label, False, 1.0)


def test_an_image_leaves_the_class_that_a_person_took_it_out_of() -> None:
    row = ROWS["c"]
    assert (row.label, row.is_new, row.second_label) == ("dog", False, "")
    assert np.isclose(row.probability, 0.3)


def test_an_image_of_no_class_and_one_that_could_not_be_read() -> None:
    assert (ROWS["d"].label, ROWS["d"].is_new, ROWS["d"].probability) == ("unsorted", False, 0)
    assert (ROWS["e"].label, ROWS["e"].probability) == ("", 0)


def test_known_classes_are_those_with_a_readable_label_by_name() -> None:
    assert GIVEN.known(GIVEN.images) == ("cat", "dog")
    assert GIVEN.known(READABLE) == ("dog",)
    assert GIVEN.numbers(READABLE).tolist() == [UNLABELLED, 0, UNLABELLED, UNLABELLED]
