"""Category discovery as a scikit-learn estimator, on vectors that are there already."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.utils.validation import check_consistent_length, check_is_fitted, validate_data

from farthing.base.errors import DataError
from farthing.discover.config import DiscoverConfig
from farthing.discover.discovery import discover
from farthing.discover.features import unit_length
from farthing.discover.modelfolder import DiscoveryModel, load_model, reach_of, save_model
from farthing.discover.names import UNSORTED_NAME, name_classes
from farthing.discover.problem import UNLABELLED, UNSORTED, Features, Labels, Problem
from farthing.discover.rundata import MODEL_FOLDER

Array = npt.NDArray[Any]  # Any: labels are numbers or text


class CategoryDiscovery(ClusterMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Sorts vectors into known classes and new ones; vectors are scaled to length 1 first.

    Args:
        n_clusters: known and new classes together; None leaves it open, and then a vector may be in no class.
        config: what the folds choose from; None takes the defaults.
        random_state: seed of everything that is drawn, >= 0; None is 0, so that the same input always gives the same.

    Attributes:
        classes_: [n_classes] the known labels, sorted, then new ones: `new-01`, ... for text, else the next numbers.
        labels_: i64 [n], the place in `classes_` of each vector's class, -1 where it has none.
        transduction_: [n] the same as entries of `classes_`; `unsorted`, or -1 for numbers, where there is none.
        probabilities_: f32 [n] of the classes in `labels_`.
        novelty_: f32 [n], the probability of all new classes together.
        discovery_: everything that was found, with the choice that was made and why.
        n_features_in_: length of the vectors.
    """

    def __init__(
        self, n_clusters: int | None = None, *, config: DiscoverConfig | None = None, random_state: int | None = None
    ) -> None:
        self.n_clusters = n_clusters
        self.config = config
        self.random_state = random_state

    def fit(self, X: Array, y: Array | None = None) -> CategoryDiscovery:  # noqa: N803 (scikit-learn's name)
        """Finds the classes.

        Args:
            X: float [n, dim], finite.
            y: [n] labels: whole numbers, -1 where there is none; or text, None or empty where there is none. None: no
                label at all.

        Raises:
            ConfigError: n_clusters is below the number of known classes, or above that of vectors.
        """
        X = validate_data(self, X, dtype=[np.float64, np.float32], ensure_min_samples=2)  # noqa: N806
        known, labels = _encode(y, X)
        features = unit_length(X)
        problem = Problem(features=features, labels=labels, num_known=len(known))
        config = self.config or DiscoverConfig()
        found = discover(problem, config, num_classes=self.n_clusters, seed=self.random_state or 0)
        classes = np.where(labels == UNLABELLED, found.assignment.classes, labels)
        num_classes = found.assignment.num_classes
        self.discovery_ = found
        self.classes_ = _all_classes(known, classes, num_classes)
        self.labels_ = classes
        self.transduction_ = _entries(self.classes_, classes)
        self.probabilities_ = np.where(labels == UNLABELLED, found.prediction.probability, np.float32(1))
        self.novelty_ = found.prediction.novelty
        self.model_ = DiscoveryModel(
            names=tuple(map(str, self.classes_.tolist())),
            classifier=found.classifier,
            reach=reach_of(found.classifier, features, classes) if self.n_clusters is None else None,
            extractor=None,
            has_numbers=known.dtype.kind == "i",
        )
        return self

    def predict(self, X: Array) -> Array:  # noqa: N803
        """[n] the likeliest class of each vector, an entry of `classes_`; `unsorted`, or -1 for numbers, for none."""
        check_is_fitted(self)
        return _entries(self.classes_, self.model_.predict(self._features(X)).classes)

    def predict_proba(self, X: Array) -> npt.NDArray[np.float32]:  # noqa: N803
        """f32 [n, n_classes], in the order of `classes_`."""
        check_is_fitted(self)
        return self.model_.classifier.probabilities(self._features(X))

    def save_pretrained(self, folder: str | Path) -> None:
        """Writes what new vectors need as a folder without code.

        Raises:
            DataError: the folder cannot be written or holds something else.
        """
        check_is_fitted(self)
        save_model(Path(folder), self.model_)

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> CategoryDiscovery:
        """An estimator that predicts as the one that was saved, or as the model of a run of `farthing discover fit`.

        Raises:
            FormatError: the folder is damaged, or holds something else.
        """
        path = Path(folder)
        model = load_model(path / MODEL_FOLDER if (path / MODEL_FOLDER).is_dir() else path)
        estimator = cls(n_clusters=None if model.reach is not None else len(model.names))
        estimator.model_ = model
        estimator.classes_ = np.array(model.names, np.int64 if model.has_numbers else None)
        estimator.n_features_in_ = model.classifier.means.shape[1]
        return estimator

    def _features(self, vectors: Array) -> Features:
        return unit_length(validate_data(self, vectors, dtype=[np.float64, np.float32], reset=False))


def _encode(y: Array | None, vectors: Array) -> tuple[Array, Labels]:
    """The known labels, sorted, and the place of each vector's label among them or `UNLABELLED`."""
    if y is None:
        return np.zeros(0, np.int64), np.full(len(vectors), UNLABELLED, np.int64)
    check_consistent_length(vectors, y)
    given = np.asarray(y)
    if given.dtype.kind in "iufb":
        numbers = np.nan_to_num(given.astype(np.float64), nan=UNLABELLED)
        if (numbers != np.round(numbers)).any():
            raise DataError("y must hold whole numbers (-1: no label) or text, got fractions")
        values, has_label = numbers.astype(np.int64), numbers != UNLABELLED
    else:
        has_label = np.array([one is not None and one == one and one != "" for one in given.tolist()])
        values = np.array([str(one) if here else "" for one, here in zip(given, has_label, strict=True)])
    known, places = np.unique(values[has_label], return_inverse=True)
    labels = np.full(len(vectors), UNLABELLED, np.int64)
    labels[has_label] = places
    return known, labels


def _all_classes(known: Array, classes: Labels, num_classes: int) -> Array:
    if known.dtype.kind == "i":
        first = max(0, int(known.max(initial=-1)) + 1)
        return np.concatenate([known, np.arange(first, first + num_classes - len(known))])
    return np.array(name_classes(known.tolist(), classes, num_classes))


def _entries(classes: Array, places: Labels) -> Array:
    """The entry of each place; none for `UNSORTED`."""
    none = np.array([UNSORTED if classes.dtype.kind == "i" else UNSORTED_NAME])
    return np.concatenate([classes, none])[places]
