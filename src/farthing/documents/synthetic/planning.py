"""Which objects a page is to show."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from farthing.documents.synthetic.drawing import Era, ObjectClass
from farthing.documents.synthetic.layout import Wish
from farthing.documents.synthetic.objects.catalogue import DISTRACTORS, OBJECTS

# How often a class is chosen for a page: illustrations and initials differ most among each other.
_WEIGHTS = {"illustration": 3.2, "drop_capital": 2.4, "decoration": 1.8, "stamp": 2.6}
_COUNTS = (0.6, 0.29, 0.11)  # of pages with 1, 2 and 3 classes
# How many of one class stand on a page, on average beyond the first.
_REPEATS = {"drop_capital": 2.2, "music": 1.2, "decoration": 0.6, "illustration": 0.25, "stamp": 0.2}
_MOST_REPEATS = 8
_OPENINGS = 0.35


def plan_objects(rng: np.random.Generator, era: Era, classes: Sequence[str]) -> list[Wish]:
    """One to three classes of those asked for that the era knows, some of them several times."""
    known = [name for name in classes if _kinds(OBJECTS, name, era)]
    if not known:
        return []
    weights = np.array([_WEIGHTS.get(name, 1.0) for name in known])
    count = min(len(known), 1 + int(rng.choice(3, p=_COUNTS)))
    chosen = rng.choice(len(known), count, replace=False, p=weights / weights.sum())
    names = [known[place] for place in chosen]
    # A chapter opens with an ornament and an initial together.
    if "decoration" in names and "drop_capital" not in names and "drop_capital" in known and rng.random() < _OPENINGS:
        names.append("drop_capital")
    return [wish for name in names for wish in _repeat(rng, name, era)]


def plan_distractors(rng: np.random.Generator, era: Era) -> list[Wish]:
    """What also lies on pages and is no object; often nothing."""
    kinds = [kind for kind in DISTRACTORS.values() if era in kind.eras]
    if not kinds:
        return []
    weights = np.array([kind.weight for kind in kinds])
    count = int(rng.choice(4, p=[0.4, 0.33, 0.18, 0.09]))
    return [Wish(kind=kinds[place], name=None) for place in rng.choice(len(kinds), count, p=weights / weights.sum())]


def _repeat(rng: np.random.Generator, name: str, era: Era) -> list[Wish]:
    kinds = _kinds(OBJECTS, name, era)
    weights = np.array([kind.weight for kind in kinds])
    kind = kinds[rng.choice(len(kinds), p=weights / weights.sum())]
    beyond = 0 if kind.placement == "full_page" else int(rng.geometric(1 / (1 + _REPEATS.get(name, 0.05)))) - 1
    # Initials of one page are of one kind, as are its staves: variety lies between pages.
    return [Wish(kind=kind, name=name)] * (1 + min(beyond, _MOST_REPEATS))


def _kinds(table: dict[str, ObjectClass], name: str, era: Era) -> list[ObjectClass]:
    return [kind for kind in table.values() if kind.name == name and era in kind.eras]
