"""Filtered folders to review, and a server over one that a test starts and stops."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from starlette.testclient import TestClient

from farthing.documents.collection.pages import open_collection
from farthing.documents.review.app import create_app
from farthing.documents.review.gallery import Gallery
from farthing.documents.review.images import PageImages
from farthing.results.rows import BoxRow, PageRow
from farthing.results.store import STORE_FILE, Store
from farthing.web.server import Address, listen
from tests.documents.fakes import draw_page, make_store

HOST = "127.0.0.1:8000"
CLASSES = ["illustration", "stamp"]
START_S = 20.0


def make_folder(folder: Path, *, num_pages: int = 12, num_files: int | None = None) -> Path:
    """A filtered folder: page i of n scores i / n, those from 0.5 on are kept; odd ones are scored as stamps.

    Args:
        folder: the collection goes to `pages`, the store to `found`, which is returned.
        num_pages: readable pages; one that failed comes after them.
        num_files: how many of them exist; None: all.
    """
    pages, found = folder / "pages", folder / "found"
    pages.mkdir(parents=True)
    found.mkdir()
    rows = [_row(number, num_pages) for number in range(num_pages)]
    for row in rows[:num_files]:
        (pages / row.page).parent.mkdir(exist_ok=True)
        draw_page(0.5, width=row.width, height=row.height).save(pages / row.page)
    with make_store(found / STORE_FILE, [], collection=pages, contains=CLASSES) as store:
        store.add_pages((row, boxes_of(row)) for row in rows)
        broken = PageRow(page="broken.jpg", document=".", failure="broken.jpg: the file is empty")
        store.add_pages([(broken, [])])
    return found


def _row(number: int, num_pages: int) -> PageRow:
    score = number / num_pages
    label = CLASSES[number % 2]
    return PageRow(
        page=f"book{number % 3}/{number:05}.png",
        document=f"book{number % 3}",
        width=120,
        height=160,
        score=score,
        scores={name: score if name == label else 0.0 for name in CLASSES},
        keep=score >= 0.5,
    )


def boxes_of(row: PageRow) -> list[BoxRow]:
    """One box on each page with a score."""
    label = max(row.scores, key=lambda name: row.scores[name])
    return [BoxRow(label=label, x0=8, y0=16, x1=68, y1=48, score=row.score)] if row.score else []


@contextmanager
def opened(found: Path, *, token: str | None = None) -> Iterator[TestClient]:
    """A client of the application over a folder, behaving as a browser on its page."""
    with Store.open(found / STORE_FILE) as store:
        images = PageImages(open_collection(store.meta()["collection"]))
        app = create_app(Gallery(store, found), images, token=token)
        with TestClient(app, base_url=f"http://{HOST}", headers={"Origin": f"http://{HOST}"}) as client:
            yield client


@contextmanager
def served(found: Path, *, pages: Path | None = None) -> Iterator[str]:
    """The address of a running server over a folder; it ends with the block."""
    with Store.open(found / STORE_FILE) as store, listen(Address(port=0)) as listener:
        images = PageImages(open_collection(pages or store.meta()["collection"]))
        app = create_app(Gallery(store, found), images)
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        deadline = time.monotonic() + START_S
        while not server.started and thread.is_alive():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        finally:
            server.should_exit = True
            thread.join()
