"""How good page detectors are on real collections, and how fast they filter.

    python -m bench.documents --data FOLDER --models RUN RUN RUN

FOLDER holds gallicorpora, cremma-medieval and tapuscorpus as COCO folders (docs/documents.md says where they come
from); the models are several trainings of one recipe, on synthetic pages only. Nothing is chosen by what this prints.
Results go to bench/results/documents.json and into the table of docs/documents.md.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from bench.machine import describe
from PIL import Image

from farthing.base.files import write_json
from farthing.documents.filtering.filter import FilterConfig, filter_pages
from farthing.documents.judging.evaluation import evaluate_on
from farthing.documents.net.predict import PageDetector
from farthing.documents.synthetic.config import SynthesisConfig
from farthing.documents.synthetic.write import make_page
from farthing.documents.training.data import read_pages

ROOT = Path(__file__).resolve().parents[1]
RESULTS, PAGE = ROOT / "bench" / "results" / "documents.json", ROOT / "docs" / "documents.md"
START, END = "<!-- table: documents -->\n", "<!-- end -->"
SPEED_PAGES, SPEED_KINDS, SPEED_SIDE = 900, 30, 1024

# Collection, its annotations, class, and what was asked for (page AP, precision at 95 % recall, box AP50).
CASES: tuple[tuple[str, str, str, dict[str, float]], ...] = (
    ("gallicorpora", "annotations_split.json", "illustration", {"page_ap": 0.96, "precision_at_95": 0.85, "ap50": 0.8}),
    ("gallicorpora", "annotations_split.json", "drop_capital", {"page_ap": 0.85}),
    ("cremma-medieval", "annotations_split.json", "illustration", {"page_ap": 0.88, "ap50": 0.55}),
    ("cremma-medieval", "annotations_split.json", "drop_capital", {"page_ap": 0.85}),
    ("tapuscorpus", "annotations.json", "stamp", {"page_ap": 0.8}),
)
STRICT = {"page_ap_strict": 0.93, "precision_at_95_strict": 0.75}

Row = dict[str, Any]


def measure(models: Sequence[PageDetector], data: Path) -> list[Row]:
    """Per collection and class, each figure of every model."""
    measured: dict[tuple[str, str], list[dict[str, dict[str, float]]]] = {}
    rows = []
    for collection, labels, name, asked in CASES:
        key = (collection, labels)
        if key not in measured:
            pages = read_pages([data / collection / labels], models[0].classes)
            measured[key] = [evaluate_on(model, pages).classes for model in models]
        is_strict = (collection, name) == ("gallicorpora", "illustration")
        for rate, bar in (asked | (STRICT if is_strict else {})).items():
            values = [classes[name][rate] for classes in measured[key]]
            row = {"collection": collection, "class": name, "figure": rate, "asked": bar, "values": values}
            rows.append(
                row | {"mean": float(np.mean(values)), "std": float(np.std(values, ddof=min(1, len(values) - 1)))}
            )
    return rows


def speed(model: PageDetector) -> dict[str, float]:
    """Pages per second of a filter that has one core to itself, from JPEG files of 1024 pixels; the report included."""
    threads, cores = torch.get_num_threads(), os.sched_getaffinity(0)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(SPEED_KINDS):
            pixels = make_page(1, number, SynthesisConfig(min_side=800, max_side=SPEED_SIDE)).page.pixels
            scale = SPEED_SIDE / max(pixels.shape)
            size = round(pixels.shape[1] * scale), round(pixels.shape[0] * scale)
            image = Image.fromarray(pixels).resize(size)
            for copy in range(SPEED_PAGES // SPEED_KINDS):
                image.save(Path(folder) / f"{number:02}-{copy:03}.jpg", quality=88)
        torch.set_num_threads(1)
        os.sched_setaffinity(0, {max(cores)})
        started = time.perf_counter()
        result = filter_pages(model, folder, Path(folder) / "out", FilterConfig())
        seconds = time.perf_counter() - started
        os.sched_setaffinity(0, cores)
    torch.set_num_threads(threads)
    return {"pages_per_second": result.pages_per_second, "with_report": SPEED_PAGES / seconds}


def table(results: dict[str, Any]) -> str:
    """Markdown."""
    lines = ["| collection | class | figure | asked | mean +- std | |", "|---|---|---|---:|---:|---|"]
    for row in results["rows"]:
        verdict = "reached" if row["mean"] >= row["asked"] else "missed"
        lines.append(
            f"| {row['collection']} | {row['class']} | {row['figure']} | {row['asked']:.2f} | "
            f"{row['mean']:.3f} +- {row['std']:.3f} | {verdict} |"
        )
    fast = results["speed"]
    files = f"{SPEED_PAGES} JPEG files of {SPEED_SIDE} pixels"
    times = (
        f"{fast['pages_per_second']:.0f} pages/s, and {fast['with_report']:.0f} with writing the tables and the report"
    )
    lines += ["", f"Filtering {files} on one core, decoding and recording included: {times}."]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--models", type=Path, nargs="+", required=True)
    options = parser.parse_args()
    models = [PageDetector.load(path) for path in options.models]
    results = {
        "machine": describe(),
        "models": [model.model_id for model in models],
        "rows": measure(models, options.data),
        "speed": speed(models[0]),
    }
    write_json(RESULTS, results)
    text = PAGE.read_text(encoding="utf-8")
    head, _, rest = text.partition(START)
    PAGE.write_text(head + START + table(results) + END + rest.partition(END)[2], encoding="utf-8")
    print(table(results))


if __name__ == "__main__":
    main()
