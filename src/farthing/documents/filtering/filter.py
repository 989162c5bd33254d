"""`farthing documents filter`: every page of a collection through a detector into a store, and the files made of it.

Memory does not grow with the collection: pages are decoded a few ahead of the detector, recorded in batches, and every
table is written row by row. A batch is on the disk before the next one starts, so a killed filter goes on where it was;
batches fall on the same pages then, and the files are the same.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import Protocol, TypeVar

from farthing.base.errors import ConfigError, DataError
from farthing.base.files import remove_parts
from farthing.documents.collection.fetch import is_url
from farthing.documents.collection.pages import Collection, open_collection
from farthing.documents.collection.sources import PageSource
from farthing.documents.detections import Detections
from farthing.documents.filtering.ahead import work_ahead
from farthing.documents.filtering.groups import Group, document_of
from farthing.documents.filtering.keep import judge_page
from farthing.documents.filtering.outputs import write_outputs
from farthing.documents.filtering.progress import NoProgress, PageProgress
from farthing.documents.page import Page
from farthing.results.rows import BoxRow, PageQuery, PageRow
from farthing.results.store import STORE_FILE, Store
from farthing.vision.images import MAX_PIXELS

T = TypeVar("T")
_BATCHES_AHEAD = 2


class Detector(Protocol):
    """Finds objects on pages.

    Attributes:
        classes: the names that it knows.
        model_id: which model it is; another one makes other scores.
        decode_pixels: long side from which on more detail is of no use to it, in pixels.
    """

    @property
    def classes(self) -> tuple[str, ...]: ...  # noqa: D102

    @property
    def model_id(self) -> str: ...  # noqa: D102

    @property
    def decode_pixels(self) -> int: ...  # noqa: D102

    def detect(self, pages: Sequence[Page]) -> list[Detections]:
        """What is on each page."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FilterConfig:
    """Settings of a filter.

    Attributes:
        contains: the wanted classes; empty for all that the detector knows.
        threshold: smallest score of a kept page until a calibration sets another; a resumed filter keeps its own.
        group: what counts as one document; None writes no table of documents.
        crop_pixels: cuts every found object out, as a picture with at most this long side; None cuts nothing out.
        max_pixels: the largest image that is decoded.
        batch_size: pages that go through the detector, and onto the disk, at a time.
        workers: threads that decode pages.
    """

    contains: tuple[str, ...] = ()
    threshold: float = 0.3
    group: Group | None = None
    crop_pixels: int | None = None
    max_pixels: int = MAX_PIXELS
    batch_size: int = 16
    workers: int = 1

    def __post_init__(self) -> None:
        if not 0.0 <= self.threshold <= 1.0:
            raise ConfigError(f"threshold must be from 0 to 1, got {self.threshold}")
        for name in ("batch_size", "workers", "crop_pixels", "max_pixels"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"{name} must be at least 1, got {value}")


@dataclass(frozen=True, kw_only=True, slots=True)
class FilterResult:
    """What came out of a filter.

    Attributes:
        pages: pages of the collection, failed ones included.
        kept: pages that are kept.
        failed: pages that could not be read.
        threshold: smallest score of a kept page.
        contains: the wanted classes.
        crops: pictures of single objects.
        uncut: kept pages that could not be read again to cut objects out.
        pages_per_second: read by this call, decoding, detector and recording together; 0 if nothing was left to do.
    """

    pages: int
    kept: int
    failed: int
    threshold: float
    contains: tuple[str, ...]
    crops: int
    uncut: int
    pages_per_second: float


