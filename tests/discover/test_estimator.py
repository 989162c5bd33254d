"""The scikit-learn estimator: its checks, its labels, its folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import parametrize_with_checks

from farthing.base.errors import DataError, FormatError
from farthing.discover.config import DiscoverConfig, FoldConfig
from farthing.discover.estimator import CategoryDiscovery

QUICK = DiscoverConfig(folds=FoldConfig(num_folds=1))


# These give three classes as labels and ask for one: an error on purpose, as in every other place.
ASK_FOR_ONE_CLASS = (
    *("check_dont_overwrite_parameters", "check_fit2d_1feature", "check_fit2d_predict1d"),
    *("check_methods_sample_order_invariance", "check_methods_subset_invariance"),
)


@parametrize_with_checks(  # type: ignore[untyped-decorator]  # scikit-learn has no types
    [CategoryDiscovery(config=QUICK)],
    expected_failed_checks=lambda _: dict.fromkeys(ASK_FOR_ONE_CLASS, "asks for fewer classes than it labels"),
)
def test_scikit_learns_checks(estimator: CategoryDiscovery, check: Callable[[Any], None]) -> None:
    check(estimator)


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    """400 digits; 0 to 4 are known, every second one labelled."""
    data, target = load_digits(return_X_y=True)
    data, target = data[:400] - data[:400].mean(0), target[:400]
    labels = np.where((target < 5) & (np.arange(400) % 2 == 0), target, -1)
    return data, labels


def test_numbers_stay_numbers(digits: tuple[np.ndarray, np.ndarray]) -> None:
    data, labels = digits
    finder = CategoryDiscovery(10, config=QUICK).fit(data, labels)
    assert finder.classes_.tolist() == list(range(10))
    is_labelled = labels != -1
    assert np.array_equal(finder.transduction_[is_labelled], labels[is_labelled])
    assert finder.labels_.min() == 0
    probabilities = finder.predict_proba(data)
    assert probabilities.shape == (400, 10)
    assert np.allclose(probabilities.sum(1), 1, atol=1e-5)
    assert np.array_equal(finder.predict(data), finder.classes_[probabilities.argmax(1)])
    assert (finder.predict(data) == finder.transduction_).mean() > 0.8


def test_text_labels_and_new_names(digits: tuple[np.ndarray, np.ndarray]) -> None:
    data, labels = digits
    names = np.array(["zero", "one", "two", "three", "four", None], object)[labels]
    finder = CategoryDiscovery(7, config=QUICK).fit(data, names)
    assert finder.classes_.tolist()[:5] == ["four", "one", "three", "two", "zero"]
    assert set(finder.classes_[5:]) == {"new-01", "new-02"}
    assert set(finder.predict(data)) <= set(finder.classes_)


def test_the_same_seed_gives_the_same(digits: tuple[np.ndarray, np.ndarray]) -> None:
    data, labels = digits
    first, again = (CategoryDiscovery(8, config=QUICK, random_state=3).fit(data, labels) for _ in range(2))
    assert np.array_equal(first.predict_proba(data), again.predict_proba(data))
    assert np.array_equal(first.labels_, again.labels_)


@pytest.mark.parametrize("is_text", [False, True])
def test_a_saved_estimator_predicts_the_same(
    digits: tuple[np.ndarray, np.ndarray], tmp_path: Path, is_text: bool
) -> None:
    data, labels = digits
    given = np.where(labels < 0, "", labels.astype(str)) if is_text else labels
    finder = CategoryDiscovery(10, config=QUICK).fit(data, given)
    finder.save_pretrained(tmp_path / "finder")
    loaded = CategoryDiscovery.from_pretrained(tmp_path / "finder")
    assert loaded.classes_.tolist() == finder.classes_.tolist()
    assert np.array_equal(loaded.predict(data), finder.predict(data))
    assert np.array_equal(loaded.predict_proba(data), finder.predict_proba(data))


def test_what_it_refuses(digits: tuple[np.ndarray, np.ndarray], tmp_path: Path) -> None:
    data, labels = digits
    with pytest.raises(ValueError, match="NaN"):
        CategoryDiscovery().fit(np.full((4, 2), np.nan))
    with pytest.raises(DataError, match="whole numbers"):
        CategoryDiscovery().fit(data, labels + 0.5)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        CategoryDiscovery().fit(data, labels[:-1])
    with pytest.raises(ValueError, match="num_classes must be from 5"):
        CategoryDiscovery(3).fit(data, labels)
    with pytest.raises(NotFittedError):
        CategoryDiscovery().predict(data)
    with pytest.raises(FormatError):
        CategoryDiscovery.from_pretrained(tmp_path)


def test_a_prediction_depends_on_its_vector_alone(digits: tuple[np.ndarray, np.ndarray]) -> None:
    data, labels = digits
    finder = CategoryDiscovery(10, config=QUICK).fit(data, labels)
    order = np.random.default_rng(0).permutation(len(data))
    assert np.array_equal(finder.predict(data)[order], finder.predict(data[order]))
    one_by_one = np.concatenate([finder.predict_proba(row[None]) for row in data[:20]])
    assert np.allclose(one_by_one, finder.predict_proba(data)[:20], atol=1e-5)
