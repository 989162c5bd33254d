"""A report never says more of the recall than the calibration does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from farthing.base.errors import FormatError
from farthing.base.files import write_json
from farthing.documents.filtering.promise import CALIBRATION_FILE, CalibrationFacts, read_promise
from farthing.documents.recall.recall import Calibration

FACTS: dict[str, Any] = {
    "threshold": 0.2,
    "kept": 300,
    "num_pages": 1000,
    "recall": 0.95,
    "recall_lower_bound": 0.95,
    "confidence": 0.9,
    "is_reached": True,
    "recall_estimate": 0.98,
    "best_threshold": 0.2,
    "best_kept": 300,
    "labels_used": 200,
    "positives_found": 61,
    "more_labels_wanted": 0,
    "round": 1,
    "method": "",
}


def test_without_a_calibration_nothing_is_promised(tmp_path: Path) -> None:
    promise = read_promise(tmp_path, num_pages=1000)
    assert (promise.kind, promise.title) == ("open", "Recall: not promised")


def test_a_reached_recall_is_said_with_what_it_rests_on(tmp_path: Path) -> None:
    write_json(tmp_path / CALIBRATION_FILE, FACTS)
    promise = read_promise(tmp_path, num_pages=1000)
    assert promise.kind == "promised"
    assert promise.title == "At least 95 % of the wanted pages are kept"
    assert promise.detail == ("Promised with 90 % confidence, from 200 pages drawn at random, 61 of them wanted ones.")


def test_a_recall_that_was_not_reached_says_what_could_be_promised(tmp_path: Path) -> None:
    short = {"is_reached": False, "recall_lower_bound": 0.83, "best_kept": 420, "more_labels_wanted": 140}
    write_json(tmp_path / CALIBRATION_FILE, FACTS | short)
    promise = read_promise(tmp_path, num_pages=1000)
    assert promise.kind == "short"
    assert promise.title == "95 % of the wanted pages cannot be promised yet, so every page is kept"
    assert promise.detail.endswith("83 %, by keeping 420 pages. About 140 more answers would do for 95 %.")


@pytest.mark.parametrize(
    ("share", "said"), [(0.9499, "94.9 %"), (0.95, "95 %"), (0.9996, "99.9 %"), (1.0, "100 %"), (0.57, "57 %")]
)
def test_a_share_is_never_rounded_up(tmp_path: Path, share: float, said: str) -> None:
    write_json(tmp_path / CALIBRATION_FILE, FACTS | {"recall_lower_bound": share})
    assert read_promise(tmp_path, num_pages=1000).title == f"At least {said} of the wanted pages are kept"


def test_a_promise_ends_when_pages_are_added(tmp_path: Path) -> None:
    write_json(tmp_path / CALIBRATION_FILE, FACTS)
    promise = read_promise(tmp_path, num_pages=1001)
    assert (promise.kind, promise.detail) == (
        "open",
        "The calibration was made for 1,000 pages, and now there are 1,001.",
    )


def test_a_foreign_calibration_is_an_error_that_names_it(tmp_path: Path) -> None:
    write_json(tmp_path / CALIBRATION_FILE, {"recall": "high"})
    with pytest.raises(FormatError, match=r"calibration\.json: not what farthing writes"):
        read_promise(tmp_path, num_pages=1)


def test_every_fact_that_is_read_is_one_that_is_written() -> None:
    assert set(CalibrationFacts.__struct_fields__) <= set(Calibration.__dataclass_fields__)
    assert set(FACTS) == set(Calibration.__dataclass_fields__)
