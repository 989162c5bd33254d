"""How well collections are sorted into known and new classes, and how long a million images take.

    python -m bench.discover --data FOLDER
    python -m bench.discover --scale

FOLDER holds hieroglyphs_unas.npz, mnist10k.npz, omniglot_small.npz and grocery.npz: `images` u8 [n, height, width], or
JPEG bytes as `train_jpeg` with `train_offsets`; `labels`; perhaps `class_names`. Every second class by size is known,
half of its images are labelled. Settings were chosen on omniglot_small and on scikit-learn's digits; the other sets
only judge. Results go to bench/results/discover.json and into the tables of docs/discover.md.
"""

from __future__ import annotations

import argparse
import io
import resource
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from bench.machine import describe
from PIL import Image
from sklearn.linear_model import LogisticRegression

from farthing.base.files import read_json, write_json
from farthing.discover.compare import sort_alone
from farthing.discover.config import DiscoverConfig
from farthing.discover.csvfiles import read_rows, write_rows
from farthing.discover.discovery import discover
from farthing.discover.evaluation import evaluate, evaluate_run, read_truth
from farthing.discover.fit import Request, fit_collection
from farthing.discover.kept import kept_features
from farthing.discover.metrics import Truth, score
from farthing.discover.names import name_classes
from farthing.discover.problem import UNLABELLED, Features, Labels, Problem
from farthing.discover.rows import Given, sorted_rows
from farthing.discover.splits import SplitConfig, draw_split

ROOT = Path(__file__).resolve().parents[1]
RESULTS, PAGE = ROOT / "bench" / "results" / "discover.json", ROOT / "docs" / "discover.md"
END = "<!-- end -->"
NATURAL = SplitConfig()

# How each set is split, and what was asked for, in percent: K given (all, balanced); K unknown (all, error of K).
SETS: Mapping[str, tuple[SplitConfig, dict[str, float]]] = {
    "hieroglyphs_unas": (NATURAL, {"all": 82, "balanced": 66, "all_auto": 75, "k_error": 25}),
    "mnist10k": (SplitConfig(imbalance=100), {"all": 90, "balanced": 74, "all_auto": 82, "k_error": 30}),
    "omniglot_small": (SplitConfig(imbalance=10, largest=20), {"all": 54, "balanced": 52, "all_auto": 50}),
    "grocery": (NATURAL, {"all": 48, "balanced": 50, "all_auto": 44}),
}
SINGLE_HEADS = ("kmeans", "simgcd", "linkage")  # the choice must not fall behind the best of them
SHOWN = ("all", "old", "new", "balanced", "named_old", "all_auto", "k_error", "ece")
SCALE_IMAGES, SCALE_DIM, SCALE_CLASSES, SCALE_IMBALANCE = 1_000_000, 256, 1000, 100

Row = dict[str, Any]


def write_benchmark(archive: Path, folder: Path, config: SplitConfig, seed: int) -> None:
    """The split of an archive as a user would have it: images, labels.csv, truth.csv."""
    arrays = np.load(archive, allow_pickle=False)
    is_raw = "images" in arrays.files
    labels = arrays["labels" if is_raw else "train_labels"].astype(np.int64)
    classes = [str(name) for name in arrays.get("class_names", np.arange(labels.max() + 1))]
    kept = np.flatnonzero([classes[label] != "UNKNOWN" for label in labels])
    split = draw_split(labels[kept], config, seed=seed)
    chosen = kept[split.images]
    names = [f"{number:05d}.png" for number in range(len(chosen))]
    (folder / "images").mkdir()
    for name, pixels in zip(names, _pixels(arrays, chosen, is_raw=is_raw), strict=True):
        Image.fromarray(pixels).save(folder / "images" / name)
    true = [classes[label] for label in labels[chosen]]
    rows = list(zip(names, true, split.known.astype(int), split.labelled.astype(int), strict=True))
    write_rows(folder / "truth.csv", ["image", "label", "known", "labelled"], rows)
    given = [(name, label if is_labelled else "") for name, label, _, is_labelled in rows]
    write_rows(folder / "labels.csv", ["image", "label"], given)


def _pixels(arrays: Any, chosen: Labels, *, is_raw: bool) -> list[npt.NDArray[np.uint8]]:
    if is_raw:
        return list(arrays["images"][chosen])
    blob, starts = arrays["train_jpeg"], arrays["train_offsets"]
    contents = (blob[starts[number] : starts[number + 1]].tobytes() for number in chosen)
    return [np.asarray(Image.open(io.BytesIO(content)).convert("RGB")) for content in contents]


