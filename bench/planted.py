"""Which detectors tell planted objects from what real pages show anyway: a comparison that needs no label.

    python -m bench.planted RUN RUN --pages COLLECTION COLLECTION --objects SYNTHETIC SYNTHETIC

Objects cut from each folder of synthetic pages are planted, one on a page, on pages of each collection. Printed are the
means of page AP over classes, for each detector and over everything: what docs/adr/0014-pictures-of-nothing.md was
decided by. The most doubtful pages of a class, by the mean of all detectors, do not count for it: they may show one
already. So a figure belongs to the detectors beside it.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from farthing.documents.adaptation.accept import DOUBTFUL_SHARE, cutouts_of
from farthing.documents.adaptation.unlabelled import read_collection
from farthing.documents.judging.metrics import average_precision
from farthing.documents.net.predict import PageDetector
from farthing.documents.page import Page
from farthing.documents.query.planting import Cutout, PlantConfig, plant_page
from farthing.documents.training.cache import PageCache
from farthing.documents.training.data import read_pages
from farthing.vision.images import Pixels

SIDE, NUM_PAGES, LEAST_POSITIVES = 448, 160, 3
PLANTING = PlantConfig(most=1, bare=0.0, scale=1.2, turn=3.0, fade=0.7)


def planted(
    detectors: Sequence[PageDetector], pages: Sequence[Pixels], cutouts: dict[str, list[Cutout]], *, seed: int
) -> list[float]:
    """Mean page AP of each detector on pages [height, width], all of them bare and with one object each."""
    classes, rng = detectors[0].classes, np.random.default_rng(seed)
    names = sorted(cutouts)
    with_object, drawn = [], []
    for grey in pages:
        name = names[int(rng.integers(len(names)))]
        page, labels = plant_page(grey, cutouts[name], PLANTING, rng, page="", name=name)
        with_object.append(page)
        drawn.append([known == name and name in labels.labels for known in classes])
    shows = np.array(drawn)
    bare = [_scores(detector, pages) for detector in detectors]
    mean = np.mean(bare, axis=0)
    is_clear = np.tile(mean <= np.quantile(mean, 1 - DOUBTFUL_SHARE, axis=0), (2, 1))
    truth = np.concatenate([np.zeros_like(shows), shows])
    counted = np.flatnonzero((truth & is_clear).sum(0) >= LEAST_POSITIVES)
    means = []
    for detector, own in zip(detectors, bare, strict=True):
        scores = np.concatenate([own, _scores(detector, with_object)])
        means.append(float(np.mean([_page_ap(scores[:, c], truth[:, c], is_clear[:, c]) for c in counted])))
    return means


def _page_ap(scores: np.ndarray, truth: np.ndarray, counts: np.ndarray) -> float:
    return average_precision(scores[counts], truth[counts], int(truth[counts].sum()))


def _scores(detector: PageDetector, greys: Sequence[Pixels]) -> np.ndarray:
    """f64 [pages, classes]."""
    pages = [
        Page(id="", document="", pixels=np.repeat(grey[:, :, None], 3, 2), width=grey.shape[1], height=grey.shape[0])
        for grey in greys
    ]
    return np.array([list(found.page_scores().values()) for found in detector.detect(pages)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", help="runs, model folders or builtin")
    parser.add_argument("--pages", nargs="+", type=Path, required=True)
    parser.add_argument("--objects", nargs="+", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    detectors, means = [PageDetector.load(model) for model in options.models], []
    with tempfile.TemporaryDirectory() as name:
        folder, classes = Path(name), detectors[0].classes
        for number, objects in enumerate(options.objects):
            cache = PageCache.build(read_pages([objects], classes), folder / f"o{number}", long_side=SIDE)
            cutouts = cutouts_of(cache, np.random.default_rng(number))
            for place, location in enumerate(options.pages):
                target = read_collection(
                    location, folder / f"{number}-{place}", long_side=SIDE, max_pages=NUM_PAGES, seed=0
                )
                greys = [target.pixels(index) for index in range(len(target))]
                means.append(planted(detectors, greys, cutouts, seed=number))
                told = ", ".join(f"{model} {mean:.3f}" for model, mean in zip(options.models, means[-1], strict=True))
                print(f"{location.name}, objects of {objects.name}: {told}", flush=True)
    for model, mean in zip(options.models, np.mean(means, axis=0), strict=True):
        print(f"{model}: {mean:.3f}")


if __name__ == "__main__":
    main()
