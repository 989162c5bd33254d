"""What can be said about how many wanted pages the kept ones are, from `calibration.json`, in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from farthing.base.files import read_json

CALIBRATION_FILE = "calibration.json"


class CalibrationFacts(msgspec.Struct, frozen=True):
    """The part of `calibration.json` that a report shows; see `documents.calibrate`.

    Attributes:
        recall_lower_bound: at least this share of the wanted pages is kept, in [0, 1].
        confidence: of the bound, in (0, 1).
        labels_used: pages that a person looked at.
        is_reached: whether the bound is as high as was asked.
        more_labels_wanted: how many more would be needed, about.
    """

    recall_lower_bound: float
    confidence: float
    labels_used: int
    is_reached: bool
    more_labels_wanted: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Promise:
    """What a report says of the recall.

    Attributes:
        kind: promised, partly (less than was asked) or open.
        title: one sentence.
        detail: what it rests on, or what to do.
    """

    kind: str
    title: str
    detail: str


def read_promise(folder: Path) -> Promise:
    """The promise that holds for the filter in `folder`.

    Raises:
        FormatError: there is a `calibration.json` that farthing did not write.
    """
    path = folder / CALIBRATION_FILE
    if not path.exists():
        return Promise(
            kind="open",
            title="Recall: not promised",
            detail="Nobody has looked at a sample of these pages yet, so it is not known how many wanted pages are "
            "among the rejected. Two hundred answers are enough for a promise in most collections:",
        )
    facts = read_json(path, CalibrationFacts)
    share, sure = f"{_floor(facts.recall_lower_bound)} %", f"{100 * facts.confidence:g} %"
    basis = (
        f"Stated with {sure} confidence, from {facts.labels_used:,} pages of this collection that a person looked at."
    )
    if facts.is_reached:
        return Promise(kind="promised", title=f"At least {share} of the wanted pages are kept", detail=basis)
    more = f" About {facts.more_labels_wanted:,} more answers would do." if facts.more_labels_wanted else ""
    return Promise(
        kind="partly",
        title=f"At least {share} of the wanted pages are kept, which is less than was asked",
        detail=f"{basis}{more} To go on:",
    )


def _floor(share: float) -> str:
    """Per cent with one decimal, never rounded up: a promise must not grow by being printed."""
    return f"{int(share * 1000 + 1e-6) / 10:g}"
