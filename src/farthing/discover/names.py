"""Names of classes: known ones keep theirs, new ones are numbered by size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from farthing.discover.problem import UNSORTED, Labels

UNSORTED_NAME = "unsorted"


def name_classes(known: Sequence[str], classes: Labels, num_classes: int) -> tuple[str, ...]:
    """[num_classes] names: those of the known classes, then `new-01`, `new-02`, ... from the largest new class on.

    A number that a known class has as its name already is left out.

    Args:
        known: names of the known classes, in the order of their numbers.
        classes: i64 [n], the class of each image or `UNSORTED`.
        num_classes: known and new together.
    """
    sizes = np.bincount(classes[classes != UNSORTED], minlength=num_classes)[len(known) :]
    by_size = np.argsort(-sizes, kind="stable")
    new = dict(zip(by_size.tolist(), new_names(known, len(sizes)), strict=True))
    return (*known, *(new[number] for number in range(len(sizes))))


def new_names(taken: Sequence[str], count: int) -> tuple[str, ...]:
    """`count` names of the form `new-01` that are not taken, in the order of their numbers."""
    used = set(taken)
    width = max(2, len(str(count)))
    candidates = (f"new-{number:0{width}}" for number in range(1, count + len(used) + 1))
    return tuple([name for name in candidates if name not in used][:count])
