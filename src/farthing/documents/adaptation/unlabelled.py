"""Pages of a collection that nobody labelled, decoded once, in the form that training reads."""

from __future__ import annotations

import hashlib
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import numpy as np

from farthing.base.errors import DataError
from farthing.documents.collection.pages import open_collection
from farthing.documents.collection.sources import PageSource
from farthing.documents.detections import PageLabels
from farthing.documents.net.transforms import to_grey
from farthing.documents.training.cache import LabelledPage, PageCache
from farthing.vision.images import Pixels

_log = logging.getLogger(__name__)


def read_collection(
    location: Path | str, folder: Path, *, long_side: int, max_pages: int, seed: int, least: int = 2
) -> PageCache:
    """The pages of a collection, drawn without replacement if there are more than wanted; nothing is known of them.

    Args:
        location: as `open_collection` takes it.
        folder: gets the decoded pages.
        long_side: of a decoded page, in pixels.
        max_pages: the most pages to read.
        seed: of the draw.
        least: the fewest pages that will do.

    Raises:
        DataError: nothing is at `location`, fewer than `least` pages can be read, or the disk is full.
    """
    sources = drawn(list(open_collection(location).sources()), max_pages, seed)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        read = pool.map(lambda source: _read(source, long_side), sources)
        cache = PageCache.store((page for page in read if page is not None), folder)
    if len(cache) < least:
        raise DataError(f"{location}: at least {least} pages must be readable, got {len(cache)} of {len(sources)}")
    return cache


def names_digest(pages: PageCache) -> str:
    """A SHA-256 of the names and sizes of all pages."""
    facts = [(page.labels.page, page.labels.width, page.labels.height) for page in pages.pages]
    return hashlib.sha256(msgspec.json.encode(facts)).hexdigest()


def drawn(sources: list[PageSource], max_pages: int, seed: int) -> list[PageSource]:
    """At most `max_pages` of the pages, in their order."""
    if len(sources) <= max_pages:
        return sources
    chosen = np.random.default_rng([seed, 5]).choice(len(sources), max_pages, replace=False)
    return [sources[index] for index in sorted(chosen.tolist())]


def _read(source: PageSource, long_side: int) -> tuple[LabelledPage, Pixels] | None:
    try:
        page = source.load(long_side)
    except DataError as error:
        _log.warning("left out: %s", error)
        return None
    empty = np.zeros((0, 4), np.float32)
    labels = PageLabels(page=page.id, width=page.width, height=page.height, boxes=empty, labels=())
    return LabelledPage(Path(page.id), labels, frozenset()), to_grey(page.pixels, long_side)
