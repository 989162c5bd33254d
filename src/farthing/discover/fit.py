"""From a folder of images to a finished run: features, classes, and the files that show them.

Features are kept as soon as they are there. So a fit that was interrupted, or that is asked again after decisions in
the gallery, with more labels or another number of classes, goes on from them.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from farthing.base.config import to_dict
from farthing.base.errors import ConfigError
from farthing.base.files import write_json
from farthing.discover.csvfiles import write_rows
from farthing.discover.discovery import Discovery, discover
from farthing.discover.features import Extractor, FeatureSet
from farthing.discover.fitconfig import FitConfig
from farthing.discover.gallery.decisions import open_decisions, read_decisions
from farthing.discover.images import ImageCollection, open_images
from farthing.discover.kept import keep_features, kept_features
from farthing.discover.modelfolder import DiscoveryModel, reach_of, save_model
from farthing.discover.names import UNSORTED_NAME, name_classes
from farthing.discover.outputs import ASSIGNMENTS_FILE, SortedImage, write_assignments
from farthing.discover.problem import Problem
from farthing.discover.recut import keep_tree
from farthing.discover.report import write_report
from farthing.discover.robust import smallest_class
from farthing.discover.rows import Given, sorted_rows
from farthing.discover.rundata import (
    FEATURES_FILE,
    GIVEN_FILE,
    INFO_FILE,
    MODEL_FOLDER,
    SUMMARY_FILE,
    Choice,
    RunInfo,
    Summary,
    read_info,
)
from farthing.discover.sources import Function, extract_features
from farthing.results.classstore import CLASS_STORE_FILE

Progress = Callable[[str], None]

TRAINING_FOLDER = "selfsup"  # of a net that is trained on the collection


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What is to be sorted, and how.

    Attributes:
        images: a folder, or class folders.
        labels: CSV with image, label and further columns; None where folders or nothing tell.
        source: of the features: builtin, selfsup, FILE.npy, hf:FOLDER, or a function.
        listing: of FILE.npy: the image of each row.
        num_classes: known and new together; None leaves it open.
        config: the settings.
        seed: of everything that is drawn.
    """

    images: Path
    labels: Path | None = None
    source: str | Function = "builtin"
    listing: Path | None = None
    num_classes: int | None = None
    config: FitConfig = field(default_factory=FitConfig)
    seed: int = 0


def fit_collection(
    request: Request, out: Path, *, resume: bool = False, progress: Progress = lambda _: None
) -> Summary:
    """Sorts a collection and writes the files of a run (`rundata` lists them); returns its summary.

    Args:
        request: what and how.
        out: the folder.
        resume: takes the features that are there, and what people decided in the gallery as labels.
        progress: is told what is being done.

    Raises:
        ConfigError: `out` holds a run and `resume` is False, or one of other images or features; fewer classes than
            are known; settings that do not fit.
        DataError: images or labels cannot be read, or `out` cannot be written.
    """
    started = time.perf_counter()
    collection = open_images(request.images, request.labels)
    info = _info(request, collection)
    _check_folder(out, info, resume=resume)
    write_json(out / INFO_FILE, info)
    found, extractor = _features(request, collection, out, progress)
    given = _given(collection, out)
    known = given.known(found.names)
    problem = Problem(features=found.features, labels=given.numbers(found.names), num_known=len(known))
    discovery = discover(
        problem, request.config.sorting, num_classes=request.num_classes, seed=request.seed, progress=progress
    )
    progress("writing the results")
    names = name_classes(known, discovery.assignment.classes, discovery.assignment.num_classes)
    rows = sorted_rows(given, found.names, discovery.prediction, names, num_known=problem.num_known)
    model = _model(discovery, found, names, extractor, is_open=request.num_classes is None)
    least = request.config.sorting.least
    keep_tree(out, discovery.dendrogram, least=smallest_class(problem) if least is None else least)
    _write(out, given, rows, model)
    summary = _summary(discovery, rows, given, found, seed=request.seed, seconds=time.perf_counter() - started)
    summary.warnings.extend([*collection.warnings, *discovery.warnings])
    write_json(out / SUMMARY_FILE, summary)
    write_report(out)
    return summary


def _info(request: Request, collection: ImageCollection) -> RunInfo:
    return RunInfo(
        images=str(request.images.absolute()),
        labels=None if request.labels is None else str(request.labels.absolute()),
        source=request.source if isinstance(request.source, str) else "function",
        num_classes=request.num_classes,
        seed=request.seed,
        settings=msgspec.json.decode(msgspec.json.encode(to_dict(request.config))),  # as it is read back
        collection=_digest(collection),
    )


