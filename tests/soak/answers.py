"""11: the same rows through every tier, with other threads, batches and files."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
import torch

from farthing.lowbit import native
from farthing.recommend.modelfolder import ClickModel, load_model
from tests.recommend import small
from tests.soak.models import make_model
from tests.soak.outcome import Budget, Outcome
from tests.soak.suites import run_tests

PRESETS = ("int8", "int4", "int2", "binary", "fp32")
THREADS, BATCHES, NUM_FILES = (1, 2), (1, 1000), (1, 50)
NUM_ROWS = 200
# torch adds the terms of a float product in another order for another number of rows.
FLOAT_BOUND = 1e-6
GOLDEN = ("tests/lowbit/test_golden.py", "tests/recommend/test_clicktext.py")


def same_answers_everywhere(budget: Budget, folder: Path) -> Outcome:
    """Compares the bits of every probability with those of the first way to compute it."""
    found = compare_answers(budget, folder, PRESETS)
    golden = run_tests(*GOLDEN)
    return Outcome(f"{found.figure}; golden files: {golden.summary}", found.kept and golden.is_green)


def compare_answers(budget: Budget, folder: Path, presets: Sequence[str]) -> Outcome:
    """The same rows through models of some presets in every way there is."""
    models = {preset: load_model(make_model(folder, preset)) for preset in presets}
    tiers = (native.info() or {"tiers": ()})["tiers"]
    compared, differing = 0, set()
    for number in budget.rounds(0.8):
        frame = small.clicks(NUM_ROWS, seed=1000 + number, with_numbers=True)
        logs = {num_files: written(frame, folder / str(num_files), num_files) for num_files in NUM_FILES}
        for preset, model in models.items():
            first, *others = _answers(model, logs, tiers).items()
            bound = FLOAT_BOUND if preset == "fp32" else 0.0
            compared += len(others) * NUM_ROWS
            differing |= {f"{preset}: {name}" for name, values in others if _distance(values, first[1]) > bound}
    listed = f": {', '.join(sorted(differing)[:3])}" if differing else ""
    figure = (
        f"{compared:,} probabilities of {len(presets)} presets, tiers {', '.join(tiers)}, threads {THREADS}, batches "
        f"{BATCHES}, files {NUM_FILES}: {len(differing)} ways differ{listed}"
    )
    return Outcome(figure, not differing and bool(tiers))


def _answers(model: ClickModel, logs: Mapping[int, list[Path]], tiers: Sequence[str]) -> dict[str, list[float]]:
    """The probabilities of the same rows by the way they were computed."""
    answers = {}
    for tier, threads, batch, num_files in itertools.product(tiers, THREADS, BATCHES, NUM_FILES):
        torch.set_num_threads(threads)
        with native.use_tier(tier):
            name = f"{tier}, {threads} threads, batch {batch}, {num_files} files"
            answers[name] = from_files(model, logs[num_files], batch)
    torch.set_num_threads(THREADS[0])
    return answers


def written(frame: pl.DataFrame, folder: Path, num_files: int) -> list[Path]:
    """The rows in so many files, in their order."""
    folder.mkdir(exist_ok=True)
    size, paths = -(-len(frame) // num_files), []
    for number in range(num_files):
        paths.append(folder / f"{number:02}.parquet")
        frame[number * size : (number + 1) * size].write_parquet(paths[-1])
    return paths


def from_files(model: ClickModel, files: Sequence[Path], batch: int) -> list[float]:
    """Probabilities of the rows of some files, so many at a time."""
    batches = model.encoder.read(files, batch_rows=batch)
    return [score for _, rows in batches for score in model.predict(rows).tolist()]


def _distance(one: Sequence[float], other: Sequence[float]) -> float:
    """The largest difference; infinite where there are not as many."""
    if len(one) != len(other):
        return math.inf
    return max(abs(a - b) for a, b in zip(one, other, strict=True))
