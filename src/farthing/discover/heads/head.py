"""What a head is: a way to sort images into a given number of classes."""

from __future__ import annotations

from collections.abc import Callable

from farthing.base.errors import ConfigError
from farthing.discover.problem import Assignment, Problem

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
