"""A discovery as a folder that sorts new images: feature extractor, classes, calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
import numpy as np
import torch
from torch import Tensor

from farthing.base.errors import ConfigError, FormatError
from farthing.discover.features import Extractor
from farthing.discover.means import own_likeness, without_itself
from farthing.discover.metric import Whitening
from farthing.discover.probability import Classifier, Prediction
from farthing.discover.problem import UNSORTED, Features, Labels
from farthing.discover.sources import EXTRACTORS
from farthing.lowbit.artifact import load_artifact, save_artifact

APPLICATION: Final = "discover"

# Of the images of a collection, this share may look less like its class than a new image that is still sorted.
_OUTLIERS = 0.05


class ModelDescription(msgspec.Struct, frozen=True, kw_only=True):
    """What `config.json` says of a discovery.

    Attributes:
        classes: their names, known ones first.
        num_known: how many are known.
        scale: of the classifier.
        shifts: of the classifier.
        reach: least cosine of an image with the mean of its class in the whitened space; None where every image gets
            a class.
        extractor: its kind in `EXTRACTORS` and its description; None where features came from elsewhere.
        has_numbers: whether class names stand for whole numbers, as an estimator's labels may be.
    """

    application: Literal["discover"] = APPLICATION
    classes: tuple[str, ...]
    num_known: int
    scale: float
    shifts: tuple[float, float]
    reach: float | None
    extractor: tuple[str, dict[str, Any]] | None  # Any: JSON
    has_numbers: bool = False


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class DiscoveryModel:
    """What new images need.

    Attributes:
        names: of the classes, known ones first.
        classifier: from features to classes.
        reach: least cosine of an image with the mean of its class in the whitened space; None where every image gets
            a class.
        extractor: from images to features; None where features came from elsewhere.
        has_numbers: whether class names stand for whole numbers, as an estimator's labels may be.
    """

    names: tuple[str, ...]
    classifier: Classifier
    reach: float | None
    extractor: Extractor | None
    has_numbers: bool = False

    def predict(self, features: Features) -> Prediction:
        """The likeliest class of each image, `UNSORTED` where it is out of reach of that class.

        Args:
            features: f32 [n, dim], each of length 1.
        """
        prediction = self.classifier.predict(features)
        if self.reach is None:
            return prediction
        whitened = self.classifier.whitening.transform(features)
        likeness = own_likeness(whitened, self.classifier.means, prediction.classes)
        return self.classifier.predict(features, np.where(likeness < self.reach, UNSORTED, prediction.classes))


def reach_of(classifier: Classifier, features: Features, classes: Labels) -> float:
    """The cosine with the mean of the others of its class that 95 % of the sorted images have; -1 without any."""
    is_sorted = classes != UNSORTED
    if not is_sorted.any():
        return -1.0
    own = own_likeness(classifier.whitening.transform(features), classifier.means, classes)
    return float(np.quantile(without_itself(own, classes)[is_sorted], _OUTLIERS, method="lower"))


def save_model(folder: Path, model: DiscoveryModel) -> None:
    """Writes a model folder; an earlier one is replaced in one step.

    Raises:
        ConfigError: an extractor that cannot be stored.
        DataError: the folder cannot be written or holds something else.
    """
    classifier = model.classifier
    tensors = {
        "means": torch.from_numpy(classifier.means),
        "prior": torch.from_numpy(classifier.prior),
        **{f"whitening.{name}": torch.from_numpy(value) for name, value in classifier.whitening.state().items()},
    }
    extractor = None
    if model.extractor is not None:
        kind, state, weights = take_apart(model.extractor)
        extractor = (kind, state)
        tensors |= {f"extractor.{name}": value for name, value in weights.items()}
    description = ModelDescription(
        classes=model.names,
        num_known=classifier.num_known,
        scale=classifier.scale,
        shifts=classifier.shifts,
        reach=model.reach,
        extractor=extractor,
        has_numbers=model.has_numbers,
    )
    save_artifact(folder, config=msgspec.to_builtins(description), tensors=tensors)


def load_model(folder: Path) -> DiscoveryModel:
    """The model of a folder that `save_model` wrote; every hash is checked first, no code is run.

    Raises:
        FormatError: the folder is damaged, or holds something else.
    """
    artifact = load_artifact(folder)
    application = artifact.config.get("application")
    if application != APPLICATION:
        raise FormatError(f"{folder}: holds a model of {application!r}, not a discovery")
    try:
        described = msgspec.convert(artifact.config, ModelDescription)
        whitening = Whitening.from_state({name: one.numpy() for name, one in _part(artifact.tensors, "whitening")})
        classifier = Classifier(
            whitening=whitening,
            means=artifact.tensors["means"].numpy(),
            prior=artifact.tensors["prior"].numpy(),
            scale=described.scale,
            shifts=described.shifts,
            num_known=described.num_known,
        )
        extractor = None
        if described.extractor is not None:
            extractor = put_together(*described.extractor, dict(_part(artifact.tensors, "extractor")))
    except (msgspec.ValidationError, ConfigError, KeyError, TypeError, RuntimeError) as error:
        raise FormatError(f"{folder}/config.json: not what this version of farthing writes ({error})") from error
    model = DiscoveryModel(
        names=described.classes,
        classifier=classifier,
        reach=described.reach,
        extractor=extractor,
        has_numbers=described.has_numbers,
    )
    _check_fit(model, folder)
    return model


def take_apart(extractor: Extractor) -> tuple[str, dict[str, Any], dict[str, Tensor]]:  # Any: JSON
    """Kind, description and tensors of an extractor.

    Raises:
        ConfigError: it cannot be stored.
    """
    description, tensors = extractor.state()
    return next(name for name, kind in EXTRACTORS.items() if isinstance(extractor, kind)), description, tensors


def put_together(kind: str, description: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> Extractor:  # Any: JSON
    """The extractor that `take_apart` took apart.

    Raises:
        ConfigError: an unknown kind, or a description that does not fit it.
    """
    if kind not in EXTRACTORS:
        raise ConfigError(f"extractor must be one of {', '.join(EXTRACTORS)}, got {kind!r}")
    return EXTRACTORS[kind].from_state(description, tensors)


def _part(tensors: Mapping[str, Tensor], prefix: str) -> Sequence[tuple[str, Tensor]]:
    start = f"{prefix}."
    return [(name.removeprefix(start), tensor) for name, tensor in tensors.items() if name.startswith(start)]


def _check_fit(model: DiscoveryModel, folder: Path) -> None:
    """Sorts one image: parts from a file may be sound each and not fit each other."""
    dim = model.classifier.means.shape[-1]
    try:
        if model.extractor is not None:
            features = model.extractor.transform([np.zeros((8, 8, 3), np.uint8)])
        else:
            features = np.full((1, dim), dim**-0.5, np.float32)
        fits = len(model.names) == len(model.classifier.means) == len(model.classifier.prior)
        if not fits or model.classifier.probabilities(features).shape != (1, len(model.names)):
            raise FormatError(f"{folder}: the numbers of classes differ")
    except (RuntimeError, ValueError, IndexError) as error:
        raise FormatError(f"{folder}: the parts of the model do not fit each other ({error})") from error
