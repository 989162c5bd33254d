"""Requests to a server on this computer, from a process of its own: as fast as it answers, or at a given rate."""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import cast
from urllib.parse import urlsplit

import numpy as np
import uvloop

MAX_CONNECTIONS = 256
LAST_S = 0.5
"""How long the last answers may take."""


class Connection(asyncio.Protocol):
    """One connection that stays open; a request at a time."""

    def __init__(self, answered: Callable[[Connection, int], None]) -> None:
        self._answered, self._buffer = answered, b""
        self._transport: asyncio.Transport | None = None
        self.since = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one without inheriting from it

    def ask(self, request: bytes, since: float) -> None:
        """Sends a request whose time runs from `since` on; its status goes to `answered`."""
        assert self._transport is not None
        self.since = since
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        if len(body) >= length:
            self._buffer = b""
            self._answered(self, int(head[9:12]))

    def connection_lost(self, _: Exception | None) -> None:
        self._answered(self, 0)


class Load:
    """Requests of one kind to one server, and when they were answered; by callbacks, which cost less than tasks."""

    def __init__(self, url: str, body: bytes) -> None:
        place = urlsplit(url)
        self._host, self._port = place.hostname or "", place.port or 80
        self._request = (
            f"POST /v1/score HTTP/1.1\r\nHost: {place.hostname}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        ).encode() + body
        self.answers: list[tuple[int, float]] = []

    async def _connect(self, number: int, answered: Callable[[Connection, int], None]) -> list[Connection]:
        loop = asyncio.get_running_loop()
        made = [
            await loop.create_connection(lambda: Connection(answered), self._host, self._port) for _ in range(number)
        ]
        return [connection for _, connection in made]

    async def closed(self, num_connections: int, seconds: float) -> None:
        """Each connection asks again as soon as it was answered."""

        def answered(connection: Connection, status: int) -> None:
            now = time.perf_counter()
            if now < end:
                self.answers.append((status, now - connection.since))
                if status:
                    connection.ask(self._request, now)

        end = 0.0
        connections = await self._connect(num_connections, answered)
        end = time.perf_counter() + seconds
        for connection in connections:
            connection.ask(self._request, time.perf_counter())
        await asyncio.sleep(seconds)

    async def open(self, rate: float, seconds: float) -> None:
        """Asks at fixed times, whether earlier requests were answered or not; times count from when one was due.

        A request that is due while no connection is free counts as lost.
        """
        free: list[Connection] = []

        def answered(connection: Connection, status: int) -> None:
            self.answers.append((status, time.perf_counter() - connection.since))
            if status:
                free.append(connection)

        free += await self._connect(MAX_CONNECTIONS, answered)
        start, number = time.perf_counter(), 0
        while (now := time.perf_counter() - start) < seconds:
            while number < now * rate:
                if free:
                    free.pop().ask(self._request, start + number / rate)
                else:
                    self.answers.append((0, 0.0))
                number += 1
            await asyncio.sleep(0)
        await asyncio.sleep(LAST_S)

    def summary(self, seconds: float) -> dict[str, float]:
        """Answers per second, times in ms of those that were scored, and how many were turned away."""
        statuses = Counter(status for status, _ in self.answers)
        times = np.array([duration for status, duration in self.answers if status == 200] or [np.nan]) * 1e3
        shed = np.array([duration for status, duration in self.answers if status == 503] or [0.0]) * 1e3
        return {
            "answered_per_second": statuses[200] / seconds,
            **{name: float(np.percentile(times, q)) for name, q in (("p50", 50), ("p99", 99), ("p999", 99.9))},
            "shed": statuses[503] / max(1, len(self.answers)),
            "shed_p99": float(np.percentile(shed, 99)),
            "lost": statuses[0] / max(1, len(self.answers)),
        }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--rate", type=float, help="requests per second; without it as fast as they are answered")
    parser.add_argument("--seconds", type=float, default=5.0)
    options = parser.parse_args()
    load = Load(options.url, sys.stdin.buffer.read())
    gc.disable()  # a pause of this process would count as the server's
    if options.rate:
        uvloop.run(load.open(options.rate, options.seconds))
    else:
        uvloop.run(load.closed(options.connections, options.seconds))
    print(json.dumps(load.summary(options.seconds)))


if __name__ == "__main__":
    main()
