"""Serving a page to the person at this computer until they stop it."""

from __future__ import annotations

import ipaddress
import secrets
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import uvicorn
from starlette.types import ASGIApp

from farthing.base.errors import ConfigError

LOOPBACK = "127.0.0.1"
_TOKEN_BYTES = 24
_DRAIN_S = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """Where a page is served.

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


def serve(create_app: Callable[[str | None], ASGIApp], *, address: Address, announce: Callable[[str], None]) -> None:
    """Serves an application until Ctrl-C or SIGTERM.

    Args:
        create_app: makes it from the secret token that each request must know; None on the loopback interface.
        address: where to listen.
        announce: told the address to open.

    Raises:
        ConfigError: the address is taken or not this computer's.
    """
    token = None if address.is_loopback else secrets.token_urlsafe(_TOKEN_BYTES)
    app = create_app(token)
    with listen(address) as listener:
        announce(url_of(listener, address, token))
        settings = uvicorn.Config(
            app, log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=_DRAIN_S
        )
        with _stopped_alike():
            uvicorn.Server(settings).run(sockets=[listener])


@contextmanager
def _stopped_alike() -> Iterator[None]:
    """Lets SIGTERM end the block like Ctrl-C; when uvicorn has drained, it raises the signal that ended it again."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with suppress(KeyboardInterrupt):
            yield
    finally:
        signal.signal(signal.SIGTERM, before)


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
