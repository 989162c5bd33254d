"""`farthing documents review`: serves the review page over a filtered folder until it is stopped."""

from __future__ import annotations

import ipaddress
import logging
import secrets
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from farthing.base.errors import ConfigError
from farthing.documents.outputs import write_outputs
from farthing.documents.pages import Collection, open_collection
from farthing.documents.review.app import create_app
from farthing.documents.review.gallery import Gallery
from farthing.documents.review.images import PageImages
from farthing.results.rows import PageQuery
from farthing.results.store import STORE_FILE, Store

LOOPBACK = "127.0.0.1"
_TOKEN_BYTES = 24
_DRAIN_S = 5

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """Where the review page is served.

    Attributes:
        host: a name or number of this computer; anything but the loopback interface asks for a token.
        port: TCP port; 0 takes a free one.
    """

    host: str = LOOPBACK
    port: int = 8000

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise ConfigError(f"port must be from 0 to 65535, got {self.port}")

    @property
    def is_loopback(self) -> bool:
        """Whether only this computer can reach it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


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
        token = None if address.is_loopback else secrets.token_urlsafe(_TOKEN_BYTES)
        app = create_app(gallery, PageImages(collection), token=token)
        with listen(address) as listener:
            announce(url_of(listener, address, token))
            settings = uvicorn.Config(
                app, log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=_DRAIN_S
            )
            with _stopped_alike():
                uvicorn.Server(settings).run(sockets=[listener])
        if gallery.is_changed:
            _log.info("%s: writing the tables and the report anew", folder)
            write_outputs(store, folder, collection)


@contextmanager
def _stopped_alike() -> Iterator[None]:
    """Lets SIGTERM end the block like Ctrl-C; when uvicorn has drained, it raises the signal that ended it again."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with suppress(KeyboardInterrupt):
            yield
    finally:
        signal.signal(signal.SIGTERM, before)


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


def listen(address: Address) -> socket.socket:
    """A socket that listens there.

    Raises:
        ConfigError: the port is taken, or the host is not this computer's.
    """
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ConfigError(f"host {address.host!r}: is not a name of this computer ({error.strerror})") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(place)
        listener.listen()
    except OSError as error:
        listener.close()
        raise ConfigError(
            f"{address.host} port {address.port}: cannot be listened on ({error.strerror}); choose another --port"
        ) from error
    return listener


def url_of(listener: socket.socket, address: Address, token: str | None) -> str:
    """What to open in a browser."""
    host = f"[{address.host}]" if ":" in address.host else address.host
    port = listener.getsockname()[1]
    return f"http://{host}:{port}/" + (f"?token={token}" if token else "")