def _digest(collection: ImageCollection) -> str:
    """Of the names and sizes of all images: another collection has another one."""
    digest = hashlib.sha256()
    for name in collection.names:
        digest.update(f"{name}\n{collection.path(name).stat().st_size}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()


def _check_folder(out: Path, info: RunInfo, *, resume: bool) -> None:
    """What decides the features must be the same when a run goes on."""
    if not (out / INFO_FILE).is_file():
        return
    if not resume:
        raise ConfigError(f"{out}: holds a run already; go on with it (--resume) or choose another folder")
    earlier = read_info(out)
    for name, before, now in (
        ("images", earlier.collection, info.collection),
        ("features", earlier.source, info.source),
        ("seed", earlier.seed, info.seed),
        ("settings of features", earlier.settings.get("features"), info.settings["features"]),
        ("bits", earlier.settings.get("bits"), info.settings["bits"]),
    ):
        if before != now:
            raise ConfigError(
                f"{out}: was made with other {name} than now; go on with the same or choose another folder"
            )


def _features(
    request: Request, collection: ImageCollection, out: Path, progress: Progress
) -> tuple[FeatureSet, Extractor | None]:
    """The features that are kept from before, or new ones, which are kept."""
    if (out / FEATURES_FILE).is_file():
        return kept_features(out)
    found, extractor = extract_features(
        collection,
        request.source,
        listing=request.listing,
        config=request.config.features,
        seed=request.seed,
        folder=out / TRAINING_FOLDER,
        progress=progress,
    )
    keep_features(out, found, None if callable(request.source) else extractor, bits=request.config.bits)
    return kept_features(out)


def _given(collection: ImageCollection, out: Path) -> Given:
    """Labels as they came, overruled by what people decided since."""
    came = zip(collection.names, collection.labels, strict=True)
    decided = read_decisions(out)
    labels = {image: label for image, label in came if label is not None} | dict(decided.labels)
    kept = {image: label for image, label in labels.items() if decided.not_in.get(image) != label}
    return Given(images=collection.names, labels=kept, not_in=decided.not_in, extra=collection.extra)


def _model(
    discovery: Discovery, found: FeatureSet, names: tuple[str, ...], extractor: Extractor | None, *, is_open: bool
) -> DiscoveryModel:
    """The model; only where the number of classes was open may a new image form none."""
    reach = reach_of(discovery.classifier, found.features, discovery.assignment.classes) if is_open else None
    return DiscoveryModel(names=names, classifier=discovery.classifier, reach=reach, extractor=extractor)


def _write(out: Path, given: Given, rows: list[SortedImage], model: DiscoveryModel) -> None:
    """All files but the summary; a store of decisions begins a round with the new classes."""
    columns = list(dict.fromkeys(name for extra in given.extra.values() for name in extra))
    cells = (
        (image, given.labels.get(image, ""), *(given.extra.get(image, {}).get(name, "") for name in columns))
        for image in given.images
    )
    write_rows(out / GIVEN_FILE, ["image", "label", *columns], cells)
    write_assignments(out / ASSIGNMENTS_FILE, rows)
    save_model(out / MODEL_FOLDER, model)
    if (out / CLASS_STORE_FILE).exists():
        open_decisions(out).close()


def _summary(
    discovery: Discovery, rows: list[SortedImage], given: Given, found: FeatureSet, *, seed: int, seconds: float
) -> Summary:
    choice = discovery.choice
    return Summary(
        k=discovery.assignment.num_classes,
        k_low=discovery.k_low,
        k_high=discovery.k_high,
        ece=discovery.ece,
        novelty_auroc=discovery.novelty_auroc,
        seconds=round(seconds, 1),
        choice=Choice(head=choice.head, settings={"shrinkage": choice.shrinkage}, why=choice.why, scores=choice.scores),
        seed=seed,
        features=dict(found.made_by),
        num_images=len(rows),
        num_labelled=len(given.labels),
        num_known=len(given.known(found.names)),
        num_unsorted=sum(row.label == UNSORTED_NAME for row in rows),
        num_unreadable=len(found.unreadable),
        calibration=[] if discovery.calibration is None else list(discovery.calibration.bins),
        warnings=_warnings(given, found),
    )


def _warnings(given: Given, found: FeatureSet) -> list[str]:
    warnings = []
    if found.unreadable:
        first = ", ".join(found.unreadable[:3])
        warnings.append(f"{len(found.unreadable):,} images have no feature and stay without a class ({first})")
    if not given.labels:
        warnings.append("no image has a label: this is plain clustering, and nothing tells how good it is")
    return warnings
