"""Calibration from the review page: draw a sample, see whether it is answered, ask for a promise."""

from __future__ import annotations

from pathlib import Path

from farthing.documents.recall.calibrate import SampleState, calibrate, sample_more, sample_pages, sample_state
from farthing.documents.review.messages import RecallMessage, SampleMessage
from farthing.web.endpoints import RequestError


def draw(folder: Path, message: SampleMessage) -> SampleState:
    """Draws the first sample of the filter in `folder`, or doubles the one there is; returns how far its answers are.

    Raises:
        RequestError: there is a sample already, or none to double, or it cannot be doubled now.
        FarthingError: the folder cannot be read or written.
    """
    state = sample_state(folder)
    if message.pages is not None:
        if state is not None:
            raise RequestError("a sample was drawn already; answer it, then double it if it does not suffice")
        return sample_pages(folder, message.pages)
    if state is None:
        raise RequestError("there is no sample to double; draw one first")
    _check_answered(state)
    if state.total == state.num_pages:
        raise RequestError("every page is in the sample already")
    return sample_more(folder)


def promise(folder: Path, message: RecallMessage) -> None:
    """Sets the threshold with this recall and writes what is promised; `calibrate` says how.

    Raises:
        RequestError: there is no sample, or it has pages without an answer.
        FarthingError: the folder cannot be read or written.
    """
    state = sample_state(folder)
    if state is None:
        raise RequestError("a promise rests on a sample; draw one first")
    _check_answered(state)
    calibrate(folder, recall=message.recall, confidence=message.confidence)


def _check_answered(state: SampleState) -> None:
    missing = state.total - state.answered
    if missing:
        raise RequestError(f"{missing} of {state.total} sampled pages have no answer yet; every one of them counts")
