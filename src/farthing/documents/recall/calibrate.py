"""A stated recall for a filtered collection: draws pages to look at, and makes a promise from the answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from farthing.base.errors import DataError
from farthing.base.files import write_json
from farthing.documents.filtering.outputs import PAGES_FILE, refresh_outputs, write_pages
from farthing.documents.filtering.promise import CALIBRATION_FILE
from farthing.documents.recall.recall import Calibration, choose_threshold
from farthing.documents.recall.sampling import (
    Sample,
    check_collection,
    draw_sample,
    extend_sample,
    read_sample,
    write_sample,
)
from farthing.documents.recall.todo import read_labels, write_todo
from farthing.results.rows import PageQuery
from farthing.results.store import STORE_FILE, Store


@dataclass(frozen=True, kw_only=True, slots=True)
class SampleState:
    """How far the answers about a sample are.

    Attributes:
        total: pages in the sample.
        answered: of these, by a file or on the review page.
        num_pages: of the collection, that were read.
        round: of the sample, from 1.
    """

    total: int
    answered: int
    num_pages: int
    round: int


def sample_pages(folder: Path, num_labels: int, *, seed: int = 0, out: Path | None = None) -> SampleState:
    """Draws a new sample of a filtered collection and writes which pages to look at.

    What was decided about a page before, on the review page or with another sample, counts and is filled in.

    Args:
        folder: that filter wrote.
        num_labels: pages to look at; all, where there are fewer.
        seed: equal seeds draw equal samples.
        out: a CSV file with the columns page and contains; None for the review page alone.

    Raises:
        FormatError: `folder` holds no filter.
        ConfigError: `num_labels` or `seed` out of range.
        DataError: no page could be read, or `out` cannot be written.
    """
    with Store.open(folder / STORE_FILE) as store:
        scores = _scores(store)
        return _keep_sample(store, folder, draw_sample(list(scores), num_labels, seed=seed), out)


def sample_more(folder: Path, *, out: Path | None = None) -> SampleState:
    """Doubles the sample, so that a promise can become larger or keep fewer pages; earlier answers stay.

    Args:
        folder: that filter wrote, with a sample.
        out: as for `sample_pages`; earlier answers are filled in.

    Raises:
        FormatError: `folder` holds no filter.
        DataError: there is no sample, it has unanswered pages, it holds all pages, or the collection changed.
    """
    with Store.open(folder / STORE_FILE) as store:
        scores, sample = _scores(store), _sample(folder)
        _check_answered(sample, store.decisions())
        return _keep_sample(store, folder, extend_sample(sample, list(scores)), out)


def sample_state(folder: Path) -> SampleState | None:
    """How far the answers about the sample are; None where none was drawn.

    Raises:
        FormatError: `folder` holds no filter, or a file of it is damaged.
    """
    sample = read_sample(folder)
    if sample is None:
        return None
    with Store.open(folder / STORE_FILE) as store:
        return _state(sample, store)


def calibrate(
    folder: Path, *, labels: Path | None = None, recall: float = 0.95, confidence: float = 0.95
) -> Calibration:
    """Finds the highest threshold whose recall is at least `recall`, and keeps the pages from there on.

    Writes `calibration.json`, the store, and everything that is made from it: `pages.csv` (keep) and the report. Where
    the answers do not suffice, every page is kept, and the result says what could be promised instead. A page that a
    person answered is kept or not as they said.

    Args:
        folder: that filter wrote, with a sample.
        labels: answers; they are recorded as decisions. None: those of the review page alone.
        recall: share of the wanted pages that must be kept, in (0, 1).
        confidence: probability that the promise is true, in (0, 1).

    Raises:
        FormatError: `folder` holds no filter.
        ConfigError: `recall` or `confidence` out of range.
        DataError: there is no sample, sampled pages without an answer, the collection changed, or `labels` is unusable.
    """
    with Store.open(folder / STORE_FILE) as store:
        sample, scores = _sample(folder), _scores(store)
        check_collection(sample, list(scores))
        told = read_labels(labels) if labels is not None else {}
        answers = {**store.decisions(), **told}
        _check_answered(sample, answers)
        position = {page: number for number, page in enumerate(scores)}
        result = choose_threshold(
            np.fromiter(scores.values(), np.float64, len(scores)),
            np.array([position[page] for page in sample.pages], np.int64),
            np.array([answers[page] for page in sample.pages], np.bool_),
            recall=recall,
            confidence=confidence,
            round=sample.round,
        )
        store.decide_all(told, "file")
        store.set_threshold(result.threshold)
        write_json(folder / CALIBRATION_FILE, result)
        write_pages(store, folder / PAGES_FILE)  # needs no page images, as the rest does
    refresh_outputs(folder)
    return result


def _scores(store: Store) -> dict[str, float]:
    """The score of every page that was read, by name."""
    return {row.page: row.score for row in store.pages(PageQuery(is_readable=True)) if row.score is not None}


def _sample(folder: Path) -> Sample:
    sample = read_sample(folder)
    if sample is None:
        raise DataError(
            f"{folder}: no sample was drawn yet; run: farthing documents calibrate {folder} --sample 200 --out todo.csv"
        )
    return sample


def _keep_sample(store: Store, folder: Path, sample: Sample, out: Path | None) -> SampleState:
    if out is not None:
        write_todo(out, sample.pages, store.decisions())
    write_sample(folder, sample)
    return _state(sample, store)


def _state(sample: Sample, store: Store) -> SampleState:
    decisions = store.decisions()
    return SampleState(
        total=len(sample.pages),
        answered=sum(page in decisions for page in sample.pages),
        num_pages=sample.num_pages,
        round=sample.round,
    )


def _check_answered(sample: Sample, answers: dict[str, bool]) -> None:
    """Checks that every sampled page has an answer: leaving out the hard ones would bend the promise."""
    missing = [page for page in sample.pages if page not in answers]
    if missing:
        raise DataError(
            f"{len(missing)} of the {len(sample.pages)} sampled pages have no answer (first: {missing[0]}); "
            "a promise needs all of them: fill in 1 or 0, or answer on the review page"
        )
