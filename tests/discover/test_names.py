"""Names of classes."""

from __future__ import annotations

import numpy as np

from farthing.discover.names import name_classes, new_names


def test_known_classes_keep_their_names_and_new_ones_are_numbered_by_size() -> None:
    classes = np.array([0, 2, 3, 3, -1, 4, 4, 4, 1])
    assert name_classes(["cat", "dog"], classes, 5) == ("cat", "dog", "new-03", "new-02", "new-01")


def test_equal_sizes_keep_their_order_and_an_empty_class_is_last() -> None:
    assert name_classes([], np.array([1, 2, -1]), 3) == ("new-03", "new-01", "new-02")


def test_a_taken_name_is_left_out() -> None:
    assert new_names(["new-01", "cat", "new-03"], 2) == ("new-02", "new-04")
    assert new_names(["new-01"], 0) == ()


def test_numbers_sort_as_text() -> None:
    names = new_names([], 120)
    assert names[0] == "new-001"
    assert list(names) == sorted(names)
