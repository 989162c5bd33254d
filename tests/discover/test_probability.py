"""Probabilities of classes: by hand, against softmax in float64, shifted, of members."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, log_softmax, logit

from farthing.discover.means import class_means
from farthing.discover.metric import Whitening
from farthing.discover.probability import Classifier, Temper, fit_classifier
from farthing.discover.problem import UNSORTED, Assignment
from tests.discover.problems import long_tailed


def fitted(temper: Temper = Temper(), num_known: int = 4) -> tuple[Classifier, np.ndarray, np.ndarray]:  # noqa: B008
    known = long_tailed()
    whitening = Whitening.fit(known.problem, 0.3)
    assignment = Assignment(classes=known.truth, num_classes=8)
    features = known.problem.features
    return fit_classifier(whitening, features, assignment, num_known=num_known, temper=temper), features, known.truth


def test_the_softmax_of_scaled_cosines_and_the_prior() -> None:
    classifier, features, truth = fitted(Temper(scale=7.0))
    whitened = classifier.whitening.transform(features).astype(np.float64)
    means = class_means(whitened.astype(np.float32), Assignment(classes=truth, num_classes=8))
    weights = np.sqrt(np.bincount(truth) + 1)
    prior = weights / weights.sum()
    expected = np.exp(log_softmax(7 * whitened @ means.T + np.log(prior), 1))
    np.testing.assert_allclose(classifier.probabilities(features), expected, rtol=1e-3, atol=1e-6)


def test_prediction_of_new_images_takes_the_likeliest() -> None:
    classifier, features, truth = fitted()
    probabilities = classifier.probabilities(features)
    prediction = classifier.predict(features)
    order = np.sort(probabilities, 1)
    np.testing.assert_array_equal(prediction.classes, probabilities.argmax(1))
    np.testing.assert_allclose(prediction.probability, order[:, -1], rtol=1e-3)
    np.testing.assert_allclose(prediction.second_probability, order[:, -2], rtol=1e-2, atol=1e-6)
    np.testing.assert_allclose(prediction.novelty, probabilities[:, 4:].sum(1), rtol=1e-3, atol=1e-6)
    assert (prediction.classes == truth).mean() > 0.95


def test_shifts_move_the_logit_of_what_is_assigned() -> None:
    plain, features, truth = fitted(Temper(scale=5.0))
    shifted = fitted(Temper(scale=5.0, shifts=(1.0, -2.0)))[0]
    before = plain.predict(features, truth).probability.astype(np.float64)
    after = shifted.predict(features, truth).probability
    np.testing.assert_allclose(after, expit(logit(before) + np.where(truth < 4, 1, -2)), rtol=1e-3, atol=1e-6)


def test_assigned_and_second_never_exceed_one_together() -> None:
    classifier, features, truth = fitted(Temper(scale=3.0, shifts=(2.0, 2.0)))
    prediction = classifier.predict(features, truth, are_members=True)
    assert (prediction.probability + prediction.second_probability <= 1 + 1e-6).all()
    assert (prediction.second != prediction.classes).all()


def test_a_member_is_judged_without_itself() -> None:
    classifier, features, truth = fitted()
    as_member = classifier.predict(features, truth, are_members=True).probability
    as_stranger = classifier.predict(features, truth).probability
    assert (as_member <= as_stranger + 1e-6).all()
    small = truth == 7
    assert (as_stranger - as_member)[small].mean() > (as_stranger - as_member)[truth == 0].mean()


def test_unsorted_images_have_no_probability_but_a_likeliest_class() -> None:
    classifier, features, _ = fitted()
    prediction = classifier.predict(features, np.full(len(features), UNSORTED))
    assert (prediction.probability == 0).all()
    np.testing.assert_array_equal(prediction.second, classifier.probabilities(features).argmax(1))


def test_one_class_is_certain_and_has_no_second() -> None:
    known = long_tailed(num_known=0)
    one = Assignment(classes=np.zeros(len(known.truth), np.int64), num_classes=1)
    whitening = Whitening.fit(known.problem, 0.3)
    classifier = fit_classifier(whitening, known.problem.features, one, num_known=0, temper=Temper())
    prediction = classifier.predict(known.problem.features)
    assert (prediction.probability == 1).all()
    assert (prediction.second == -1).all()
    assert (prediction.second_probability == 0).all()


@pytest.mark.parametrize("count", [0, 1])
def test_few_images(count: int) -> None:
    classifier, features, _ = fitted()
    assert len(classifier.predict(features[:count]).classes) == count
