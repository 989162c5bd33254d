"""All classes of a sorting as the gallery shows them: sizes, means, nearest classes, a few images of each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from farthing.discover.gallery.changes import Numbers
from farthing.discover.gallery.messages import ClassMessage, NearClass
from farthing.discover.gallery.nearness import Similarities
from farthing.discover.gallery.sorting import Sorting
from farthing.discover.problem import UNSORTED

NUM_SHOWN = 36  # images of a class before anybody asks for more
NUM_NEAR = 3
_DECIMALS = 4

Scores = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class Columns:
    """What was said of each image when it was assigned.

    Attributes:
        probability: f32 [n], of its class.
        novelty: f32 [n].
        seconds: i32 [n], number of the second choice when the round began, or -1.
        second_probability: f32 [n].
    """

    probability: Scores
    novelty: Scores
    seconds: Numbers
    second_probability: Scores


def ordered_members(sorting: Sorting, columns: Columns, number: int) -> Numbers:
    """The images of a class, i32: the most probable first; of `UNSORTED` the most novel first."""
    members = sorting.members(number)
    key = columns.novelty if number == UNSORTED else columns.probability
    return members[np.argsort(-key[members], kind="stable")]


def class_messages(sorting: Sorting, columns: Columns, similarities: Similarities) -> list[ClassMessage]:
    """Every class that has images, the largest first.

    Args:
        sorting: the images in classes.
        columns: what was said of them.
        similarities: f32 [classes, classes], -1 where two have nothing in common.
    """
    sizes = sorting.sizes()
    order = np.lexsort((-columns.probability, sorting.classes))  # by class; UNSORTED first
    ends = np.cumsum(sizes) + np.count_nonzero(sorting.classes == UNSORTED)
    messages = []
    for number in np.argsort(-sizes, kind="stable")[: np.count_nonzero(sizes)].tolist():
        row, members = sorting.image_classes[number], order[ends[number] - sizes[number] : ends[number]]
        messages.append(
            ClassMessage(
                id=number,
                name=row.name,
                is_new=row.is_new,
                is_settled=row.is_settled,
                size=len(members),
                probability=round(float(columns.probability[members].mean()), _DECIMALS),
                novelty=round(float(columns.novelty[members].mean()), _DECIMALS),
                near=_nearest(similarities[number]),
                images=members[:NUM_SHOWN].tolist(),
            )
        )
    return messages


def _nearest(similarities: Scores) -> list[NearClass]:
    best = np.argsort(-similarities, kind="stable")[:NUM_NEAR]
    return [
        NearClass(id=number, similarity=round(float(similarities[number]), _DECIMALS))
        for number in best.tolist()
        if similarities[number] > 0
    ]
