"""One process that serves an application until SIGTERM or Ctrl-C, and then answers what it has begun."""

from __future__ import annotations

import asyncio
import gc
import ipaddress
import os
import signal
import socket
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn

from farthing.base.errors import ConfigError, DataError
from farthing.serve.doorkeeper import Doorkeeper
from farthing.serve.shedding import SheddingProtocol

DRAIN_S = 8
"""How long requests that were begun may take after SIGTERM."""
BACKLOG = 1024
_SHORTEST_TOKEN = 16
_HIGHEST_PORT = 65_535


def is_loopback(host: str) -> bool:
    """Whether only this computer can reach a server there."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def read_token(path: Path | None, host: str) -> str | None:
    """The token of a file; None on the loopback interface without one.

    Raises:
        ConfigError: another interface without a token, or a token that can be guessed.
        DataError: the file cannot be read.
    """
    if path is None:
        if is_loopback(host):
            return None
        raise ConfigError(f"--host {host}: others can reach it, so --token-file must name a file with a secret token")
    try:
        token = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as one line of ASCII") from error
    if len(token) < _SHORTEST_TOKEN or not token.isprintable() or " " in token:
        raise ConfigError(f"{path}: a token is one word of at least {_SHORTEST_TOKEN} characters")
    return token


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; port 0 takes a free one.

    Raises:
        ConfigError: the port is taken, or the host is not this computer's.
    """
    if not 0 <= port <= _HIGHEST_PORT:
        raise ConfigError(f"--port must be from 0 to {_HIGHEST_PORT}, got {port}")
    try:
        return socket.create_server((host, port), family=_family(host), backlog=BACKLOG)
    except OSError as error:
        raise ConfigError(
            f"{host} port {port}: cannot be listened on ({error.strerror}); choose another --port"
        ) from error


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def serve(app: Doorkeeper, listener: socket.socket) -> None:
    """Serves until SIGTERM or Ctrl-C; begun requests are then answered, new connections refused."""
    settings = uvicorn.Config(
        app,
        http=partial(SheddingProtocol, turns_away=app.turns_away),  # type: ignore[arg-type]  # makes a protocol
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        date_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=DRAIN_S,
        backlog=BACKLOG,
    )
    # What is loaded now stays: without this, looking through all of it for garbage stops every request for a tenth of a
    # second and more.
    gc.collect()
    gc.freeze()
    before = signal.getsignal(signal.SIGTERM)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        uvicorn.Server(settings).run(sockets=[listener])
    except KeyboardInterrupt:
        pass  # uvicorn drains, and then raises the signal again that ended it
    finally:
        gc.unfreeze()
        signal.signal(signal.SIGTERM, before)
        listener.close()


def on_hangup(act: Callable[[], Coroutine[Any, Any, None]]) -> None:  # Any: of coroutines, which send nothing
    """Runs `act` in the running event loop at each SIGHUP."""
    loop = asyncio.get_running_loop()
    tasks: set[asyncio.Task[None]] = set()

    def begin() -> None:
        task = loop.create_task(act())
        tasks.add(task)  # the loop itself keeps no task alive
        task.add_done_callback(tasks.discard)

    if hasattr(signal, "SIGHUP") and os.name == "posix":
        loop.add_signal_handler(signal.SIGHUP, begin)
