"""A filtered collection as one web page: what was found, what is promised, what it looks like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest
from itertools import cycle, islice
from pathlib import Path

from markupsafe import Markup

from farthing.documents.classes import CLASSES
from farthing.documents.collection.pages import Collection
from farthing.documents.filtering.promise import read_promise
from farthing.documents.filtering.sheets import make_sheets
from farthing.documents.filtering.wording import any_of, class_title, plural, share
from farthing.results.charts import Bars, histogram_chart
from farthing.results.rows import DocumentRow, PageQuery
from farthing.results.store import Store
from farthing.results.webpages import write_page

REPORT_FILE = "report.html"
NUM_DOCUMENTS = 40
NUM_FAILED = 40
_NUM_BINS = 50
_COLORS = (*(f"series-{number}" for number in range(2, 9)), "series-1", "ink")
_UNTESTED = frozenset({"signature", "table", "map", "seal"})  # no real pages to judge them by


@dataclass(frozen=True, kw_only=True, slots=True)
class ClassLine:
    """One line of the table of classes.

    Attributes:
        name: for people.
        color: CSS variable of its boxes.
        num_pages: pages that score from the threshold for it.
        num_boxes: boxes that do, or that a person drew.
        is_untested: whether the detector was never measured on real pages with it.
    """

    name: str
    color: str
    num_pages: int
    num_boxes: int
    is_untested: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Counts:
    """Numbers of pages.

    Attributes:
        pages: all of them.
        kept: handed on.
        failed: not readable.
        decided: looked at by a person.
    """

    pages: int
    kept: int
    failed: int
    decided: int


def write_report(store: Store, collection: Collection, folder: Path) -> Path:
    """Writes `folder/report.html` from a store, and `folder/calibration.json` where there is one; returns its path.

    Equal stores make equal bytes. The file holds small pictures of at most 72 pages and stays below 5 MB.

    Args:
        store: what was found.
        collection: its pages, for the pictures.
        folder: where the report goes.

    Raises:
        DataError: the folder cannot be written.
        FormatError: a `calibration.json` that farthing did not write.
    """
    facts = store.meta()
    counts = Counts(
        pages=store.count(),
        kept=store.count(PageQuery(keep=True)),
        failed=store.count(PageQuery(is_readable=False)),
        decided=store.count(PageQuery(is_decided=True)),
    )
    promise = read_promise(folder, num_pages=counts.pages - counts.failed)
    looks = _looks(facts["contains"])
    values = {
        "headline": _headline(counts, facts["contains"]),
        "lede": _lede(counts, facts["threshold"]),
        "promise": promise,
        "folder": folder.name,
        "counts": counts,
        "tiles": _tiles(counts, store, has_documents=facts["group"] is not None),
        "facts": _facts(facts),
        "histograms": _histograms(store, facts["threshold"]),
        "threshold": facts["threshold"],
        "classes": _class_lines(store, facts["threshold"], looks),
        "looks": looks,
        "titles": {name: class_title(name) for name in looks},
        "sheets": make_sheets(store, collection),
        "documents": _best_documents(store) if facts["group"] is not None else [],
        "failed": list(islice(store.pages(PageQuery(is_readable=False)), NUM_FAILED)),
        "plural": plural,
    }
    return write_page(folder / REPORT_FILE, "documents.html", values)


def _looks(contains: Sequence[str]) -> dict[str, str]:
    """The color of each wanted class; a built-in one has the same in every report."""
    others = [name for name in contains if name not in CLASSES]
    colors = dict(zip([*CLASSES, *others], cycle(_COLORS), strict=False))
    return {name: color for name, color in colors.items() if name in contains}


def _headline(counts: Counts, contains: Sequence[str]) -> str:
    """What was found, in one sentence; how many of the kept pages are right is not known, so they `may` show it."""
    what = any_of(contains)
    if counts.pages == 0:
        return "There are no pages here"
    if counts.kept == 0:
        return f"None of {plural(counts.pages, 'page')} seems to show {what}"
    return f"{counts.kept:,} of {plural(counts.pages, 'page')} may show {what}"


def _lede(counts: Counts, threshold: float) -> str:
    lede = f"Kept is every page that scores {threshold:.3g} or more"
    lede += ", unless a person decided otherwise." if counts.decided else "."
    if counts.failed:
        lede += f" {plural(counts.failed, 'page')} could not be read and may hold what you look for."
    return lede


def _tiles(counts: Counts, store: Store, *, has_documents: bool) -> list[tuple[str, str, str]]:
    """Label, value and detail of each large figure."""
    readable = counts.pages - counts.failed
    tiles = [
        ("Kept", f"{counts.kept:,}", f"{share(counts.kept, readable)} of the readable pages"),
        ("Rejected", f"{readable - counts.kept:,}", f"{share(readable - counts.kept, readable)}"),
    ]
    if has_documents:
        total = kept = 0
        for row in store.documents():
            total, kept = total + 1, kept + (row.num_kept > 0)
        tiles.append(("Documents", f"{kept:,}", f"of {total:,} have a kept page"))
    tiles.append(("Looked at", f"{counts.decided:,}", "decided by a person"))
    if counts.failed:
        tiles.append(("Unreadable", f"{counts.failed:,}", "listed below and in failed.csv"))
    return tiles


def _facts(facts: Mapping[str, object]) -> list[tuple[str, str]]:
    """Where the pages came from and how they were judged."""
    return [("Collection", str(facts["collection"])), ("Model", str(facts["model"]))]


def _histograms(store: Store, threshold: float) -> dict[str, Markup]:
    """The pages by score, drawn once for wide and once for narrow pages."""
    kept, rejected = store.histogram(_NUM_BINS)
    drawn = {}
    for name, size in {"wide": (1000, 290), "narrow": (380, 260)}.items():
        drawn[name] = histogram_chart(
            [Bars(counts=kept, color="series-3"), Bars(counts=rejected, color="muted", is_faint=True)],
            title=f"Pages by score; the threshold is {threshold:.3g}",
            x_label="score",
            y_label="pages",
            mark=threshold,
            size=size,
        )
    return drawn


def _class_lines(store: Store, threshold: float, looks: Mapping[str, str]) -> list[ClassLine]:
    counts = store.class_counts(threshold)
    return [
        ClassLine(
            name=class_title(name),
            color=color,
            num_pages=counts.get(name, (0, 0))[0],
            num_boxes=counts.get(name, (0, 0))[1],
            is_untested=name in _UNTESTED,
        )
        for name, color in looks.items()
    ]


def _best_documents(store: Store) -> list[DocumentRow]:
    """The documents with the most kept pages, then with the best score."""
    return nlargest(NUM_DOCUMENTS, store.documents(), key=lambda row: (row.num_kept, row.score or 0.0))
