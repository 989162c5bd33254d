"""The files of one discovery: what was asked, what was given, what came out.

discovery.json           settings, seed and where the images are; marks the folder
images.csv               every image with the label it came with, and further columns
features.safetensors     the feature of every readable image
model/                   extractor, classifier and class names: all that new images need
assignments.csv          every image with its class
summary.json             the number of classes, the choice that was made and why
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from farthing.base.errors import FormatError
from farthing.base.files import read_json
from farthing.discover.csvfiles import read_rows

INFO_FILE, GIVEN_FILE, FEATURES_FILE = "discovery.json", "images.csv", "features.safetensors"
MODEL_FOLDER, SUMMARY_FILE, TREE_FILE = "model", "summary.json", "tree.safetensors"


class RunInfo(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `discovery.json` says: all that decides the result.

    Attributes:
        images: the folder of images.
        labels: the file of labels; None where class folders or nothing gave them.
        source: of the features, as it was asked for.
        num_classes: known and new together; None left it open.
        seed: of everything that is drawn.
        settings: `DiscoverConfig` as JSON.
        collection: a digest of the names and sizes of the images, so that kept features belong to them.
    """

    images: str
    labels: str | None
    source: str
    num_classes: int | None
    seed: int
    settings: dict[str, Any]  # Any: JSON
    collection: str


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What was chosen, and why.

    Attributes:
        head: its name in `HEADS`.
        settings: shrinkage and whatever else was chosen.
        why: one sentence.
        scores: of each candidate on the folds, where there were folds.
    """

    head: str
    settings: dict[str, Any]  # Any: JSON
    why: str
    scores: dict[str, float] = {}


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What `summary.json` says.

    Attributes:
        k: classes found, known and new, `unsorted` not counted.
        k_low: the fewest that are plausible.
        k_high: the most.
        ece: 15-bin expected calibration error of the assigned probability on held-out labelled images, in [0, 1];
            None without labels.
        novelty_auroc: how well novelty told hidden known classes from the others, in [0, 1]; None without folds.
        seconds: of the whole fit.
        choice: head and shrinkage, and why.
        seed: of everything that was drawn.
        features: what made them, and their dimension.
        num_images: in the collection.
        num_labelled: with a label.
        num_known: classes with a label.
        num_unsorted: images that form no class.
        num_unreadable: images that could not be read.
        calibration: per bin of the probability its mean, the share of right ones, and images.
        warnings: one sentence each.
    """

    k: int
    k_low: int
    k_high: int
    ece: float | None
    novelty_auroc: float | None = None
    seconds: float
    choice: Choice
    seed: int
    features: dict[str, Any]  # Any: JSON
    num_images: int
    num_labelled: int
    num_known: int
    num_unsorted: int
    num_unreadable: int
    calibration: list[tuple[float, float, int]] = []
    warnings: list[str] = []


def read_info(run: Path) -> RunInfo:
    """What a run was asked to do.

    Raises:
        FormatError: `run` is not what fit writes.
    """
    if not (run / INFO_FILE).is_file():
        raise FormatError(f"{run}: is not a discovery (it has no {INFO_FILE}); farthing discover fit makes one")
    return read_json(run / INFO_FILE, RunInfo)


def read_summary(run: Path) -> Summary:
    """What came out of a run.

    Raises:
        FormatError: the run is not finished, or the file is damaged.
    """
    read_info(run)
    if not (run / SUMMARY_FILE).is_file():
        raise FormatError(f"{run}: is not finished (it has no {SUMMARY_FILE}); run fit again with --resume")
    return read_json(run / SUMMARY_FILE, Summary)


def read_given(run: Path) -> dict[str, str]:
    """The labels that the images came with, by image; images without one are not in it."""
    return {row["image"]: row["label"] for row in read_rows(run / GIVEN_FILE, ["image", "label"]) if row["label"]}
