"""The table of heads and feature widths: one collection, one truth, every way to sort it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
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
from farthing.discover.names import name_classes
from farthing.discover.problem import Features, Problem
from farthing.discover.robust import heads_with
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
        for name, config in _candidates(request.config.sorting).items():
            progress(f"{name}, {width} bits")
            measured = [sorter.measure(features, config, seed) for seed in range(seeds)]
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

    def measure(self, features: Features, config: DiscoverConfig, seed: int) -> dict[str, float | None]:
        """All figures of one sorting, and its seconds."""
        names = self.found.names
        known = self.given.known(names)
        problem = Problem(features=features, labels=self.given.numbers(names), num_known=len(known))
        start = time.perf_counter()
        found = discover(problem, config, num_classes=self.num_classes, seed=seed)
        seconds = time.perf_counter() - start
        classes = name_classes(known, found.assignment.classes, found.assignment.num_classes)
        rows = sorted_rows(self.given, names, found.prediction, classes, num_known=len(known))
        return {**evaluate(self.truth, rows), "seconds": seconds}


def _candidates(config: DiscoverConfig) -> dict[str, DiscoverConfig]:
    """Every head alone under the first shrinkage, and the choice among those that the settings allow."""
    single = {name: replace(config, heads=(name,), shrinkages=config.shrinkages[:1]) for name in heads_with(1)}
    return {**single, CHOSEN: config}


def _spread(measured: Sequence[Mapping[str, float | None]]) -> Row:
    """Mean and sample standard deviation, which is 0 for one value, of every figure; None where there is none."""
    row: Row = {}
    for name in measured[0]:
        values = [value for one in measured if (value := one[name]) is not None]
        row[name] = float(np.mean(values)) if values else None
        row[f"{name}_std"] = float(np.std(values, ddof=min(1, len(values) - 1))) if values else None
    return row
