"""What discovery chooses, and what every choice would have reached, on the sets that its decisions are made on.

    python -m bench.discover_choices [--data FOLDER] [--sets digits letters] [--seeds 3] [--keep FOLDER]

The sets are drawn by code; omniglot_small.npz (`images` u8 [n, height, width], `labels`) joins them from --data. Every
second class by size is known, half of its images are labelled. For each set and seed: what `discover` does with the
number of classes given and with it open, and every head of its settings, and linkage, at every shrinkage. The sets that
judge, in bench/discover.py, are none of these. --keep stores features, so that the next run starts with them.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from bench.drawn import Collection, digits, letters, packages, varied_digits
from PIL import Image

from farthing.discover.builtin import DictionaryConfig, DictionaryExtractor
from farthing.discover.config import DiscoverConfig
from farthing.discover.discovery import discover
from farthing.discover.features import unit_length
from farthing.discover.metrics import Truth, score
from farthing.discover.problem import UNLABELLED, UNSORTED, Labels, Problem
from farthing.discover.robust import heads_with, smallest_class
from farthing.discover.splits import SplitConfig, draw_split
from farthing.discover.trials import whiten

FIGURES = ("all", "balanced", "named_old")
LINKAGE = "linkage"
CONFIG = DiscoverConfig()


@dataclass(frozen=True, kw_only=True, slots=True)
class DecisionSet:
    """A collection by its seed, and how it is split."""

    draw: Callable[[int], Collection]
    split: SplitConfig


def decision_sets(data: Path | None) -> Mapping[str, DecisionSet]:
    """All sets by name, those of omniglot only with data."""
    sets = {
        "digits": DecisionSet(draw=lambda _: digits(), split=SplitConfig()),
        "digits 20": DecisionSet(draw=lambda _: digits(), split=SplitConfig(imbalance=20, largest=177)),
        "digits 50": DecisionSet(draw=lambda _: digits(), split=SplitConfig(imbalance=50, largest=177)),
        "varied digits": DecisionSet(draw=varied_digits, split=SplitConfig(imbalance=100, largest=1000)),
        "letters": DecisionSet(draw=letters, split=SplitConfig()),
        "packages": DecisionSet(draw=packages, split=SplitConfig()),
    }
    if data is None:
        return sets
    path = data / "omniglot_small.npz"
    tail = SplitConfig(imbalance=10, largest=20)
    return sets | {
        "omniglot": DecisionSet(draw=lambda _: omniglot(path), split=tail),
        "omniglot 60": DecisionSet(draw=lambda seed: omniglot(path, num_classes=60, seed=seed), split=SplitConfig()),
    }


def omniglot(path: Path, *, num_classes: int | None = None, seed: int = 0) -> Collection:
    """All classes, or so many that the seed draws."""
    arrays = np.load(path, allow_pickle=False)
    images, labels = arrays["images"], arrays["labels"].astype(np.int64)
    kept = np.random.default_rng(seed).permutation(np.unique(labels))[:num_classes]
    chosen = np.flatnonzero(np.isin(labels, kept))
    renumbered = np.unique(labels[chosen], return_inverse=True)[1].astype(np.int64)
    return [np.asarray(Image.fromarray(images[place]).convert("RGB")) for place in chosen], renumbered


def make_problem(name: str, drawn: DecisionSet, seed: int, keep: Path | None) -> tuple[Problem, Labels]:
    """The problem and its truth, i64 [n], known classes first; the features from `keep` where they are there."""
    path = None if keep is None else keep / f"{name.replace(' ', '-')}-{seed}.npz"
    if path is not None and path.exists():
        arrays = np.load(path, allow_pickle=False)
        features, truth, labels = arrays["features"], arrays["truth"], arrays["labels"]
    else:
        images, classes = drawn.draw(seed)
        split = draw_split(classes, drawn.split, seed=seed)
        shown = [images[place] for place in split.images]
        extractor = DictionaryExtractor.fit(shown, DictionaryConfig(), seed=seed)
        features = unit_length(extractor.transform(shown))
        truth = known_first(classes[split.images], split.known)
        labels = np.where(split.labelled, truth, UNLABELLED)
        if path is not None:
            np.savez(path, features=features, truth=truth, labels=labels)
    return Problem(features=features, labels=labels, num_known=int(labels.max()) + 1), truth


def known_first(classes: Labels, known: np.ndarray) -> Labels:
    """i64 [n], numbers of the classes in which the known ones, bool [n], come first."""
    of_known = np.unique(classes[known])
    order = [*of_known, *np.setdiff1d(classes, of_known)]
    return np.argsort(order)[np.unique(classes, return_inverse=True)[1]]


def judge(problem: Problem, truth: Labels, found: Labels) -> dict[str, float]:
    """all, balanced and named_old of the images without a label, in percent."""
    judged = problem.labels == UNLABELLED
    table = Truth(
        labels=[str(label) for label in truth[judged]],
        known={str(label) for label in range(problem.num_known)},
        sizes={str(label): int(size) for label, size in enumerate(np.bincount(truth))},
    )
    names = ["" if label == UNSORTED else str(label) for label in found[judged]]
    figures = score(table, names)
    return {name: float(figures[name] or 0) for name in FIGURES}


def measure(problem: Problem, truth: Labels, seed: int) -> tuple[dict[str, dict[str, float]], list[str]]:
    """The figures of every way to sort, by its name, and what was chosen in words."""
    num_classes = int(truth.max()) + 1
    given = discover(problem, CONFIG, num_classes=num_classes, seed=seed)
    found = discover(problem, CONFIG, seed=seed)
    k_error = 100 * abs(found.assignment.num_classes - num_classes) / num_classes
    rows = {
        "auto": judge(problem, truth, given.assignment.classes),
        "auto, open": judge(problem, truth, found.assignment.classes) | {"k_error": k_error},
    }
    heads = heads_with(smallest_class(problem))
    for shrinkage in CONFIG.shrinkages:
        whitened = whiten(problem, shrinkage).problem
        for head in (LINKAGE, *CONFIG.heads):
            classes = heads[head](whitened, num_classes, seed).classes
            rows[f"{head}, {shrinkage:g}"] = judge(problem, truth, classes)
    chosen = f"{given.choice.head}, shrinkage {given.choice.shrinkage:g}"
    counted = f"{found.k_low} <= {found.assignment.num_classes} <= {found.k_high} of {num_classes} classes"
    return rows, [chosen, counted]


def table(rows_of_seeds: Sequence[Mapping[str, Mapping[str, float]]]) -> str:
    """A line per way to sort: the means over seeds, and the worst of `all`."""
    lines = [f"{'':26}{'all':>7}{'least':>7}{'balanced':>10}{'named':>7}{'K error':>9}"]
    for name in rows_of_seeds[0]:
        rows = [rows[name] for rows in rows_of_seeds]
        every, balanced, named = (float(np.mean([row[figure] for row in rows])) for figure in FIGURES)
        least = min(row["all"] for row in rows)
        k_error = f"{np.mean([row['k_error'] for row in rows]):9.1f}" if "k_error" in rows[0] else ""
        lines.append(f"{name:26}{every:7.1f}{least:7.1f}{balanced:10.1f}{named:7.1f}{k_error}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--sets", nargs="+", metavar="SET", help="beginnings of names; all without")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.keep is not None:
        options.keep.mkdir(parents=True, exist_ok=True)
    for name, drawn in decision_sets(options.data).items():
        if options.sets and not name.startswith(tuple(options.sets)):
            continue
        measured = []
        for seed in range(options.seeds):
            problem, truth = make_problem(name, drawn, seed, options.keep)
            rows, words = measure(problem, truth, seed)
            measured.append(rows)
            print(f"{name}, seed {seed}, {len(truth):,} images: {'; '.join(words)}", flush=True)
        print(table(measured), end="\n\n", flush=True)


if __name__ == "__main__":
    main()
