"""Images that formed no class when they came: kept until there are enough to look for classes among them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from farthing.base.config import from_dict
from farthing.base.errors import FormatError
from farthing.discover.discovery import discover
from farthing.discover.fitconfig import FitConfig
from farthing.discover.kept import read_features
from farthing.discover.means import class_means
from farthing.discover.modelfolder import DiscoveryModel, save_model
from farthing.discover.names import UNSORTED_NAME, new_names
from farthing.discover.outputs import ASSIGNMENTS_FILE, read_assignments
from farthing.discover.problem import UNLABELLED, UNSORTED, Assignment, Features, Problem
from farthing.discover.rundata import MODEL_FOLDER, read_info, read_summary
from farthing.train.checkpoint import load_state, save_state

GATHERED_FILE = "unsorted.safetensors"
ENOUGH = 50  # images since the last look; fewer hold classes too small to tell from chance
SMALLEST = 5  # images of a class that is found among them

Progress = Callable[[str], None]


@dataclass(frozen=True, eq=False, kw_only=True, slots=True)
class Gathered:
    """Images without a class.

    Attributes:
        names: paths of the images.
        features: f32 [n, dim], each of length 1.
        num_seen: the first so many were looked through before.
    """

    names: tuple[str, ...]
    features: Features
    num_seen: int


def gather_unsorted(
    run: Path, model: DiscoveryModel, names: Sequence[str], features: Features, *, progress: Progress = lambda _: None
) -> DiscoveryModel:
    """The model after these images joined those that form no class; it has more classes where enough had gathered.

    Args:
        run: what fit wrote; gets the images, and the new model.
        model: of the run.
        names: paths of images without a class; one that is there already is replaced.
        features: f32 [n, dim] of these.
        progress: is told what is being done.

    Raises:
        FormatError: the run is damaged.
        DataError: the run cannot be written.
    """
    gathered = _joined(read_gathered(run), names, features)
    if len(gathered.names) - gathered.num_seen >= ENOUGH:
        progress(f"looking for classes among {len(gathered.names):,} unsorted images")
        model, gathered = _grow(run, model, gathered)
    save_state(
        run / GATHERED_FILE,
        {
            "names": list(gathered.names),
            "features": torch.from_numpy(np.ascontiguousarray(gathered.features)),
            "num_seen": gathered.num_seen,
        },
    )
    return model


def read_gathered(run: Path) -> Gathered:
    """What has gathered so far; to begin with, the images that formed no class in the fit.

    Raises:
        FormatError: the run is damaged.
    """
    path = run / GATHERED_FILE
    if not path.exists():
        root = Path(read_info(run).images)
        rows = read_assignments(run / ASSIGNMENTS_FILE)
        chosen = [number for number, row in enumerate(rows) if row.label == UNSORTED_NAME]
        names = tuple(str(root / rows[number].image) for number in chosen)
        return Gathered(names=names, features=read_features(run)[chosen], num_seen=len(names))
    state = load_state(path)
    try:
        return Gathered(
            names=tuple(state["names"]), features=state["features"].numpy(), num_seen=int(state["num_seen"])
        )
    except (KeyError, TypeError, ValueError) as error:
        raise FormatError(f"{path}: not what this version of farthing writes ({error!r})") from error


def _joined(gathered: Gathered, names: Sequence[str], features: Features) -> Gathered:
    again = set(names)
    kept = [number for number, name in enumerate(gathered.names) if name not in again]
    return Gathered(
        names=(*(gathered.names[number] for number in kept), *names),
        features=np.concatenate([gathered.features[kept], features]),
        num_seen=sum(number < gathered.num_seen for number in kept),
    )


def _grow(run: Path, model: DiscoveryModel, gathered: Gathered) -> tuple[DiscoveryModel, Gathered]:
    """Sorts the gathered images among themselves; groups of some size become classes of the model, the rest stay."""
    info = read_info(run)
    settings = from_dict(FitConfig, info.settings).sorting
    whitened = model.classifier.whitening.transform(gathered.features)
    labels = np.full(len(whitened), UNLABELLED, np.int64)
    problem = Problem(features=whitened, labels=labels, num_known=0)
    found = discover(problem, replace(settings, least=SMALLEST), seed=info.seed).assignment
    if len(found.classes[found.classes != UNSORTED]):
        model = _with_classes(model, whitened, found, num_images=read_summary(run).num_images)
        save_model(run / MODEL_FOLDER, model)
    left = np.flatnonzero(found.classes == UNSORTED)
    rest = tuple(gathered.names[number] for number in left)
    return model, Gathered(names=rest, features=gathered.features[left], num_seen=len(rest))


def _with_classes(model: DiscoveryModel, whitened: Features, found: Assignment, *, num_images: int) -> DiscoveryModel:
    """The model after groups of images that it could not place.

    A group whose mean is within reach of a class is more of that class, seldom seen before: it moves the class's mean.
    The others are new classes, numbered on by size.
    """
    classifier = model.classifier
    is_sorted = found.classes != UNSORTED
    sizes = np.bincount(found.classes[is_sorted], minlength=found.num_classes).astype(np.float32)
    order = np.argsort(-sizes, kind="stable")
    means = class_means(whitened, found)[order]
    sizes = sizes[order]
    alike = means @ classifier.means.T
    nearest = alike.argmax(1)
    joins = alike.max(1) >= (-1 if model.reach is None else model.reach)
    counts = classifier.prior * num_images
    sums = classifier.means * counts[:, None]
    np.add.at(sums, nearest[joins], means[joins] * sizes[joins, None])
    np.add.at(counts, nearest[joins], sizes[joins])
    sums = np.concatenate([sums, means[~joins]])
    counts = np.concatenate([counts, sizes[~joins] + 1])
    grown = replace(
        classifier,
        means=(sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-12)).astype(np.float32),
        prior=(counts / counts.sum()).astype(np.float32),
    )
    new = new_names(model.names, int((~joins).sum()))
    return replace(model, names=(*model.names, *new), classifier=grown)
