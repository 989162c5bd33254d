"""How often a stated recall is broken, and what it costs.

    python -m bench.recall                                      the simulation, into bench/results and docs/recall.md
    python -m bench.recall --scores pages.csv --truth truth.csv  the same 200 resamplings on a collection of your own

`--scores` has the columns page and score (what filter writes), `--truth` page and contains (1 or 0). Each resampling
draws a sample, takes the answers from the truth, and sets the threshold. "broken" counts thresholds whose recall is
below the promise; "of best" is the pages kept over those of the highest threshold that has the recall.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from bench.machine import describe
from bench.recall_designs import ALPHA, DESIGNS, Scores, Truth

from farthing.base.files import write_json
from farthing.documents.recall.hypergeometric import pmf
from farthing.documents.recall.recallbounds import allowed_misses
from farthing.documents.recall.todo import read_labels

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "bench" / "results" / "recall.json"
PAGE = ROOT / "docs" / "recall.md"
START, END = "<!-- table: {} -->\n", "<!-- end -->"

# Beta parameters: of the scores of positives, of a tenth of them that are hard, and of negatives.
RANKERS: Mapping[str, tuple[tuple[float, float], tuple[float, float], tuple[float, float]]] = {
    "good": ((6.0, 1.5), (1.5, 2.0), (0.8, 5.0)),
    "fair": ((3.0, 1.5), (1.2, 2.5), (1.0, 3.0)),
    "random": ((1.0, 1.0), (1.0, 1.0), (1.0, 1.0)),
}
DESIGN_CASES = tuple(
    (num_pages, share, "good", 0.9, 200)
    for num_pages, share in ((724, 0.2), (724, 0.28), (10_000, 0.2), (10_000, 0.28))
)
# Enough labels for a promise, where there are that many: pages of which few are wanted take more. At most half of all.
LABELS = {0.01: 5000, 0.05: 1000, 0.28: 200, 0.4: 200}
VALIDITY_CASES = tuple(
    (num_pages, share, ranker, recall, min(LABELS[share], num_pages // 2))
    for num_pages in (100, 300, 724, 10_000, 1_000_000)
    for share in LABELS
    for ranker in RANKERS
    for recall in (0.9, 0.95)
)

Row = dict[str, Any]


def collection(num_pages: int, share: float, ranker: str, seed: int) -> tuple[Scores, Truth]:
    """Scores and truth of a made-up collection; scores in hundredths of a per cent, so that some are equal."""
    rng = np.random.default_rng(seed)
    truth = rng.permutation(np.arange(num_pages) < max(1, round(share * num_pages)))
    easy, hard, negative = RANKERS[ranker]
    kind = np.where(truth, np.where(rng.random(num_pages) < 0.1, 1, 0), 2)
    shapes = np.array([easy, hard, negative])[kind]
    return np.round(rng.beta(shapes[:, 0], shapes[:, 1]), 4), truth


def resample(scores: Scores, truth: Truth, *, budget: int, recall: float, design: str, seeds: Sequence[int]) -> Row:
    """Draws once per seed; what came of it."""
    best = np.sort(scores[truth])[::-1][int(np.ceil(recall * truth.sum() - 1e-9)) - 1]
    recalls, kept, decided = [], [], []
    for seed in seeds:
        threshold, sampled = DESIGNS[design](scores, truth, min(budget, len(scores)), recall, seed)
        is_kept = scores >= threshold
        recalls.append(np.count_nonzero(is_kept & truth) / truth.sum())
        kept.append(is_kept.mean())
        is_kept[sampled] = truth[sampled]
        decided.append(is_kept.mean())
    ideal = float(np.mean(scores >= best))
    return {
        "pages": len(scores),
        "positives": int(truth.sum()),
        "recall": recall,
        "labels": min(budget, len(scores)),
        "design": design,
        "resamplings": len(seeds),
        "broken": float(np.mean(np.array(recalls) < recall - 1e-12)),
        "not_reached": float(np.mean(np.array(kept) == 1)),
        "mean_recall": float(np.mean(recalls)),
        "ideal": ideal,
        "kept": float(np.mean(kept)),
        "of_best": float(np.mean(kept)) / ideal,
        "of_best_median": float(np.median(kept)) / ideal,
        "of_best_with_answers": float(np.mean(decided)) / ideal,
    }


def simulate(num_collections: int) -> dict[str, list[Row]]:
    """All tables: labels needed, designs against each other, and whether the shipped one keeps its promise."""
    designs = [
        _merge([_row(case, design, seed) for seed in range(num_collections)])
        for case in DESIGN_CASES
        for design in DESIGNS
        if design != "importance, betting" or case[0] < 10_000
    ]
    validity = []
    for case in VALIDITY_CASES:
        collections, draws = (1, 100) if case[0] > 10_000 else (max(1, num_collections // 10), 200)
        validity.append(_merge([_row(case, "farthing", seed, draws=draws) for seed in range(collections)]))
    labels = [
        {"recall": recall, "pages": pages, "share": share, "labels": labels_needed(pages, share, recall)}
        for recall in (0.8, 0.9, 0.95)
        for pages, share in ((724, 0.28), (724, 0.05), (10_000, 0.28), (10_000, 0.05))
    ]
    return {"designs": designs, "validity": validity, "labels": labels}


def _row(case: tuple[int, float, str, float, int], design: str, seed: int, draws: int = 5) -> Row:
    num_pages, share, ranker, recall, budget = case
    scores, truth = collection(num_pages, share, ranker, seed)
    seeds = range(seed * draws, (seed + 1) * draws)
    row = resample(scores, truth, budget=budget, recall=recall, design=design, seeds=seeds)
    return {**row, "ranker": ranker, "share": share}


def _merge(rows: list[Row]) -> Row:
    """The mean of what was measured."""
    measured = (
        "broken",
        "not_reached",
        "mean_recall",
        "ideal",
        "kept",
        "of_best",
        "of_best_median",
        "of_best_with_answers",
    )
    merged = {**rows[0], **{name: float(np.mean([row[name] for row in rows])) for name in measured}}
    merged["resamplings"] = sum(row["resamplings"] for row in rows)
    return merged


def labels_needed(num_pages: int, share: float, recall: float) -> int:
    """The fewest labels, in tens, with which the recall can be promised in nine of ten draws."""
    positives = round(share * num_pages)
    low, high = 0, num_pages // 10
    while high - low > 1:
        middle = (low + high) // 2
        is_allowed = allowed_misses(num_pages, 10 * middle, recall, 0.9 * ALPHA) >= 0
        found = np.arange(len(is_allowed))
        chance = pmf(found, total=num_pages, marked=positives, drawn=10 * middle)[is_allowed].sum()
        low, high = (low, middle) if chance >= 0.9 else (middle, high)
    return 10 * high


def labels_table(rows: list[Row]) -> str:
    """Markdown: labels needed by recall, per size and share."""
    columns = list(dict.fromkeys((row["pages"], row["share"]) for row in rows))
    text = "| recall | " + " | ".join(f"{pages:,} pages, {share:.0%} wanted" for pages, share in columns) + " |\n"
    text += "|---:" * (len(columns) + 1) + "|\n"
    for recall in sorted({row["recall"] for row in rows}):
        text += (
            f"| {recall:.0%} | " + " | ".join(f"{row['labels']:,}" for row in rows if row["recall"] == recall) + " |\n"
        )
    return text


def design_table(rows: list[Row]) -> str:
    """Markdown: kept pages over the ideal, per design and collection."""
    text = "| pages | positive | design | broken | recall, mean | kept, of best | kept with answers, of best |\n"
    text += "|---:|---:|---|---:|---:|---:|---:|\n"
    for row in rows:
        text += (
            f"| {row['pages']:,} | {row['share']:.0%} | {row['design']} | {row['broken']:.1%} "
            f"| {row['mean_recall']:.3f} | {row['of_best']:.2f} | {row['of_best_with_answers']:.2f} |\n"
        )
    return text


def validity_table(rows: list[Row]) -> str:
    """Markdown: broken promises by size and share of positives, all rankers and recalls together."""
    shares = sorted({row["share"] for row in rows})
    text = "| pages | " + " | ".join(f"{share:.0%} positive" for share in shares) + " |\n"
    text += "|---:" * (len(shares) + 1) + "|\n"
    for num_pages in sorted({row["pages"] for row in rows}):
        cells = []
        for share in shares:
            group = [row for row in rows if row["pages"] == num_pages and row["share"] == share]
            cells.append(
                f"{np.mean([row['broken'] for row in group]):.1%} (at most {max(row['broken'] for row in group):.1%})"
            )
        text += f"| {num_pages:,} | " + " | ".join(cells) + " |\n"
    return text


def write_tables(results: dict[str, Any]) -> None:
    """Puts the tables into docs/recall.md, between their marks."""
    text = PAGE.read_text(encoding="utf-8")
    for name, make in (("labels", labels_table), ("designs", design_table), ("validity", validity_table)):
        before, rest = text.split(START.format(name))
        text = before + START.format(name) + make(results[name]) + END + rest.split(END, 1)[1]
    PAGE.write_text(text, encoding="utf-8")


def read_pair(scores: Path, truth: Path) -> tuple[Scores, Truth]:
    """Scores and truth of the pages that are in both files."""
    with scores.open(newline="", encoding="utf-8") as stream:
        score_of = {row["page"]: float(row["score"]) for row in csv.DictReader(stream)}
    answers = read_labels(truth)
    pages = [page for page in score_of if page in answers]
    return np.array([score_of[page] for page in pages]), np.array([answers[page] for page in pages])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scores", type=Path)
    parser.add_argument("--truth", type=Path)
    parser.add_argument("--recall", type=float, nargs="*", default=[0.9, 0.95])
    parser.add_argument("--labels", type=int, default=200)
    parser.add_argument("--resamplings", type=int, default=200)
    parser.add_argument("--designs", nargs="*", default=["farthing"], choices=list(DESIGNS))
    parser.add_argument("--collections", type=int, default=40, help="made-up collections per case of the simulation")
    options = parser.parse_args()
    if options.scores:
        pair = read_pair(options.scores, options.truth)
        for recall in options.recall:
            for design in options.designs:
                seeds = range(options.resamplings)
                print(json.dumps(resample(*pair, budget=options.labels, recall=recall, design=design, seeds=seeds)))
        return
    start = time.perf_counter()
    tables = simulate(options.collections)
    results = {"machine": describe(), "seconds": round(time.perf_counter() - start), **tables}
    write_json(RESULTS, results)
    if PAGE.exists():
        write_tables(results)


if __name__ == "__main__":
    main()
