"""How likely every class is for every image, from the means of the classes in the whitened space."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from farthing.discover.metric import Whitening
from farthing.discover.problem import UNSORTED, Assignment, Features, Labels, Probabilities


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class Prediction:
    """The class of each image, and how far to believe it.

    Attributes:
        classes: i64 [n], assigned; `UNSORTED` where an image forms no class.
        probability: f32 [n] of that, in [0, 1].
        second: i64 [n], the likeliest other class; -1 where there is none.
        second_probability: f32 [n].
        novelty: f32 [n], the probability of all new classes together.
    """

    classes: Labels
    probability: Probabilities
    second: Labels
    second_probability: Probabilities
    novelty: Probabilities


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class Classifier:
    """p(c | x) = softmax_c(scale <w(x), m_c> + log prior_c), w the whitening, m_c the unit mean of class c.

    Attributes:
        whitening: fitted on the labelled images.
        means: f32 [num_classes, dim], each of length 1.
        prior: f32 [num_classes], the share of each class among all images.
        scale: one over the temperature, > 0.
        num_known: the first so many classes are known.
    """

    whitening: Whitening
    means: Features
    prior: Probabilities
    scale: float
    num_known: int

    def probabilities(self, features: Features) -> Probabilities:
        """f32 [n, num_classes] of images given as f32 [n, dim], each of length 1."""
        logits = self.scale * (self.whitening.transform(features) @ self.means.T) + np.log(self.prior)
        logits -= logits.max(1, keepdims=True)
        likely: npt.NDArray[np.float32] = np.exp(logits)
        return likely / likely.sum(1, keepdims=True)

    def predict(self, features: Features, classes: Labels | None = None) -> Prediction:
        """The likeliest class of each image, or what is to be believed of the classes that it has already.

        Args:
            features: f32 [n, dim], each of length 1.
            classes: i64 [n], or None for the likeliest.
        """
        probabilities = self.probabilities(features)
        chosen = probabilities.argmax(1) if classes is None else classes
        rows = np.arange(len(probabilities))
        is_sorted = chosen != UNSORTED
        probability = np.where(is_sorted, probabilities[rows, chosen], 0)
        novelty = probabilities[:, self.num_known :].sum(1)
        probabilities[rows[is_sorted], chosen[is_sorted]] = -1
        second = probabilities.argmax(1)
        best = probabilities[rows, second]
        return Prediction(
            classes=chosen.astype(np.int64),
            probability=probability.astype(np.float32),
            second=np.where(best < 0, -1, second).astype(np.int64),
            second_probability=np.maximum(best, 0),
            novelty=novelty,
        )


def fit_classifier(
    whitening: Whitening, features: Features, assignment: Assignment, *, num_known: int, scale: float
) -> Classifier:
    """The classifier of an assignment: means of its classes, and their sizes plus one as prior.

    Args:
        whitening: of `features`.
        features: f32 [n, dim], each of length 1.
        assignment: of the same images.
        num_known: known classes.
        scale: one over the temperature, > 0.
    """
    is_sorted = assignment.classes != UNSORTED
    classes = assignment.classes[is_sorted]
    means = np.zeros((assignment.num_classes, features.shape[1]), np.float32)
    np.add.at(means, classes, whitening.transform(features[is_sorted]))
    lengths = np.linalg.norm(means, axis=1, keepdims=True)
    sizes = np.bincount(classes, minlength=assignment.num_classes) + 1.0
    return Classifier(
        whitening=whitening,
        means=means / np.maximum(lengths, 1e-12),
        prior=(sizes / sizes.sum()).astype(np.float32),
        scale=scale,
        num_known=num_known,
    )
