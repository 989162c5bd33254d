"""From the classes of a discovery to the rows of its table: names, given labels, what a person ruled out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from farthing.discover.names import UNSORTED_NAME
from farthing.discover.outputs import SortedImage
from farthing.discover.probability import Prediction
from farthing.discover.problem import UNLABELLED, UNSORTED, Labels


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class Given:
    """What is known of the images before they are sorted.

    Attributes:
        images: names, in the order of the collection.
        labels: image -> class, as given or decided since.
        not_in: image -> class that a person took it out of.
        extra: further columns by image.
    """

    images: Sequence[str]
    labels: Mapping[str, str]
    not_in: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def known(self, images: Sequence[str]) -> tuple[str, ...]:
        """Names of the classes with a label among these images, sorted: the place of a name is its class's number."""
        return tuple(sorted({self.labels[image] for image in images if image in self.labels}))

    def numbers(self, images: Sequence[str]) -> Labels:
        """i64 [n], the class of each of these images or `UNLABELLED`."""
        number = {name: place for place, name in enumerate(self.known(images))}
        labels = (self.labels.get(image) for image in images)
        return np.array([UNLABELLED if label is None else number[label] for label in labels], np.int64)


def sorted_rows(
    given: Given, readable: Sequence[str], prediction: Prediction, names: Sequence[str], *, num_known: int
) -> list[SortedImage]:
    """A row for every image of the collection, in its order; those that could not be read have no label.

    A labelled image keeps its label, with probability 1. An image that a person took out of the class that it is in
    again goes to the next likely class.

    Args:
        given: all images.
        readable: those that were sorted.
        prediction: of the readable ones, in their order.
        names: of the classes, known ones first.
        num_known: how many of them are known.
    """
    place = {image: number for number, image in enumerate(readable)}
    rows = []
    for image in given.images:
        extra = given.extra.get(image, {})
        if label := given.labels.get(image):
            row = SortedImage(image=image, label=label, probability=1.0, extra=extra)
        elif image not in place:
            row = SortedImage(image=image, extra=extra)
        else:
            row = _row(image, prediction, place[image], names, num_known=num_known, extra=extra)
            if row.second_label and given.not_in.get(image) == row.label:
                row = _second(row, names[:num_known])
        rows.append(row)
    return rows


def _row(
    image: str,
    prediction: Prediction,
    place: int,
    names: Sequence[str],
    *,
    num_known: int,
    extra: Mapping[str, str],
) -> SortedImage:
    number, second = int(prediction.classes[place]), int(prediction.second[place])
    return SortedImage(
        image=image,
        label=UNSORTED_NAME if number == UNSORTED else names[number],
        is_new=number >= num_known,
        probability=float(prediction.probability[place]),
        novelty=float(prediction.novelty[place]),
        second_label="" if second < 0 else names[second],
        second_probability=float(prediction.second_probability[place]),
        extra=extra,
    )


def _second(row: SortedImage, known: Sequence[str]) -> SortedImage:
    """The row with its next likely class in the first place and none in the second."""
    return SortedImage(
        image=row.image,
        label=row.second_label,
        is_new=row.second_label not in known,
        probability=row.second_probability,
        novelty=row.novelty,
        extra=row.extra,
    )
