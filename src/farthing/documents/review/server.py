"""`farthing documents review`: serves the review page over a filtered folder until it is stopped."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from farthing.documents.collection.pages import Collection, open_collection
from farthing.documents.filtering.outputs import write_outputs
from farthing.documents.review.app import create_app
from farthing.documents.review.gallery import Gallery
from farthing.documents.review.images import PageImages
from farthing.results.rows import PageQuery
from farthing.results.store import STORE_FILE, Store
from farthing.web.server import Address, serve

_log = logging.getLogger(__name__)


def run_review(folder: Path, *, address: Address, pages: Path | None = None, announce: Callable[[str], None]) -> None:
    """Serves the review page until Ctrl-C or SIGTERM; then the tables in `folder` are written anew.

    Args:
        folder: what `filter` wrote.
        address: where to listen.
        pages: the collection, if it has moved since it was filtered.
        announce: told the address to open.

    Raises:
        FormatError: the folder has no store.
        DataError: the collection is not there, or the tables cannot be written.
        ConfigError: the address is taken or not this computer's.
    """
    with Store.open(folder / STORE_FILE) as store:
        collection = find_collection(store, pages)
        gallery = Gallery(store, folder)
        images = PageImages(collection)
        serve(lambda token: create_app(gallery, images, token=token), address=address, announce=announce)
        if gallery.is_changed:
            _log.info("%s: writing the tables and the report anew", folder)
            write_outputs(store, folder, collection)


def find_collection(store: Store, pages: Path | None) -> Collection:
    """The collection that was filtered: where it was then, or at `pages`, which the store remembers from now on.

    Raises:
        DataError: nothing is there, or another collection.
    """
    facts = store.meta()
    collection = open_collection(facts["collection"] if pages is None else pages, max_pixels=facts["max_pixels"])
    if pages is not None:
        for row in store.pages(PageQuery(is_readable=True), limit=1):
            collection.source(row.page)
        store.set_meta(collection=str(pages.absolute()))
    return collection
