"""New images into the classes of a run, without another fit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from farthing.base.errors import ConfigError, DataError
from farthing.discover.export import named_images
from farthing.discover.features import FeatureSet, compute_features
from farthing.discover.gather import gather_unsorted
from farthing.discover.images import ImageCollection, open_images
from farthing.discover.modelfolder import DiscoveryModel, load_model
from farthing.discover.names import UNSORTED_NAME
from farthing.discover.outputs import ASSIGNMENTS_FILE, SortedImage, read_assignments, write_assignments
from farthing.discover.problem import UNSORTED
from farthing.discover.rows import Given, sorted_rows
from farthing.discover.rundata import MODEL_FOLDER, read_summary
from farthing.discover.sources import Function, extract_features

Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class AssignResult:
    """Where new images went.

    Attributes:
        num_images: in all.
        num_known: in known classes.
        num_new: in new ones.
        num_unsorted: in none.
        num_unreadable: that could not be read.
        new_classes: names of classes made just now from images that had gathered as unsorted.
        warnings: one sentence each.
    """

    num_images: int
    num_known: int
    num_new: int
    num_unsorted: int
    num_unreadable: int
    new_classes: tuple[str, ...]
    warnings: tuple[str, ...]


def assign_images(
    run: Path,
    images: Path,
    out: Path,
    *,
    source: str | Function | None = None,
    listing: Path | None = None,
    progress: Progress = lambda _: None,
) -> AssignResult:
    """Writes the table of new images, as fit writes its own, under the names that classes have after all decisions.

    Images that are out of reach of every class are `unsorted` and gather in the run; when enough have, they are sorted
    among themselves and may become classes, which the run's model then knows.

    Args:
        run: what fit wrote.
        images: a folder; labels in it do not matter.
        out: the table.
        source: of the features, where the run did not learn them itself: FILE.npy or a function.
        listing: of FILE.npy: the image of each row.
        progress: is told what is being done.

    Raises:
        FormatError: `run` is not a finished discovery, or damaged.
        ConfigError: the run keeps no extractor and no source is given.
        DataError: no image can be read, features of another dimension, or `out` cannot be written.
    """
    read_summary(run)
    model = load_model(run / MODEL_FOLDER)
    collection = open_images(images)
    found = _features(model, collection, source, listing, progress)
    progress("sorting")
    prediction = model.predict(found.features)
    is_unsorted = prediction.classes == UNSORTED
    new_classes: tuple[str, ...] = ()
    if is_unsorted.any():
        paths = [str(collection.path(name).absolute()) for name in found.names]
        unsorted = [path for path, is_one in zip(paths, is_unsorted, strict=True) if is_one]
        grown = gather_unsorted(run, model, unsorted, found.features[is_unsorted], progress=progress)
        new_classes = grown.names[len(model.names) :]
        model, prediction = grown, grown.predict(found.features)
    names = present_names(run, model.names)
    given = Given(images=collection.names, labels={}, extra=collection.extra)
    rows = sorted_rows(given, found.names, prediction, names, num_known=model.classifier.num_known)
    rows = [replace(row, second_label="") if row.second_label == row.label else row for row in rows]
    write_assignments(out, rows)
    return _result(rows, found, new_classes)


def present_names(run: Path, names: Sequence[str]) -> tuple[str, ...]:
    """What each class of a model is called after what people decided: what most of its images are called now."""
    votes: dict[str, Counter[str]] = {}
    for before, now in zip(read_assignments(run / ASSIGNMENTS_FILE), named_images(run), strict=True):
        if now.label not in {"", UNSORTED_NAME}:
            votes.setdefault(before.label, Counter())[now.label] += 1
    return tuple(votes[name].most_common(1)[0][0] if name in votes else name for name in names)


def _features(
    model: DiscoveryModel,
    collection: ImageCollection,
    source: str | Function | None,
    listing: Path | None,
    progress: Progress,
) -> FeatureSet:
    if source is not None:
        found, _ = extract_features(collection, source, listing=listing, progress=progress)
    elif model.extractor is None:
        raise ConfigError("features: this run was made with features from elsewhere; give those of the new images too")
    else:
        paths = [collection.path(name) for name in collection.names]
        found = compute_features(collection.names, paths, model.extractor, made_by={}, progress=progress)
    dim = model.classifier.means.shape[1]
    if found.features.shape[1] != dim:
        raise DataError(f"features must have the {dim} numbers of the run's, got {found.features.shape[1]}")
    return found


def _result(rows: Sequence[SortedImage], found: FeatureSet, new_classes: tuple[str, ...]) -> AssignResult:
    num_unsorted = sum(row.label == UNSORTED_NAME for row in rows)
    num_new = sum(row.is_new for row in rows)
    num_unreadable = len(found.unreadable)
    first = ", ".join(found.unreadable[:3])
    return AssignResult(
        num_images=len(rows),
        num_known=len(rows) - num_new - num_unsorted - num_unreadable,
        num_new=num_new,
        num_unsorted=num_unsorted,
        num_unreadable=num_unreadable,
        new_classes=new_classes,
        warnings=(f"{num_unreadable:,} images have no feature ({first})",) if num_unreadable else (),
    )
