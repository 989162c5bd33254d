"""Judging an assignment by the truth: the figures of the protocol, how far probabilities can be believed, novelty."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from farthing.base.errors import DataError
from farthing.discover.csvfiles import read_rows
from farthing.discover.metrics import Truth, area_under_roc, expected_calibration_error, match_classes, score
from farthing.discover.outputs import ASSIGNMENTS_FILE, SortedImage, read_assignments

Figures = dict[str, float | None]

_YES_NO = {"1": True, "0": False}


@dataclass(frozen=True, kw_only=True, slots=True)
class TruthTable:
    """What a truth file says.

    Attributes:
        labels: the class of each image, by name.
        labelled: images whose label was given, which are not judged.
        known: classes that had labelled images.
    """

    labels: Mapping[str, str]
    labelled: frozenset[str]
    known: frozenset[str]


def read_truth(path: Path, *, given: Mapping[str, str]) -> TruthTable:
    """The truth about a collection, from a CSV file.

    Args:
        path: has the columns image and label, and may have known and labelled (1 or 0).
        given: the labels that were given, by image; they stand in for columns that are not there.

    Raises:
        DataError: the file cannot be read, lacks a column, names an image twice, or has another value than 1 or 0.
    """
    rows = read_rows(path, ["image", "label"])
    labels = {row["image"]: row["label"] for row in rows}
    if len(labels) != len(rows):
        twice = Counter(row["image"] for row in rows).most_common(1)[0][0]
        raise DataError(f"{path}: names the image {twice!r} more than once; keep one line of it")
    if nameless := next((image for image, label in labels.items() if not label), None):
        raise DataError(f"{path}: the label of {nameless!r} is empty; leave out images whose class is not known")
    labelled = _chosen(rows, "labelled", path)
    images = frozenset(given) if labelled is None else frozenset(labelled)
    known = _chosen(rows, "known", path)
    seen = images if known is None else known
    return TruthTable(labels=labels, labelled=images, known=frozenset(labels[one] for one in seen if one in labels))


def evaluate(truth: TruthTable, assigned: Sequence[SortedImage]) -> Figures:
    """All figures of an assignment, over the images that were not labelled.

    Those of `metrics.score` in percent; counts `images`, `classes`, `clusters` and `unassigned`; `ece`, the 15-bin
    calibration error of the assigned probability in [0, 1]; `novelty_auroc`, how well the novelty score tells images
    of new classes from those of known ones, in [0, 1]. An image that was not assigned counts as wrong; `unsorted` is
    matched like any other class.

    Raises:
        DataError: no image of the truth is to be judged.
    """
    judged = [image for image in truth.labels if image not in truth.labelled]
    if not judged:
        raise DataError("truth: every image of it was labelled, so there is nothing to judge")
    by_image = {one.image: one for one in assigned}
    labels = [truth.labels[image] for image in judged]
    found = [by_image[image].label if image in by_image else "" for image in judged]
    counts: Figures = {
        "images": len(judged),
        "classes": len(set(labels)),
        "clusters": len(set(found) - {""}),
        "unassigned": found.count(""),
    }
    sizes = Counter(truth.labels.values())
    return (
        counts
        | score(Truth(labels=labels, known=truth.known, sizes=sizes), found)
        | _belief(labels, [by_image.get(image) for image in judged], truth.known)
    )


def evaluate_run(run: Path, truth: Path) -> Figures:
    """The figures of a run's assignments, and the number of classes that it found with its interval.

    Raises:
        FormatError: `run` is not what fit writes.
        DataError: as `read_truth` and `evaluate`.
    """
    from farthing.discover.rundata import read_given, read_summary

    summary = read_summary(run)
    table = read_truth(truth, given=read_given(run))
    interval: Figures = {"k": summary.k, "k_low": summary.k_low, "k_high": summary.k_high}
    return evaluate(table, read_assignments(run / ASSIGNMENTS_FILE)) | interval


def _chosen(rows: Sequence[Mapping[str, str]], column: str, path: Path) -> list[str] | None:
    """The images with a 1 in a column; None where there is no such column."""
    if not rows or column not in rows[0]:
        return None
    for row in rows:
        if row[column] not in _YES_NO:
            raise DataError(f"{path}: {column} of {row['image']!r} must be 1 or 0, got {row[column]!r}")
    return [row["image"] for row in rows if _YES_NO[row[column]]]


def _belief(labels: Sequence[str], assigned: Sequence[SortedImage | None], known: frozenset[str]) -> Figures:
    """Calibration and novelty, over the images that have a probability."""
    pairs = [(label, one) for label, one in zip(labels, assigned, strict=True) if one is not None and one.label]
    if not pairs:
        return {"ece": None, "novelty_auroc": None}
    match = match_classes([label for label, _ in pairs], [one.label for _, one in pairs])
    correct = np.array([match.get(one.label) == label for label, one in pairs])
    probability = np.array([one.probability for _, one in pairs], np.float64)
    novelty = np.array([one.novelty for _, one in pairs], np.float64)
    is_new = np.array([label not in known for label, _ in pairs])
    return {
        "ece": expected_calibration_error(probability, correct),
        "novelty_auroc": area_under_roc(novelty, is_new),
    }
