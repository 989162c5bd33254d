"""What a head is: a way to sort images into a given number of classes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from farthing.base.errors import ConfigError
from farthing.discover.problem import Assignment, Labels, Problem

# From a problem, the number of classes (known and new together) and a seed. Labelled images keep their class.
Head = Callable[[Problem, int, int], Assignment]


def check_num_classes(problem: Problem, num_classes: int) -> None:
    """Refuses a number of classes that no sorting of the images has.

    Raises:
        ConfigError: fewer than are known, or more than there are images.
    """
    lowest, highest = max(1, problem.num_known), len(problem.labels)
    if not lowest <= num_classes <= highest:
        limits = f"from {lowest}, the known classes, to {highest}, the images"
        raise ConfigError(f"num_classes must be {limits}, got {num_classes}")


def fill_empty(
    classes: Labels, closeness: npt.NDArray[np.float32], num_classes: int, *, is_free: npt.NDArray[np.bool_]
) -> Assignment:
    """The assignment in which every class has an image, as far as images may move.

    Each empty class takes one of the images that fit theirs least, never the last one of its class.

    Args:
        classes: i64 [n].
        closeness: f32 [n], how well images fit their classes.
        num_classes: known and new together.
        is_free: bool [n], which images may move.
    """
    classes = classes.copy()
    sizes = np.bincount(classes, minlength=num_classes)
    empty = iter(np.flatnonzero(sizes == 0))
    candidates = np.flatnonzero(is_free)
    wanted = next(empty, None)
    for image in candidates[np.argsort(closeness[candidates], kind="stable")]:
        if wanted is None:
            break
        if sizes[classes[image]] > 1:
            sizes[classes[image]] -= 1
            classes[image] = wanted
            wanted = next(empty, None)
    return Assignment(classes=classes, num_classes=num_classes)
