"""What can be said about the recall of a filter, from its `calibration.json`, in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from farthing.base.files import read_json
from farthing.documents.filtering.wording import plural

CALIBRATION_FILE = "calibration.json"


class CalibrationFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The part of `calibration.json` that a report shows; `documents.recall.Calibration` says what each means."""

    num_pages: int
    recall: float
    recall_lower_bound: float
    confidence: float
    is_reached: bool
    best_kept: int
    labels_used: int
    positives_found: int
    more_labels_wanted: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Promise:
    """What a report says of the recall.

    Attributes:
        kind: `open`: nothing is promised; `short`: less than was asked could be; `promised`.
        title: one sentence.
        detail: what it rests on, or why there is none.
    """

    kind: Literal["open", "short", "promised"]
    title: str
    detail: str


def read_promise(folder: Path, *, num_pages: int) -> Promise:
    """The promise that holds for the filter in `folder`.

    Args:
        folder: of the filter.
        num_pages: pages that were read; a promise made for another number does not hold.

    Raises:
        FormatError: there is a `calibration.json` that farthing did not write.
    """
    path = folder / CALIBRATION_FILE
    if not path.exists():
        detail = (
            "Nobody has looked at a sample of these pages yet, so it is not known how many wanted ones are rejected."
        )
        return Promise(kind="open", title="Recall: not promised", detail=detail)
    facts = read_json(path, CalibrationFacts)
    if facts.num_pages != num_pages:
        detail = f"The calibration was made for {plural(facts.num_pages, 'page')}, and now there are {num_pages:,}."
        return Promise(kind="open", title="Recall: not promised any more", detail=detail)
    basis = (
        f"with {percent(facts.confidence)} confidence, from {plural(facts.labels_used, 'page')} drawn at random, "
        f"{facts.positives_found:,} of them wanted ones"
    )
    if facts.is_reached:
        title = f"At least {percent(facts.recall_lower_bound)} of the wanted pages are kept"
        return Promise(kind="promised", title=title, detail=f"Promised {basis}.")
    more = plural(facts.more_labels_wanted, "more answer")
    return Promise(
        kind="short",
        title=f"{percent(facts.recall)} of the wanted pages cannot be promised yet, so every page is kept",
        detail=f"What can be promised {basis}: {percent(facts.recall_lower_bound)}, by keeping "
        f"{plural(facts.best_kept, 'page')}. About {more} would do for {percent(facts.recall)}.",
    )


def percent(share: float) -> str:
    """With one decimal at most, never rounded up: a promise must not grow by being printed."""
    return f"{int(share * 1000 + 1e-6) / 10:g} %"
