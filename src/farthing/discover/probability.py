"""How likely every class is for every image, from the means of the classes in the whitened space."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from farthing.discover.means import BLOCK, class_means, own_likeness, without_itself
from farthing.discover.metric import Whitening
from farthing.discover.problem import UNSORTED, Assignment, Features, Labels, Probabilities

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class Prediction:
    """The class of each image, and how far to believe it.

    Attributes:
        classes: i64 [n], assigned; `UNSORTED` where an image forms no class.
        probability: f32 [n] of that, in [0, 1]; 0 where unsorted.
        second: i64 [n], the likeliest other class; -1 where there is none.
        second_probability: f32 [n].
        novelty: f32 [n], in [0, 1]: the weight of all new classes together.
    """

    classes: Labels
    probability: Probabilities
    second: Labels
    second_probability: Probabilities
    novelty: Probabilities


@dataclass(frozen=True, kw_only=True, slots=True)
class Temper:
    """How probabilities are brought in line with how often they are right.

    Attributes:
        scale: of similarities, > 0; one over the temperature.
        shifts: added to the logit of the assigned class where that is known, and where it is new.
    """

    scale: float = 12.0
    shifts: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class Evidence:
    """What the means of the classes say of images with an assigned class, before any shift.

    Attributes:
        margin: f32 [n], the logit of the assigned class: log p - log (1 - p).
        second: i64 [n], the likeliest other class; -1 where there is none.
        second_share: f32 [n], its probability given that it is not the assigned one.
        novelty: f32 [n], the probability of all new classes together.
    """

    margin: Floats
    second: Labels
    second_share: Floats
    novelty: Floats


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class Classifier:
    """p(c | x) = softmax_c(scale <w(x), m_c> + log prior_c), w the whitening, m_c the unit mean of class c.

    The prior is that of all images, not of a batch, so that small classes keep their weight. The probability of the
    class that is assigned is p' = sigmoid(logit p + shift); the others share 1 - p' as they shared 1 - p.

    Attributes:
        whitening: fitted on the labelled images.
        means: f32 [num_classes, dim], each of length 1.
        prior: f32 [num_classes], how likely each class is before an image is seen; sums to 1.
        scale: of similarities, > 0; one over the temperature.
        num_known: the first so many classes are known.
        shifts: of the logit of an assigned known class, and of an assigned new one.

    Source: Guo et al., ICML 2017, https://arxiv.org/abs/1706.04599, section 4.2, for the temperature; Platt, 1999, for
        the shift.
    """

    whitening: Whitening
    means: Features
    prior: Probabilities
    scale: float
    num_known: int
    shifts: tuple[float, float] = (0.0, 0.0)

    def probabilities(self, features: Features) -> Probabilities:
        """f32 [n, num_classes] of images given as f32 [n, dim], each of length 1; not shifted."""
        likely = self._logits(self.whitening.transform(features))
        np.exp(likely, out=likely)
        likely /= likely.sum(1, keepdims=True)
        return likely

    def predict(self, features: Features, classes: Labels | None = None, *, are_members: bool = False) -> Prediction:
        """The likeliest class of each image, or what is to be believed of the classes that it has already.

        Args:
            features: f32 [n, dim], each of length 1.
            classes: i64 [n], or None for the likeliest.
            are_members: whether the means were made of just these images and classes. Then each image is compared with
                the mean of the others of its class, for it says nothing that an image is like itself.
        """
        if classes is None:
            classes = self._likeliest(features)
        evidence = self.weigh(features, classes, are_members=are_members)
        is_sorted = classes != UNSORTED
        shift = np.where(classes < self.num_known, self.shifts[0], self.shifts[1])
        probability = np.where(is_sorted, _sigmoid(evidence.margin + shift), 0).astype(np.float32)
        return Prediction(
            classes=classes.astype(np.int64),
            probability=probability,
            second=evidence.second,
            second_probability=(1 - probability) * evidence.second_share,
            novelty=evidence.novelty,
        )

    def weigh(self, features: Features, classes: Labels, *, are_members: bool) -> Evidence:
        """What the means say of images and their classes; arguments as of `predict`."""
        own = self._own_likeness(features, classes, are_members=are_members)
        parts = [
            self._weigh(self.whitening.transform(features[rows]), classes[rows], own[rows])
            for rows in _blocks(len(features))
        ]
        margin, second, share, novelty = (np.concatenate(column) for column in zip(*parts, strict=True))
        return Evidence(margin=margin, second=second, second_share=share, novelty=novelty)

    def _weigh(self, whitened: Features, classes: Labels, own: Floats) -> tuple[Floats, Labels, Floats, Floats]:
        logits = self._logits(whitened, classes, own)
        rows = np.flatnonzero(classes != UNSORTED)
        novelty = _normalised(logits)[:, self.num_known :].sum(1)
        mine = np.full(len(classes), -np.inf, np.float32)
        mine[rows] = logits[rows, classes[rows]]
        logits[rows, classes[rows]] = -np.inf
        second = logits.argmax(1)
        is_alone = np.isneginf(logits.max(1))  # there is no other class
        logits[is_alone] = 0
        others = logits.max(1) + np.log(np.exp(logits - logits.max(1, keepdims=True)).sum(1))
        share = np.exp(logits.max(1) - others)
        margin = np.where(is_alone, np.inf, mine - others)
        return margin.astype(np.float32), np.where(is_alone, -1, second), np.where(is_alone, 0, share), novelty

    def _logits(self, whitened: Features, classes: Labels | None = None, own: Floats | None = None) -> Floats:
        """f32 [n, num_classes], the largest 0; `own` in place of the similarity to the assigned class."""
        similarity = whitened @ self.means.T
        if classes is not None and own is not None:
            rows = np.flatnonzero(classes != UNSORTED)
            similarity[rows, classes[rows]] = own[rows]
        logits: Floats = self.scale * similarity + np.log(self.prior)
        logits -= logits.max(1, keepdims=True)
        return logits

    def _likeliest(self, features: Features) -> Labels:
        parts = [self._logits(self.whitening.transform(features[rows])).argmax(1) for rows in _blocks(len(features))]
        return np.concatenate(parts)

    def _own_likeness(self, features: Features, classes: Labels, *, are_members: bool) -> Floats:
        """f32 [n], the cosine of each image with the mean of its class, without the image itself if it is a member."""
        own = np.zeros(len(classes), np.float32)
        for rows in _blocks(len(features)):
            own[rows] = own_likeness(self.whitening.transform(features[rows]), self.means, classes[rows])
        return without_itself(own, classes) if are_members else own


def fit_classifier(
    whitening: Whitening, features: Features, assignment: Assignment, *, num_known: int, temper: Temper
) -> Classifier:
    """The classifier of an assignment: means of its classes, and a prior that goes with the root of their sizes.

    The root, because sizes are found and not known: a class that has swallowed another one is large for that reason.

    Args:
        whitening: of `features`.
        features: f32 [n, dim], each of length 1.
        assignment: of the same images.
        num_known: known classes.
        temper: scale and shifts.
    """
    classes = assignment.classes[assignment.classes != UNSORTED]
    weights = np.sqrt(np.bincount(classes, minlength=assignment.num_classes) + 1.0)
    return Classifier(
        whitening=whitening,
        means=class_means(whitening.transform(features), assignment),
        prior=(weights / weights.sum()).astype(np.float32),
        scale=temper.scale,
        num_known=num_known,
        shifts=temper.shifts,
    )


def _blocks(count: int) -> Iterator[slice]:
    return (slice(start, start + BLOCK) for start in range(0, max(count, 1), BLOCK))


def _normalised(logits: Floats) -> Floats:
    likely = np.exp(logits)
    normalised: Floats = likely / likely.sum(1, keepdims=True)
    return normalised


def _sigmoid(logit: Floats) -> Floats:
    from scipy.special import expit

    probability: Floats = expit(logit)
    return probability