def measure(archive: Path, config: SplitConfig, seed: int) -> Row:
    """All figures of one split: fitted with K given, fitted with K open, every single head, a supervised classifier."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_benchmark(archive, folder, config, seed)
        truth, run = folder / "truth.csv", folder / "run"
        num_classes = len({row["label"] for row in read_rows(truth, ["label"])})
        request = Request(images=folder / "images", labels=folder / "labels.csv", num_classes=num_classes, seed=seed)
        given = fit_collection(request, run)
        row: Row = {"seed": seed, **evaluate_run(run, truth), "seconds": given.seconds, "head": given.choice.head}
        row |= {
            "ece_held_out": given.ece,
            "ece_truth": row["ece"],
            "ece": None if given.ece is None else 100 * given.ece,
        }
        row |= _single_heads(run, truth, num_classes, seed)
        row["supervised"] = _supervised(run, truth)
        found = fit_collection(replace(request, num_classes=None), run, resume=True)
        row |= {f"{name}_auto": value for name, value in evaluate_run(run, truth).items()}
        row |= {"k": found.k, "k_low": found.k_low, "k_high": found.k_high, "num_classes": num_classes}
        row["k_error"] = 100 * abs(found.k - num_classes) / num_classes
        row["seconds_auto"] = given.seconds + found.seconds
    return row


def _single_heads(run: Path, truth: Path, num_classes: int, seed: int) -> Row:
    """What each head reaches alone on the features of the run."""
    table = read_truth(truth, given={})
    given = Given(images=tuple(table.labels), labels={name: table.labels[name] for name in table.labelled})
    found, _ = kept_features(run)
    known = given.known(found.names)
    problem = Problem(features=found.features, labels=given.numbers(found.names), num_known=len(known))
    row: Row = {}
    for head in SINGLE_HEADS:
        shrinkage = DiscoverConfig().shrinkages[0]
        assignment, prediction = sort_alone(problem, head, num_classes, shrinkage=shrinkage, seed=seed)
        names = name_classes(known, assignment.classes, num_classes)
        rows = sorted_rows(given, found.names, prediction, names, num_known=len(known))
        row[f"all/{head}"] = evaluate(table, rows)["all"]
    return row


def _supervised(run: Path, truth: Path) -> float:
    """Accuracy of a logistic regression, trained on the labelled images, on the other images of known classes."""
    table = read_truth(truth, given={})
    found, _ = kept_features(run)
    labels = np.array([table.labels[name] for name in found.names])
    is_labelled = np.array([name in table.labelled for name in found.names])
    is_judged = ~is_labelled & np.isin(labels, list(table.known))
    scale = np.sqrt(found.features.shape[1])  # numbers near 1, as the penalty of a logistic regression expects
    model = LogisticRegression(C=10, max_iter=1000).fit(scale * found.features[is_labelled], labels[is_labelled])
    return 100 * float(model.score(scale * found.features[is_judged], labels[is_judged]))


def scale() -> Row:
    """Seconds and memory for a million vectors in a thousand long-tailed classes, half of them known."""
    features, truth, labels = _synthetic(SCALE_IMAGES, SCALE_DIM, SCALE_CLASSES)
    problem = Problem(features=features, labels=labels, num_known=SCALE_CLASSES // 2)
    start = time.perf_counter()
    found = discover(problem, DiscoverConfig(), num_classes=SCALE_CLASSES)
    seconds = time.perf_counter() - start
    judged = np.flatnonzero(labels == UNLABELLED)
    names = [str(label) for label in truth[judged]]
    sizes = dict(enumerate(np.bincount(truth).tolist()))
    known = {str(number) for number in range(problem.num_known)}
    figures = score(
        Truth(labels=names, known=known, sizes={str(number): size for number, size in sizes.items()}),
        [str(number) for number in found.assignment.classes[judged]],
    )
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return {
        "images": SCALE_IMAGES,
        "dim": SCALE_DIM,
        "classes": SCALE_CLASSES,
        "seconds": seconds,
        "peak_gb": peak_gb,
        "head": found.choice.head,
        "all": figures["all"],
        "balanced": figures["balanced"],
    }


def _synthetic(num_images: int, dim: int, num_classes: int) -> tuple[Features, Labels, Labels]:
    """Vectors around random directions, sizes of an exponential profile; every second image of a known class labelled.

    Classes below num_classes / 2 are known; sizes are shuffled over all.
    """
    generator = np.random.default_rng(0)
    profile = SCALE_IMBALANCE ** -generator.permutation(np.linspace(0, 1, num_classes))
    truth = generator.choice(num_classes, num_images, p=profile / profile.sum())
    truth[:num_classes] = np.arange(num_classes)
    centres = generator.standard_normal((num_classes, dim), np.float32)
    features = generator.standard_normal((num_images, dim), np.float32)
    features *= 1.5
    for start in range(0, num_images, 50_000):
        part = features[start : start + 50_000]
        part += centres[truth[start : start + 50_000]]
        part /= np.linalg.norm(part, axis=1, keepdims=True)
    is_labelled = (truth < num_classes // 2) & (generator.random(num_images) < 0.5)
    is_labelled[: num_classes // 2] = True
    return features, truth, np.where(is_labelled, truth, UNLABELLED)


def table(results: Row) -> str:
    """Markdown: a line per set, means and standard deviations over seeds, what was asked for in brackets."""
    heads = ["set", *(name.replace("_", " ") for name in SHOWN), "k (true)", "behind best head", "of supervised", "s"]
    lines = ["| " + " | ".join(heads) + " |", "|---" + "|---:" * (len(heads) - 1) + "|"]
    for name, rows in results["sets"].items():
        asked = SETS[name][1]
        cells = [_cell([row[figure] for row in rows], asked.get(figure)) for figure in SHOWN]
        found = f"{np.mean([row['k'] for row in rows]):.0f} ({rows[0]['num_classes']})"
        behind = max(max(row[f"all/{head}"] for head in SINGLE_HEADS) - row["all"] for row in rows)
        share = 100 * min(row["named_old"] / row["supervised"] for row in rows)
        seconds = max(row["seconds_auto"] for row in rows)
        lines.append(
            "| " + " | ".join([name, *cells, found, f"{behind:.1f}", f"{share:.0f} %", f"{seconds:.0f}"]) + " |"
        )
    return "\n".join(lines) + "\n"


def _cell(values: Sequence[float | None], asked: float | None) -> str:
    known = [value for value in values if value is not None]
    if not known:
        return ""
    text = f"{np.mean(known):.1f} +- {np.std(known, ddof=min(1, len(known) - 1)):.1f}"
    return text if asked is None else f"{text} ({asked:.0f})"


def scale_sentence(row: Row) -> str:
    """What the million took."""
    minutes = f"{row['seconds'] / 60:.1f} minutes"
    return (
        f"{row['images']:,} vectors of dim {row['dim']} in {row['classes']:,} classes: {minutes}, "
        f"{row['peak_gb']:.1f} GB at most, the vectors included ({row['head']}; all {row['all']:.1f} %, "
        f"balanced {row['balanced']:.1f} %).\n"
    )


def publish(results: Row) -> None:
    """Writes the JSON file and what docs/discover.md shows of it."""
    write_json(RESULTS, results)
    text = PAGE.read_text(encoding="utf-8")
    for name, shown in (("discover", table(results)), ("discover-scale", _scale_text(results))):
        head, mark, rest = text.partition(f"<!-- table: {name} -->\n")
        text = head + mark + shown + END + rest.partition(END)[2]
    PAGE.write_text(text, encoding="utf-8")


def _scale_text(results: Row) -> str:
    return scale_sentence(results["scale"]) if results["scale"] else ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--sets", nargs="+", choices=list(SETS), default=list(SETS))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--scale", action="store_true")
    parser.add_argument("--publish", action="store_true", help="write bench/results and docs, not only the screen")
    options = parser.parse_args()
    results: Row = read_json(RESULTS, dict) if RESULTS.exists() else {"sets": {}, "scale": None}
    results["machine"] = describe()
    if options.data is not None:
        shown = {}
        for name in options.sets:
            shown[name] = [measure(options.data / f"{name}.npz", SETS[name][0], seed) for seed in range(options.seeds)]
            print(table({"sets": {name: shown[name]}}), flush=True)
        results["sets"] |= shown
        print(table({"sets": shown}))
    if options.scale:
        results["scale"] = scale()
        print(scale_sentence(results["scale"]))
    if options.publish:
        publish(results)


if __name__ == "__main__":
    main()
