"""Which objects pages are to show."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from farthing.documents.classes import CLASSES
from farthing.documents.synthetic.drawing import Era
from farthing.documents.synthetic.planning import plan_distractors, plan_objects

ERAS: tuple[Era, ...] = ("manuscript", "print", "typescript")


@pytest.mark.parametrize("era", ERAS)
def test_plans_hold_what_was_asked_for_and_the_era_knows(era: Era) -> None:
    rng = np.random.default_rng(0)
    counts: Counter[str] = Counter()
    for _ in range(400):
        wishes = plan_objects(rng, era, CLASSES)
        assert 1 <= len({wish.name for wish in wishes}) <= 4
        assert all(era in wish.kind.eras and wish.name == wish.kind.name for wish in wishes)
        counts.update({wish.name or "" for wish in wishes})
    assert all(counts[name] >= 12 for name in ("illustration", "stamp", "seal", "signature", "table", "music", "map"))
    assert {wish.name for _ in range(50) for wish in plan_objects(rng, era, ("map",))} == {"map"}


def test_nothing_is_planned_of_classes_that_an_era_lacks() -> None:
    assert plan_objects(np.random.default_rng(0), "typescript", ("decoration",)) == []


def test_distractors_have_no_label() -> None:
    rng = np.random.default_rng(0)
    plans = [plan_distractors(rng, "print") for _ in range(100)]
    assert {len(plan) for plan in plans} == {0, 1, 2, 3}
    assert all(wish.name is None for plan in plans for wish in plan)
