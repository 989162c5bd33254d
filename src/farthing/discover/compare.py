"""The table of heads and feature widths: one collection, one truth, every way to sort it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from farthing.base.files import write_json
from farthing.discover.codes import FeatureBits, rounded
from farthing.discover.comparereport import CHOSEN, write_compare_report
from farthing.discover.config import DiscoverConfig
from farthing.discover.csvfiles import write_rows
from farthing.discover.discovery import discover
from farthing.discover.evaluation import TruthTable, evaluate, read_truth
from farthing.discover.features import FeatureSet
from farthing.discover.fit import Request
from farthing.discover.images import open_images
from farthing.discover.metric import Whitening
from farthing.discover.names import name_classes
from farthing.discover.probability import Prediction, Temper, fit_classifier
from farthing.discover.problem import Assignment, Features, Problem
from farthing.discover.robust import heads_with, smallest_class
from farthing.discover.rows import Given, sorted_rows
from farthing.discover.sources import extract_features

Row = dict[str, Any]  # Any: JSON scalars
Progress = Callable[[str], None]

TABLE_FILE, CSV_FILE = "compare.json", "compare.csv"
MEGABYTE = 1e6


def compare_heads(
    request: Request,
    out: Path,
    *,
    truth: Path,
    bits: Sequence[FeatureBits] = (32,),
    seeds: int = 3,
    progress: Progress = lambda _: None,
) -> list[Row]:
    """The rows of the table, which is also written to `out` as compare.json, compare.csv and report.html.

    Every head sorts the same features, whitened alike, into the same number of classes. The row `chosen` is what fit
    does with this number of classes: it chooses among heads by folds, without the truth.

    Args:
        request: what is sorted; where its number of classes is open, the truth's is taken.
        out: the folder.
        truth: CSV as `read_truth` reads it; nothing is chosen by it.
        bits: of the features: 32, 8 or 1 each.
        seeds: how often every row is measured, >= 1; the features are made once.
        progress: is told what is being done.

    Raises:
        ConfigError: other bits, or settings that do not fit.
        DataError: images, labels or truth cannot be read, or `out` cannot be written.
    """
    collection = open_images(request.images, request.labels)
    labels = {image: label for image, label in zip(collection.names, collection.labels, strict=True) if label}
    table = read_truth(truth, given=labels)
    found, _ = extract_features(
        collection,
        request.source,
        listing=request.listing,
        config=request.config.features,
        seed=request.seed,
        progress=progress,
    )
    sorter = _Sorter(
        given=Given(images=collection.names, labels=labels),
        found=found,
        truth=table,
        num_classes=request.num_classes or len(set(table.labels.values())),
    )
    rows: list[Row] = []
    for width in bits:
        features = rounded(found.features, width)
        for name in (*heads_with(1), CHOSEN):
            progress(f"{name}, {width} bits")
            measured = [sorter.measure(features, name, request.config.sorting, seed) for seed in range(seeds)]
            row: Row = {"name": f"{name}, {width} bits", "head": name, "bits": width, "seeds": seeds}
            rows.append(row | {"size_mb": features.size * width / 8 / MEGABYTE} | _spread(measured))
    write_json(out / TABLE_FILE, rows)
    write_rows(out / CSV_FILE, list(rows[0]), (list(row.values()) for row in rows))
    source = request.source if isinstance(request.source, str) else "a function"
    write_compare_report(out, rows, {"Images": str(request.images), "Features": source, "Truth": str(truth)})
    return rows


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class _Sorter:
    """A collection with its truth, to be sorted again and again."""

    given: Given
    found: FeatureSet
    truth: TruthTable
    num_classes: int

    def measure(self, features: Features, head: str, config: DiscoverConfig, seed: int) -> dict[str, float | None]:
        """All figures of one sorting, and its seconds; without calibration error for a head alone: it has no folds."""
        names = self.found.names
        known = self.given.known(names)
        problem = Problem(features=features, labels=self.given.numbers(names), num_known=len(known))
        start = time.perf_counter()
        if head == CHOSEN:
            found = discover(problem, config, num_classes=self.num_classes, seed=seed)
            assignment, prediction = found.assignment, found.prediction
        else:
            shrinkage = config.shrinkages[0]
            assignment, prediction = sort_alone(problem, head, self.num_classes, shrinkage=shrinkage, seed=seed)
        seconds = time.perf_counter() - start
        classes = name_classes(known, assignment.classes, assignment.num_classes)
        figures = evaluate(self.truth, sorted_rows(self.given, names, prediction, classes, num_known=len(known)))
        return {**figures, "ece": figures["ece"] if head == CHOSEN else None, "seconds": seconds}


def sort_alone(
    problem: Problem, head: str, num_classes: int, *, shrinkage: float, seed: int
) -> tuple[Assignment, Prediction]:
    """What one head makes of a problem in the whitened space, without folds; its probabilities are not calibrated.

    Args:
        problem: features, some of them labelled.
        head: its name in `robust.heads_with`.
        num_classes: known and new together.
        shrinkage: of the within-class covariance, in (0, 1].
        seed: of everything that is drawn.

    Raises:
        ConfigError: fewer classes than are known, or more than there are images.
    """
    whitening = Whitening.fit(problem, shrinkage)
    features = whitening.transform(problem.features)
    whitened = Problem(features=features, labels=problem.labels, num_known=problem.num_known)
    assignment = heads_with(smallest_class(problem))[head](whitened, num_classes, seed)
    classifier = fit_classifier(whitening, problem.features, assignment, num_known=problem.num_known, temper=Temper())
    return assignment, classifier.predict(problem.features, assignment.classes, are_members=True)


def _spread(measured: Sequence[Mapping[str, float | None]]) -> Row:
    """Mean and sample standard deviation, which is 0 for one value, of every figure; None where there is none."""
    row: Row = {}
    for name in measured[0]:
        values = [value for one in measured if (value := one[name]) is not None]
        row[name] = float(np.mean(values)) if values else None
        row[f"{name}_std"] = float(np.std(values, ddof=min(1, len(values) - 1))) if values else None
    return row
