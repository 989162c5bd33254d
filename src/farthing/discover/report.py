"""A discovery as one web page: its classes, how many there are, how far to believe them, what they show."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from markupsafe import Markup

from farthing.base.errors import DataError
from farthing.discover.gallery.images import ImageFiles
from farthing.discover.names import UNSORTED_NAME
from farthing.discover.outputs import ASSIGNMENTS_FILE, SortedImage, read_assignments
from farthing.discover.rundata import Summary, read_info, read_summary
from farthing.results.charts import Bars, Series, histogram_chart, line_chart, rank_chart
from farthing.results.webpages import write_page

REPORT_FILE = "report.html"
NUM_GALLERIES = 16
NUM_PICTURES = 14
_NUM_BINS = 40
_KNOWN, _NEW = "series-2", "series-4"
_SIZES = {"wide": (1000, 300), "narrow": (380, 260)}
_MOST_NAMES, _NAME_LENGTH = 12, 12  # that have room below the bars


@dataclass(frozen=True, kw_only=True, slots=True)
class ClassGallery:
    """One class and what it shows.

    Attributes:
        name: of the class.
        size: images in it.
        probability: mean of its images.
        novelty: mean of its images.
        pictures: (name, data URI or None where it cannot be read) of the most probable images.
    """

    name: str
    size: int
    probability: float
    novelty: float
    pictures: list[tuple[str, str | None]]


def write_report(run: Path, *, images: Path | None = None) -> Path:
    """Writes `run/report.html` from the files of a finished run; returns its path.

    Equal files make equal bytes. The page holds small pictures of at most 238 images.

    Args:
        run: what `fit` wrote.
        images: the folder of images, if it has moved since.

    Raises:
        FormatError: the run is not finished, or a file in it is damaged.
        DataError: the folder cannot be written.
    """
    summary, info = read_summary(run), read_info(run)
    is_given = info.num_classes is not None
    rows = read_assignments(run / ASSIGNMENTS_FILE)
    files = ImageFiles(Path(info.images) if images is None else images, cache_bytes=0)
    galleries = _galleries([row for row in rows if row.is_new], files)
    unsorted = [row for row in rows if row.label == UNSORTED_NAME]
    values = {
        "headline": _headline(summary),
        "lede": _lede(summary),
        "facts": [("Images", info.images), ("Seed", str(summary.seed)), ("Features", _features(summary))],
        "summary": summary,
        "tiles": _tiles(summary, rows, is_given=is_given),
        "interval": None if is_given else _interval(summary),
        "sizes": _size_charts(rows),
        "calibration": _calibration_chart(summary),
        "novelty": _novelty_chart(rows),
        "scores": sorted(summary.choice.scores.items(), key=lambda item: -item[1]),
        "galleries": galleries,
        "num_new": len({row.label for row in rows if row.is_new}),
        "unsorted": _gallery(UNSORTED_NAME, unsorted, files) if unsorted else None,
        "folder": run.name,
    }
    return write_page(run / REPORT_FILE, "discover.html", values)


def _headline(summary: Summary) -> str:
    num_new = summary.k - summary.num_known
    images = f"{summary.num_images:,} image{'s' * (summary.num_images != 1)}"
    if summary.num_known == 0:
        return f"{images} fall into {_classes(summary.k)}"
    if num_new <= 0:
        return f"{images} in {_classes(summary.num_known, 'known')}, and nothing new"
    return f"{images}: {_classes(summary.num_known, 'known')}, {num_new:,} new"


def _classes(count: int, kind: str = "") -> str:
    return f"{count:,} {kind + ' ' if kind else ''}class{'es' * (count != 1)}"


def _lede(summary: Summary) -> str:
    if summary.num_known == 0:
        return "No image had a label, so this is a plain clustering: no name, no calibration, and no choice by folds."
    labelled = f"{summary.num_labelled:,} image{'s' * (summary.num_labelled != 1)} had a label."
    if summary.num_unsorted:
        return f"{labelled} {summary.num_unsorted:,} form no class and are left unsorted."
    return f"{labelled} Every other image that could be read was put into a class."


def _features(summary: Summary) -> str:
    return ", ".join(f"{name} {value}" for name, value in summary.features.items())


def _tiles(summary: Summary, rows: Sequence[SortedImage], *, is_given: bool) -> list[tuple[str, str, str]]:
    """Label, value and detail of each large figure; `is_given` is the number of classes."""
    in_new = sum(row.is_new for row in rows)
    plausible = "as many as were asked for" if is_given else f"plausible: {summary.k_low:,} to {summary.k_high:,}"
    tiles = [
        ("Classes", f"{summary.k:,}", plausible),
        ("In new classes", f"{in_new:,}", f"{_share(in_new, len(rows))} of the images"),
    ]
    if summary.ece is not None:
        tiles.append(("Calibration error", f"{100 * summary.ece:.1f} points", "of the probability, on held-out labels"))
    if summary.novelty_auroc is not None:
        tiles.append(("Novelty AUROC", f"{summary.novelty_auroc:.3f}", "known classes, hidden, against the others"))
    tiles.append(("Time", _duration(summary.seconds), f"chosen head: {summary.choice.head}"))
    return tiles


def _share(part: int, whole: int) -> str:
    return f"{100 * part / max(whole, 1):.0f} %"


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.1f} min"


def _interval(summary: Summary) -> dict[str, float]:
    """Where the interval and its middle lie on a line from the known classes to a little beyond, in percent."""
    low, high = min(summary.num_known, summary.k_low), summary.k_high * 1.15 + 1
    place = {"known": summary.num_known, "low": summary.k_low, "k": summary.k, "high": summary.k_high}
    return {name: round(100 * (value - low) / (high - low), 2) for name, value in place.items()}


def _size_charts(rows: Sequence[SortedImage]) -> dict[str, Markup] | None:
    """The sizes of classes, largest first; None where there is no class."""
    counts = Counter((row.label, row.is_new) for row in rows if row.label not in {"", UNSORTED_NAME})
    if not counts:
        return None
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    values, colors = [size for _, size in ranked], [_NEW if is_new else _KNOWN for (_, is_new), _ in ranked]
    names = [_shortened(name) for (name, _), _ in ranked] if len(ranked) <= _MOST_NAMES else []
    labels = {"title": "Images per class", "x_label": "classes, largest first", "y_label": "images"}
    return {
        kind: rank_chart(values, colors, names=names if kind == "wide" else (), size=size, **labels)
        for kind, size in _SIZES.items()
    }


def _shortened(name: str) -> str:
    return name if len(name) <= _NAME_LENGTH else name[: _NAME_LENGTH - 3] + "..."


def _calibration_chart(summary: Summary) -> Markup | None:
    """What was right against what was said, where there were labels to tell."""
    bins = [row for row in summary.calibration if row[2] > 0]
    if not bins:
        return None
    most = max(count for _, _, count in bins)
    line = Series(
        x=[said for said, _, _ in bins],
        y=[right for _, right, _ in bins],
        color="series-3",
        areas=[20 + 130 * count / most for _, _, count in bins],
    )
    return line_chart([line], title="Calibration", x_label="probability", y_label="share that was right", diagonal=True)


def _novelty_chart(rows: Sequence[SortedImage]) -> Markup:
    """How novel the images of known and of new classes are."""
    groups = []
    for is_new, color in ((False, _KNOWN), (True, _NEW)):
        novelty = [row.novelty for row in rows if row.label and row.is_new == is_new]
        counts, _ = np.histogram(novelty, bins=_NUM_BINS, range=(0, 1))
        groups.append(Bars(counts=counts.tolist(), color=color))
    return histogram_chart(groups, title="Images by novelty", x_label="novelty", y_label="images", size=(430, 330))


def _galleries(rows: Sequence[SortedImage], files: ImageFiles) -> list[ClassGallery]:
    """The largest of the classes that these images are in."""
    sizes = Counter(row.label for row in rows)
    largest = sorted(sizes, key=lambda name: (-sizes[name], name))[:NUM_GALLERIES]
    return [_gallery(name, [row for row in rows if row.label == name], files) for name in largest]


def _gallery(name: str, rows: Sequence[SortedImage], files: ImageFiles) -> ClassGallery:
    shown = sorted(rows, key=lambda row: -row.probability)[:NUM_PICTURES]
    return ClassGallery(
        name=name,
        size=len(rows),
        probability=float(np.mean([row.probability for row in rows])),
        novelty=float(np.mean([row.novelty for row in rows])),
        pictures=[(row.image, _picture(row.image, files)) for row in shown],
    )


def _picture(name: str, files: ImageFiles) -> str | None:
    try:
        image = files.get(name, "tiny")
    except DataError:
        return None
    return "data:image/webp;base64," + base64.b64encode(image).decode()
