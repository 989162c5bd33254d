"""What no labels and a few examples are worth: query by crops, adaptation, self-supervision.

    python -m bench.adaptation find RUN --data FOLDER --only tapuscorpus --name stamp
    python -m bench.adaptation adapt RUN --data FOLDER --fitted FITTED --only gallicorpora cremma-medieval
    python -m bench.adaptation pretrain SYNTHETIC --data FOLDER --only gallicorpora cremma-medieval

FOLDER has one labelled collection per folder (`annotations.json`, `annotations_split.json` where there is one, images);
FITTED one folder per collection, from `farthing documents synthesize --like`; SYNTHETIC is what `synthesize` made.
Labels of the collections serve to measure at the end, and for nothing else. Each part adds to bench/results.

find      5 examples drawn at random, their pages left out of the collection; page AP and box AP50, several draws;
          by the examples alone, and with what the detector knows of their class
adapt     page AP of every class before and after, and which model was kept; classes on fewer than 5 pages are left out
pretrain  page AP with self-supervision for a third of the budget and synthetic training for the rest, against synthetic
          training for the whole budget; the budget is pages seen, and the seconds of both are told
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from bench.machine import describe
from PIL import Image

from farthing.base.files import write_json
from farthing.documents.adaptation.adapt import AdaptConfig, Target, adapt_detector
from farthing.documents.adaptation.pretrain import PretrainConfig, pretrain_backbone
from farthing.documents.detections import PageLabels
from farthing.documents.filtering.filter import Detector
from farthing.documents.formats import read_annotations
from farthing.documents.judging.metrics import evaluate_pages
from farthing.documents.net.predict import PageDetector, load_named
from farthing.documents.page import Page
from farthing.documents.presets import build_preset
from farthing.documents.query.find import learn_examples
from farthing.documents.query.querylearner import FindConfig
from farthing.documents.training.runs import train_detector
from farthing.vision.boxes import Boxes
from farthing.vision.images import read_image

RESULTS = Path(__file__).resolve().parents[1] / "bench" / "results"
LEAST_POSITIVES = 5
NUM_EXAMPLES = 5
SELF_SHARE = 1 / 3
BATCH = 32

Device = Literal["auto", "cpu", "cuda"]
Row = dict[str, Any]


def labels_of(collection: Path) -> tuple[PageLabels, ...]:
    """The pages of a collection with what they show; ornaments apart from illustrations where that is known."""
    split = collection / "annotations_split.json"
    return read_annotations(split if split.exists() else collection / "annotations.json").pages


def figures(detector: Detector, root: Path, truth: tuple[PageLabels, ...]) -> dict[str, dict[str, float]]:
    """The metrics of every class that is on enough pages."""
    found = []
    for start in range(0, len(truth), BATCH):
        images = [
            (page.page, read_image(root / page.page, max_side=detector.decode_pixels))
            for page in truth[start : start + BATCH]
        ]
        found += detector.detect(
            [Page(id=name, document="", pixels=i.pixels, width=i.width, height=i.height) for name, i in images]
        )
    results = evaluate_pages(found, truth)
    return {name: values for name, values in results.items() if values["positive"] >= LEAST_POSITIVES}


def find(run: str, collection: Path, *, name: str, draws: int, device: Device) -> list[Row]:
    """One row per draw of examples."""
    truth, rows = labels_of(collection), []
    objects = [
        (page, box) for page in truth for box, label in zip(page.boxes, page.labels, strict=True) if label == name
    ]
    for seed in range(draws):
        chosen = np.random.default_rng(seed).choice(len(objects), NUM_EXAMPLES, replace=False)
        left_out = {objects[index][0].page for index in chosen}
        rest = tuple(page for page in truth if page.page not in left_out)
        with tempfile.TemporaryDirectory() as folder:
            work = Path(folder)
            crops = [_cut(collection, objects[index], work / f"{place}.png") for place, index in enumerate(chosen)]
            for page in rest:
                (work / "pages" / page.page).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(collection / page.page, work / "pages" / page.page)
            before = figures(PageDetector.load(run, device=device), collection, rest)
            row: Row = {"collection": collection.name, "seed": seed, "without examples": before.get(name)}
            for arm, known in (("examples alone", False), ("with examples", True)):
                started, config = time.monotonic(), FindConfig(name=name, known=known)
                detector = learn_examples(
                    load_named(run), work / "pages", work / arm, like=crops, config=config, seed=seed, device=device
                )
                row[f"seconds, {arm}"] = round(time.monotonic() - started, 1)
                row[arm] = figures(detector, collection, rest)[name]
            rows.append(row)
    return rows


def _cut(root: Path, thing: tuple[PageLabels, Boxes], path: Path) -> Path:
    page, box = thing
    left, top, right, bottom = (round(float(value)) for value in box)
    image = Image.fromarray(read_image(root / page.page).pixels)
    image.crop((left, top, right, bottom)).save(path)
    return path


def adapt(run: Path, collection: Path, *, fitted: Path, seed: int, device: Device) -> Row:
    """Both detectors on a collection, whatever was kept."""
    truth = labels_of(collection)
    with tempfile.TemporaryDirectory() as folder:
        started = time.monotonic()
        target = Target(pages=collection / "images", labelled=[fitted / collection.name])
        result = adapt_detector(run, target, Path(folder) / "out", config=AdaptConfig(), seed=seed, device=device)
        seconds = time.monotonic() - started
        models = {"source": run, "adapted": Path(folder) / "out" / "candidate", "kept": Path(folder) / "out"}
        measured = {
            name: figures(PageDetector.load(model, device=device), collection, truth) for name, model in models.items()
        }
    checks = {check.name: [check.before, check.after, check.low, check.holds] for check in result.checks}
    return {
        "collection": collection.name,
        "seed": seed,
        "seconds": round(seconds, 1),
        "kept": result.kept,
        "checks": checks,
        **measured,
    }


def pretrain(synthetic: Path, collection: Path, *, num_images: int, seed: int, device: Device) -> Row:
    """Self-supervision, then synthetic pages; and synthetic pages alone, as many in all."""
    truth, config = labels_of(collection), build_preset("tiny")
    own = round(SELF_SHARE * num_images)
    rows: Row = {"collection": collection.name, "seed": seed, "num_images": num_images}
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for arm, labelled in (("synthetic alone", num_images), ("self-supervised first", num_images - own)):
            started, init = time.monotonic(), None
            if labelled < num_images:
                init = work / "pretrained"
                budget = PretrainConfig(num_images=own)
                pretrain_backbone(collection / "images", config, init, config=budget, seed=seed, device=device)
            settings = replace(config, train=replace(config.train, num_images=labelled))
            train_detector([synthetic], settings, work / arm, seed=seed, device=device, init=init)
            seconds = time.monotonic() - started
            measured = figures(PageDetector.load(work / arm, device=device), collection, truth)
            rows[arm] = {"seconds": round(seconds, 1), **measured}
    return rows


def summary(rows: list[Row]) -> dict[str, float]:
    """Mean page AP over classes and rows of every model in the rows."""
    told: dict[str, list[float]] = {}
    for row in rows:
        for arm, classes in row.items():
            if isinstance(classes, Mapping):
                found = [v["page_ap"] for v in ({arm: classes} if "page_ap" in classes else classes).values()
                         if isinstance(v, Mapping) and "page_ap" in v]  # fmt: skip
                told.setdefault(arm, []).extend(found)
    return {arm: round(statistics.mean(values), 4) for arm, values in told.items() if values}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=("find", "adapt", "pretrain"))
    parser.add_argument("model", help="a run; for pretrain, synthetic pages")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--fitted", type=Path)
    parser.add_argument("--only", nargs="+", required=True)
    parser.add_argument("--name", default="stamp")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--num-images", type=int, default=60_000)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    options = parser.parse_args()
    rows: list[Row] = []
    for collection in (options.data / name for name in options.only):
        if options.part == "find":
            rows += find(options.model, collection, name=options.name, draws=options.seeds, device=options.device)
            continue
        for seed in range(options.seeds):
            if options.part == "adapt":
                run, fitted = Path(options.model), options.fitted
                rows.append(adapt(run, collection, fitted=fitted, seed=seed, device=options.device))
            else:
                synthetic, budget = Path(options.model), options.num_images
                rows.append(pretrain(synthetic, collection, num_images=budget, seed=seed, device=options.device))
            print(summary(rows[-1:]))
    means = summary(rows)
    write_json(RESULTS / f"adaptation-{options.part}.json", {"machine": describe(), "mean": means, "rows": rows})
    print(means)


if __name__ == "__main__":
    main()