def filter_pages(
    detector: Detector,
    location: Path | str,
    out: Path,
    config: FilterConfig,
    *,
    resume: bool = False,
    progress: PageProgress | None = None,
) -> FilterResult:
    """Filters a collection into the folder `out`; returns what came out.

    Args:
        detector: finds the objects.
        location: of its pages: a folder, a file, or the address of a manifest; see `open_collection`.
        out: the folder, which must not hold an earlier filter unless `resume`.
        config: what is wanted.
        resume: goes on with a filter that was interrupted, adds pages that came to the collection since, and tries
            those again that could not be read.
        progress: told about every batch.

    Raises:
        ConfigError: a wanted class that the detector does not know, or `resume` with other settings than before.
        DataError: `out` holds an earlier filter or cannot be written, or no page is at `location`.
    """
    contains = wanted_classes(config.contains, detector.classes)
    collection = open_collection(location, max_pixels=config.max_pixels)
    if next(iter(collection.sources()), None) is None:
        raise DataError(f"{location}: holds no page; give a folder of images, PDFs or IIIF manifests, or one of these")
    facts: dict[str, object] = {
        "collection": location if isinstance(location, str) and is_url(location) else str(Path(location).absolute()),
        "model": detector.model_id,
        "contains": list(contains),
        "group": config.group,
        "batch_size": config.batch_size,
    }
    with _open_store(out / STORE_FILE, facts, config.threshold, resume=resume) as store:
        started, progress = time.monotonic(), progress or NoProgress()
        num_read = _scan(store, detector, collection, config, progress)
        seconds, pages = time.monotonic() - started, store.count()
        store.set_meta(crop_pixels=config.crop_pixels, max_pixels=config.max_pixels)
        cut = write_outputs(store, out, collection, workers=config.workers, progress=progress)
        return FilterResult(
            pages=pages,
            kept=store.count(PageQuery(keep=True)),
            failed=store.count(PageQuery(is_readable=False)),
            threshold=store.meta()["threshold"],
            contains=contains,
            crops=cut.crops,
            uncut=cut.failed_pages,
            pages_per_second=num_read / max(seconds, 1e-9),
        )


def wanted_classes(contains: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """The wanted classes in the detector's order; all of them where none is named.

    Raises:
        ConfigError: one that the detector does not know.
    """
    for name in contains:
        if name not in known:
            raise ConfigError(f"contains: the model does not know {name!r}; it knows {', '.join(known)}")
    return tuple(name for name in known if name in contains or not contains)


def _open_store(path: Path, facts: dict[str, object], threshold: float, *, resume: bool) -> Store:
    """A new store that says how it is being made, or the earlier one if it was made in the same way."""
    if resume:
        remove_parts(path.parent)
    if not path.exists():
        return Store.create(path, **facts, threshold=threshold)
    if not resume:
        raise DataError(f"{path.parent}: holds an earlier filter; pass --resume to go on, or choose another folder")
    store = Store.open(path)
    earlier = store.meta()
    for name, value in facts.items():
        if earlier.get(name) != value:
            store.close()
            raise ConfigError(
                f"{path.parent}: cannot go on with {name} {value!r}, it began with {earlier.get(name)!r}; "
                "use the same, or choose another folder"
            )
    return store


def _scan(
    store: Store, detector: Detector, collection: Collection, config: FilterConfig, progress: PageProgress
) -> int:
    """Puts every page that the store does not have through the detector, batch by batch; returns how many were read.

    Pages that failed before come last, so that batches fall on the same pages as if nothing had been interrupted.
    """
    facts = store.meta()

    def judge(page: Page, detections: Detections) -> tuple[PageRow, list[BoxRow]]:
        return judge_page(page, detections, contains=facts["contains"], threshold=facts["threshold"])

    def load(source: PageSource) -> Page | str:
        try:
            page = source.load(detector.decode_pixels)
        except DataError as error:
            return str(error)
        return replace(page, document=document_of(source, config.group))

    failed = {row.page for row in store.pages(PageQuery(is_readable=False))}
    new = (source for source in collection.sources() if not store.has_page(source.id))
    again = (source for source in collection.sources() if source.id in failed)
    before, num_read = store.count(PageQuery(is_readable=True)), 0
    progress.start("filter", total=sum(1 for _ in collection.sources()), done=before)
    loaded = work_ahead(load, chain(new, again), workers=config.workers, ahead=_BATCHES_AHEAD * config.batch_size)
    for batch in _batches(loaded, config.batch_size):
        pages = [page for _, page in batch if isinstance(page, Page)]
        found = iter(zip(pages, detector.detect(pages), strict=True)) if pages else iter(())
        store.add_pages(
            judge(*next(found)) if isinstance(page, Page) else (_failed(source, page, config.group), [])
            for source, page in batch
        )
        progress.advance(len(batch), failed=len(batch) - len(pages))
        num_read += len(pages)
    return num_read


def _failed(source: PageSource, reason: str, group: Group | None) -> PageRow:
    return PageRow(page=source.id, document=document_of(source, group), failure=reason)


def _batches(things: Iterable[T], size: int) -> Iterator[list[T]]:
    things = iter(things)
    while batch := list(islice(things, size)):
        yield batch
